"""The table of inference on an encoder and on a decoder: two test sets of one language, and a language of a folder."""

import csv
import gzip

import pytest
import tiny
from tiny_decoders import make_decoder

from deftx.cli import main
from deftx.core.errors import DeftxError
from deftx.evidence.grid import Vector, vectors_of, waves
from deftx.evidence.rows import choose_rows
from deftx.evidence.settings import SETTINGS
from deftx.vectors.vector import SparseVector

XNLI = SETTINGS["xnli"]
SHORT = ("--set", "precision=float32", "batch_size=8", "max_length=16", "max_steps=2", "evaluate_every=2", "k=300",
         "learning_rate=0.002", "--device", "cpu")  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder laid out as the real one, with Guaraní beside Indonesian."""
    folder = tmp_path_factory.mktemp("data")
    pairs = [(text, "the day", label) for text, label in tiny.labelled_rows()]
    for name in ("eng/train", "eng/valid", "ind/test_lay", "ind/test_expert", "../xnli/gn/test"):
        path = folder / "nli_source" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        tiny.write_csv(path, ("premise", "hypothesis", "label"), pairs[:30])
    (folder / "corpora").mkdir()
    for number, corpus in enumerate(("eng_clear", "ind", "gn")):
        text = "\n".join(tiny.sentences(60, seed=number))
        (folder / "corpora" / f"{corpus}.txt.gz").write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_the_table_of_an_encoder_and_of_a_decoder(data, base_folder, tmp_path, kind):
    base = base_folder if kind == "encoder" else make_decoder("gpt2", tmp_path / "base")
    out = tmp_path / "out"
    arguments = ("benchmark", "xnli", "--data", data, "--base", base, "--out", out, "--seeds", "1",
                 "--languages", "ind-lay", "ind-expert", "gn", "--methods", "no-language", "lt-sft", "variance", *SHORT)  # fmt: skip
    assert main([str(argument) for argument in arguments]) == 0
    with (out / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["row"]: row for row in csv.DictReader(stream)}
    assert {"no-language", "lt-sft", "variance"} <= rows.keys()
    assert all(0 <= float(rows["variance"][target]) <= 100 for target in ("ind-lay", "ind-expert", "gn", "mean"))
    trained = {path.name: SparseVector.load(path) for path in (out / "vectors").iterdir()}
    languages = {name for name in trained if name.startswith("language-")}
    assert languages == {f"language-{code}-{row}-42" for code in ("eng", "ind", "gn") for row in ("lt-sft", "variance")}
    loss = "masked_lm_loss" if kind == "encoder" else "next_token_loss"
    assert all(loss in trained[name].info["scores"] for name in languages)
    assert trained["task-eng-variance-from-source-42"].takes_pairs
    assert "Overlap of the vectors of lt-sft" in (out / "results.md").read_text(encoding="utf-8")


def test_two_test_sets_of_a_language_share_its_vector():
    task, own = vectors_of(choose_rows(["variance"])[0], "ind-lay", 42, XNLI)
    assert own == Vector("language", "ind", "variance", 42)
    assert task == Vector("task", "eng", "variance", 42, True)
    languages, tasks = waves(choose_rows(["variance"]), ("ind-lay", "ind-expert"), (42,), XNLI)
    assert [[vector.language for vector in group] for group in languages] == [["eng"], ["ind"]]
    assert len(tasks) == 1


def test_a_language_of_the_folder_can_be_named_and_nothing_else(data):
    assert XNLI.languages(None) == ("ind-lay", "ind-expert")
    assert XNLI.languages(["gn", "ind-lay"]) == ("gn", "ind-lay")
    assert XNLI.languages(["gn", "ind-lay", "gn"]) == ("gn", "ind-lay")
    XNLI.check(data, ("gn", "ind-lay"))
    with pytest.raises(DeftxError, match=r"corpora.quy\.txt\.gz is missing"):
        XNLI.check(data, ("quy",))
    for name in ("../gn", "ind-layy", "GN", ""):
        with pytest.raises(DeftxError, match="The language"):
            XNLI.languages([name])
    with pytest.raises(DeftxError, match="The language"):
        SETTINGS["nusax"].languages(["gn"])
