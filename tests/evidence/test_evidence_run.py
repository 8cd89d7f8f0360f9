"""The paper's table on a tiny base: what is trained, what is shared, what is kept, and that it goes on where it was."""

import csv
import gzip
import json
import os
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import tiny
from forked import DEFTX, Program

from deftx.classify.composition import compose
from deftx.cli import main
from deftx.core.errors import DeftxError, VectorError
from deftx.data.table_rows import Table
from deftx.evidence.grid import Vector, vectors_of, waves
from deftx.evidence.labelled import draw, read_tests
from deftx.evidence.rows import ROWS, VARIANTS, choose_rows
from deftx.evidence.run import Run, given_source, score_all
from deftx.evidence.settings import SETTINGS
from deftx.evidence.shared_work import Reporter
from deftx.vectors.lt_sft import write_lt_sft
from deftx.vectors.overlaps import overlap
from deftx.vectors.vector import SparseVector

pytestmark = pytest.mark.slow

NUSAX = SETTINGS["nusax"]
METHODS = ("no-language", "lt-sft", "uniform-100", "no-retrain")
SHORT = ("--set", "precision=float32", "batch_size=8", "max_length=16", "max_steps=6", "evaluate_every=3", "k=300",
         "learning_rate=0.002", "--device", "cpu")  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder laid out as the real one, of two languages."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("corpora", "smsa", "nusax/min", "nusax/ind", "lexicons"):
        (folder / name).mkdir(parents=True)
    for number, language in enumerate(("ind", "min")):
        text = "\n".join(tiny.sentences(60, seed=number))
        (folder / "corpora" / f"{language}.txt.gz").write_bytes(gzip.compress(text.encode()))
        tiny.write_csv(folder / "nusax" / language / "test.csv", ("text", "label"), tiny.labelled_rows()[:40])
        tiny.write_csv(folder / "nusax" / language / "train.csv", ("text", "label"), tiny.labelled_rows()[20:60])
    tiny.write_csv(folder / "lexicons" / "ind-min.csv", ("source", "target"), [("the", "word1"), ("is", "word2")])
    for name in ("train", "valid"):
        tiny.write_csv(folder / "smsa" / f"{name}.csv", ("text", "label"), tiny.labelled_rows())
    return folder


@pytest.fixture
def benchmark(data, base_folder, capsys):
    """Run the command; return its status and what it printed."""

    def run(out, *more):
        arguments = ("benchmark", "nusax", "--data", data, "--base", base_folder, "--out", out, "--languages", "min",
                     "--seeds", "1", "--methods", *METHODS, *SHORT, *more)  # fmt: skip
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def finished(data, base_folder, tmp_path_factory):
    """A table that is done."""
    out = tmp_path_factory.mktemp("evidence") / "run"
    arguments = ("benchmark", "nusax", "--data", data, "--base", base_folder, "--out", out, "--languages", "min",
                 "--seeds", "1", "--methods", *METHODS, *SHORT)  # fmt: skip
    assert main([str(argument) for argument in arguments]) == 0
    return out


def changed(folder):
    return {str(f.relative_to(folder)): f.stat().st_mtime_ns for f in folder.rglob("*") if f.name == "vector.json"}


def test_every_row_is_in_the_table_with_scores_from_0_to_100(finished):
    with (finished / "results.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(METHODS) + 2  # and two that count words
    assert all(0 <= float(row["min"]) <= 100 for row in rows)
    text = (finished / "results.md").read_text()
    assert all(ROWS[name].title in text for name in METHODS)
    assert "Overlap of the vectors of lt-sft" in text


def test_vectors_are_what_their_row_says(finished):
    load = {path.name: SparseVector.load(path) for path in (finished / "vectors").iterdir()}
    assert load["language-min-lt-sft-42"].info["method"] == "lt-sft"
    assert load["language-min-uniform-100-42"].info["rank"]["strategy"] == "uniform:4"  # 100 of 768, at width 32
    assert load["language-min-no-retrain-42"].info["ablate"] == "no-retrain"
    assert load["task-ind-lt-sft-from-source-42"].info["corpus"]["source"] == "ind language vector"
    assert load["task-ind-variance-from-base-42"].info["corpus"]["source"] is None
    # Rows that differ after the dense phase alone share it: the same course of the loss.
    dense = [load[f"language-min-{name}-42"].info["scores"]["history"]["dense"] for name in METHODS[1:]]
    assert dense[0] == dense[1] == dense[2]
    assert not (finished / "delta").exists() or list((finished / "delta").iterdir()) == []


def test_a_row_is_merged_by_its_method(data, base, finished, tmp_path, monkeypatch):
    shutil.copytree(finished / "vectors", tmp_path / "vectors")
    rows = tuple(replace(ROWS[name], variant="lt-sft") for name in ("lt-sft", "ties", "dare"))
    run = Run(NUSAX, rows, ("min",), (42,), data, tmp_path, "base", ("cpu",), "quick", {"language": {}, "task": {}})
    reports = {}

    def composed(*given, **named):
        classifier = compose(*given, **named)
        reports[classifier.report.method] = classifier.report
        return classifier

    monkeypatch.setattr("deftx.evidence.run.compose", composed)
    scored = list(score_all(run, base, Reporter(print, lambda: False)))
    assert [cell.row for cell in scored] == ["lt-sft", "ties", "dare"]
    assert list(reports) == ["sum", "ties", "dare"]
    task, language = reports["dare"].vectors
    assert 0 < task.dropped < task.entries
    assert 0 < language.dropped < language.entries


def test_what_is_done_is_not_done_again_and_what_is_missing_is(benchmark, finished):
    before, table = changed(finished), (finished / "results.csv").read_text()
    lost = finished / "vectors" / "language-min-lt-sft-42"
    for file in lost.iterdir():
        file.unlink()
    (finished / "scores" / "lt-sft-min-42.json").unlink()
    status, _, err = benchmark(finished)
    assert status == 0
    assert "1 vectors to train, in 1 groups" in err
    after = changed(finished)
    assert {name for name in after if after[name] != before[name]} == {"vectors/language-min-lt-sft-42/vector.json"}
    scores = [line.split(",")[:4] for line in (finished / "results.csv").read_text().splitlines()]
    assert scores == [line.split(",")[:4] for line in table.splitlines()]


def test_predictions_of_another_program_are_a_row_beside_the_others(benchmark, finished, tmp_path):
    out = shutil.copytree(finished, tmp_path / "run")
    for language in ("min", "ind"):
        cell = json.loads((out / "scores" / f"lt-sft-{language}-42.json").read_text())
        (out / "scores" / f"mad-x-{language}-42.json").write_text(json.dumps({**cell, "row": "mad-x"}))
    status, _, err = benchmark(out)
    assert status == 0, err
    before, after = (
        {line.split(",")[0]: line.split(",")[2:8] for line in (folder / "results.csv").read_text().splitlines()}
        for folder in (finished, out)
    )
    assert after.pop("mad-x")[:5] == after["lt-sft"][:5]
    assert after == before


def test_only_scores_of_these_vectors_and_this_test_set_are_kept(data, base, finished, tmp_path):
    shutil.copytree(finished / "vectors", tmp_path / "vectors")
    rows = (replace(ROWS["lt-sft"], name="one"), replace(ROWS["multi-source"], variant="lt-sft"))
    run = Run(NUSAX, rows, ("min",), (42,), data, tmp_path, "base", ("cpu",), "quick", {"language": {}, "task": {}})
    learned = vectors_of(rows[1], "min", 42, NUSAX, ("min",))[0]
    shutil.copytree(run.folder(vectors_of(rows[0], "min", 42, NUSAX)[0]), run.folder(learned))
    said = []

    def scored():
        said.clear()
        cells = list(score_all(run, base, Reporter(said.append, lambda: False)))
        return cells, [message.split(",")[0] for message in said]

    first, computed = scored()
    assert computed == ["one", "multi-source"]
    assert first[1].vectors == [learned.name, "language-min-lt-sft-42"]
    assert scored() == (first, [])
    run.keep(replace(first[1], vectors=["task-ind-lt-sft-from-source-labelled-ban-42", "language-min-lt-sft-42"]))
    assert scored() == (first, ["multi-source"])
    for cell in first:  # as earlier versions wrote them
        run.keep(replace(cell, vectors=[]))
    assert scored()[1] == ["multi-source"]
    run.keep(replace(first[0], gold=first[0].gold[::-1]))
    assert scored() == (first, ["one"])


def test_labels_of_a_test_set_are_those_of_the_training_rows(benchmark, data, tmp_path):
    wrong = shutil.copytree(data, tmp_path / "data")
    rows = [(text, label.upper()) for text, label in tiny.labelled_rows()[:40]]
    tiny.write_csv(wrong / "nusax" / "min" / "test.csv", ("text", "label"), rows)
    tests = read_tests(NUSAX, wrong, ("min",))
    assert set(tests["min"].labels) == {label for _, label in tiny.labelled_rows()}
    tiny.write_csv(wrong / "nusax" / "min" / "test.csv", ("text", "label"), [("a text", "pos"), *rows])
    status, _, err = benchmark(tmp_path / "v", "--data", wrong)
    assert (status, err.count("\n")) == (2, 1)
    assert "test.csv has labels that" in err
    assert "lacks: pos; known are" in err
    assert not (tmp_path / "v").exists()


def test_other_settings_in_the_same_folder_are_refused(benchmark, finished):
    status, _, err = benchmark(finished, "--preset", "standard")
    assert status == 2
    assert "preset: quick before, standard now" in err


def test_two_trainings_at_a_time_give_the_same_vectors(benchmark, finished, tmp_path):
    status, _, err = benchmark(tmp_path / "two", "--jobs", "2")
    assert status == 0, err
    for path in (tmp_path / "two" / "vectors").iterdir():
        assert SparseVector.load(path).digest() == SparseVector.load(finished / "vectors" / path.name).digest()


def test_the_plan_counts_what_is_then_done_and_starts_nothing(benchmark, finished, tmp_path):
    status, out, _ = benchmark(tmp_path / "none", "--plan", "--json")
    assert status == 0
    assert not (tmp_path / "none").exists()
    found = json.loads(out)
    done = [SparseVector.load(path) for path in (finished / "vectors").iterdir()]
    assert found["vectors"] == len(done)
    histories = [vector.info["scores"]["history"] for vector in done]
    assert found["sparse_phases"] == sum("sparse" in history for history in histories)
    assert found["dense_phases"] < len(done)
    assert found["steps"] == 6 * (found["dense_phases"] + found["sparse_phases"])
    costs = [
        json.loads((finished / "vectors" / vector / "cost.json").read_text())
        for vector in os.listdir(finished / "vectors")
    ]
    assert all(cost["dense"] > 0 and cost["rest"] > 0 and cost["peak_gb"] > 0.05 for cost in costs)


def test_a_stopped_table_goes_on_to_the_same_vectors(data, base_folder, finished, tmp_path):
    arguments = ("benchmark", "nusax", "--data", data, "--base", base_folder, "--out", tmp_path / "cut", "--languages",
                 "min", "--seeds", "1", "--methods", *METHODS, *SHORT)  # fmt: skip
    process = Program(DEFTX, *arguments)
    process.wait_for_line("1 of 6")
    process.terminate()
    assert process.wait() == 143, process.stderr
    assert "run the same command to continue" in process.stderr.splitlines()[-1]
    assert main([str(argument) for argument in arguments]) == 0
    for path in (tmp_path / "cut" / "vectors").iterdir():
        assert SparseVector.load(path).digest() == SparseVector.load(finished / "vectors" / path.name).digest()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--methods", "varience"), "Did you mean 'variance'"),
        (("--languages", "mim"), "Did you mean 'min'"),
        (("--languages", "ace"), "ace.txt.gz is missing"),
        (("--seeds", "0"), "1 or more"),
        (("--set-task", "seed=7"), "--seeds N"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(benchmark, tmp_path, more, words):
    status, _, err = benchmark(tmp_path / "v", *more)
    assert (status, err.count("\n")) == (2, 1)
    assert words in err
    assert not (tmp_path / "v").exists()


def test_an_unknown_benchmark_is_answered_with_the_known_ones(data, capsys):
    assert main(["benchmark", "nusa", "--data", str(data)]) == 2
    assert "Did you mean 'nusax'" in capsys.readouterr().err


def test_the_whole_grid_of_the_paper():
    languages = (*NUSAX.targets, "ind")
    first, second = waves(choose_rows(None), languages, (42, 43, 44), NUSAX)
    vectors = [vector for group in first for vector in group]
    assert len(vectors) == len(set(vectors)) == len(languages) * len(VARIANTS) * 3
    assert len(first) == len(languages) * 3 * 2  # a dense phase with L1 and one without
    tasks = [vector for group in second for vector in group]
    assert len(tasks) == (len(VARIANTS) + 1) * 3  # one a variant from its own source vector, and one from the base
    assert all(len({vector.dense_name for vector in group}) == 1 for group in (*first, *second))
    for row in choose_rows(None):
        for language in languages:
            task, own = vectors_of(row, language, 42, NUSAX)
            assert task in tasks
            assert own is None or own in vectors


def test_a_source_of_ones_own_spares_the_trained_ones():
    first, _ = waves(choose_rows(["lt-sft"]), ("min",), (42,), NUSAX, own_source=False)
    assert first == [[Vector("language", "min", "lt-sft", 42)]]


def test_the_source_may_be_a_vector_of_lt_sft(base, language_vector, tmp_path):
    vector = SparseVector.load(language_vector)
    write_lt_sft(vector, base, tmp_path / "published")
    for name in (language_vector, tmp_path / "published"):
        found = given_source(str(name), base)
        assert (found.kind, overlap(found, vector)) == ("language", 1.0)
    with pytest.raises(VectorError, match=r"neither a vector .* nor an LT-SFT vector"):
        given_source(str(tmp_path), base)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_vector_of_every_setting_has_a_recipe(name, tmp_path):
    """Settings of pairs are for tasks: a language vector has no metric to choose by."""
    setting = SETTINGS[name]
    run = Run(setting, tuple(ROWS.values()), setting.targets, (42,), tmp_path, tmp_path, "base", "cpu", "quick",
              {"language": {}, "task": {}})  # fmt: skip
    vectors = [vector for wave in run.groups() for group in wave for vector in group]
    metrics = {run.recipe(vector, 256).metric for vector in vectors if vector.kind == "task"}
    assert metrics == {setting.metric}
    assert all(hasattr(run.recipe(vector, 256), "mask_share") for vector in vectors if vector.kind == "language")


def test_uniform_ranks_are_scaled_to_the_width_of_the_base():
    ranks = [VARIANTS[f"uniform-{r}"].settings("task", 256)["rank"] for r in (100, 200, 300)]
    assert ranks == ["uniform:33", "uniform:67", "uniform:100"]
    assert VARIANTS["uniform-300"].settings("language", 768)["rank"] == "uniform:300"


@pytest.mark.data
def test_every_file_of_the_real_data_is_where_it_is_looked_for():
    for setting in SETTINGS.values():
        languages = (*setting.targets, *setting.development, *([setting.reference] if setting.reference else []))
        assert setting.check(Path(os.environ["DEFTX_DATA"]), languages) is None  # it raises where a file is missing


LABELLED = ("multi-source", "few-25", "lexicon", "lexicon+language")


def test_rows_with_data_of_the_targets_are_trained_on_it(data, base_folder, tmp_path, capsys):
    arguments = ["benchmark", "nusax", "--data", data, "--base", base_folder, "--out", tmp_path / "e", "--languages", "min",
                 "--seeds", "1", "--methods", *LABELLED, *SHORT, "--json"]  # fmt: skip
    assert main([str(argument) for argument in [*arguments, "--plan"]]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert main([str(argument) for argument in arguments]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert all(set(rows[name]) == {"min", "ind"} for name in LABELLED)
    load = {path.name: SparseVector.load(path) for path in (tmp_path / "e" / "vectors").iterdir()}
    assert planned["vectors"] == len(load)

    def trained(name):
        info = load[f"task-ind-variance-{name}-42"].info["corpus"]
        return [(s["file"], s["rows"], s["repeat"], s["source"], s["lexicons"]) for s in info["trained_on"]]

    source, own = "ind language vector", "min language vector"
    assert trained("from-source-labelled-min") == [
        ("train.csv", 96, 1, source, []), ("train.csv", 40, 1, own, []),
    ]  # fmt: skip
    assert trained("from-source-labelled25-min") == [
        ("train.csv", 96, 1, source, []), ("train.csv", 25, 20, own, []),
    ]  # fmt: skip
    assert trained("from-base-lexicon-min") == [("train.csv", 96, 1, None, ["ind-min.csv"])]
    assert trained("from-source-lexicon-min") == [("train.csv", 96, 1, source, ["ind-min.csv"])]
    assert "trained_on" not in load["task-ind-variance-from-base-42"].info["corpus"]  # no list for the source itself


def test_the_source_and_all_targets_are_the_sources_of_the_multi_source_row():
    languages = (*NUSAX.targets, "ind")
    _, tasks = waves(choose_rows(["multi-source"]), languages, (42,), NUSAX)
    assert [vector for group in tasks for vector in group] == [
        Vector("task", "ind", "variance", 42, True, "labelled", 0, NUSAX.targets)
    ]
    _, tasks = waves(choose_rows(["few-25", "few-50"]), languages, (42, 43), NUSAX)
    assert len({group[0].dense_name for group in tasks}) == len(tasks) == 2 * 2 * len(languages)


def test_fewer_rows_of_a_draw_are_among_more_of_them():
    rows = Table([f"text {n}" for n in range(60)], ["a", "b"] * 30, False, "rows", "0" * 64)
    draws = [draw(rows, count, 42).texts for count in (5, 20, 60, 500)]
    assert [len(texts) for texts in draws] == [5, 20, 60, 60]
    assert all(set(few) <= set(many) for few, many in pairwise(draws))
    assert draw(rows, 20, 43).texts != draws[1]


def test_rows_whose_data_a_benchmark_lacks_are_refused(data, tmp_path):
    with pytest.raises(DeftxError, match="has no labelled data"):
        SETTINGS["americasnli"].check(Path(data), (), {"labelled"})
    with pytest.raises(DeftxError, match=r"ind-ban\.csv is missing"):
        NUSAX.check(Path(data), (), {"lexicon"}) or NUSAX.check(_with(data, tmp_path), ("ban", "ind"), {"lexicon"})


def _with(data, folder):
    """The data, with an empty file of Balinese for each that every row needs."""
    shutil.copytree(data, folder / "data")
    for name in ("corpora/ban.txt.gz", "nusax/ban/test.csv"):
        (folder / "data" / name).parent.mkdir(exist_ok=True)
        (folder / "data" / name).touch()
    return folder / "data"
