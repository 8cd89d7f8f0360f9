"""Trimmed bases: the same logits for text of kept pieces, and vectors that go from the part to the whole and back."""

import json
from dataclasses import replace

import pytest
import tiny
import tiny_families
import torch
from tiny_vectors import make_vector

import deftx
from deftx.classify.composition import compose
from deftx.cli import main
from deftx.core.errors import BaseModelError, RecipeError, VectorError
from deftx.data.tables import read_table
from deftx.models.bases import load_base
from deftx.models.trim_note import NOTE, read_note
from deftx.training.language import learn_language
from deftx.training.task import learn_task
from deftx.training.trimming import trim_model, trimmed_base
from deftx.vectors.vector import SparseVector

READ = [
    f"the {noun} {verb} very {word}"
    for noun in tiny.NOUNS[:5]
    for verb in ("is", "was")
    for word in tiny.GOOD + tiny.BAD
]
TEXTS = ["the day is very good", "the night was bitter", "food is not bad"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A base, a text, the base trimmed to it, and vectors of both."""
    folder = tmp_path_factory.mktemp("trimming")
    tiny.make_base(folder / "whole")
    (folder / "text.txt").write_text("\n".join([*READ, "food is not bad", "not not"]), encoding="utf-8")
    deftx.trim(str(folder / "whole"), folder / "text.txt", out=folder / "part")
    rows = tiny.labelled_rows(tiny.NOUNS[:3])
    table = read_table(tiny.write_csv(folder / "train.csv", ("text", "label"), rows))
    for name in ("whole", "part"):
        base = load_base(folder / name)
        learn_language(
            folder / "text.txt", base, tiny.language_recipe(), out=folder / f"{name}-language", language="min"
        )
        learn_task(table, base, tiny.task_recipe(), out=folder / f"{name}-task", valid=table)
    return folder


@pytest.mark.parametrize("name", tiny_families.TINY)
def test_every_family_gives_the_same_logits_for_kept_pieces(name, tmp_path):
    base = load_base(tiny_families.make_family(name, tmp_path / "whole"))
    (tmp_path / "text.txt").write_text("\n".join(READ), encoding="utf-8")
    done = deftx.trim(base, tmp_path / "text.txt", out=tmp_path / "part")
    part = load_base(tmp_path / "part")
    assert not part.notes
    assert done.after.pieces < done.before.pieces
    assert done.after.parameters < done.before.parameters
    assert done.after.memory < done.before.memory
    assert done.after.tokens_per_word == done.before.tokens_per_word
    for text in TEXTS[:2]:
        whole, small = (b.tokenizer(text, return_tensors="pt")["input_ids"] for b in (base, part))
        kept = read_note(tmp_path / "part").kept
        assert whole.equal(kept[small])
        with torch.no_grad():
            expected, given = base.model(input_ids=whole).logits, part.model(input_ids=small).logits
        torch.testing.assert_close(given, expected[..., kept], rtol=1e-5, atol=1e-5)
    for part_of in ("pad", "mask", "cls", "sep"):
        assert getattr(part.tokenizer, f"{part_of}_token") == getattr(base.tokenizer, f"{part_of}_token")
    assert part.model.config.pad_token_id == part.tokenizer.pad_token_id
    assert part.tokenizer.model_input_names == base.tokenizer.model_input_names


def test_a_trimmed_base_knows_its_parent(folder):
    whole, part, note = load_base(folder / "whole"), load_base(folder / "part"), read_note(folder / "part")
    assert (note.parent, note.parent_fingerprint) == ("whole", whole.fingerprint)
    assert note.fingerprint == part.fingerprint
    words = "embeddings.word_embeddings.weight"
    assert part.model.roberta.get_parameter(words).equal(whole.model.roberta.get_parameter(words)[note.kept])
    assert (folder / "part" / NOTE).stat().st_size < 1000
    assert read_note(folder / "whole") is None


@pytest.mark.parametrize(("learned_on", "to"), [("part", "whole"), ("whole", "part")])
def test_carried_vectors_give_the_same_classes(folder, learned_on, to):
    language, task = (SparseVector.load(folder / f"{learned_on}-{kind}") for kind in ("language", "task"))
    carried = [deftx.lift(vector, folder / to) for vector in (language, task)]
    assert [one.lifted for one in carried] == [to == "whole"] * 2
    expected = compose(load_base(folder / learned_on), task=task, language=language)
    given = compose(load_base(folder / to), task=carried[1].vector, language=carried[0].vector)
    torch.testing.assert_close(given.classify(TEXTS), expected.classify(TEXTS), rtol=1e-5, atol=1e-5)


def test_a_lifted_vector_keeps_its_story(folder):
    vector, whole = SparseVector.load(folder / "part-language"), load_base(folder / "whole")
    lifted = deftx.lift(vector, whole).vector
    assert lifted.info["base"] == {"name": "whole", "revision": None, "fingerprint": whole.fingerprint}
    for name in ("k", "mask", "recipe", "singular_values", "rank", "scores", "corpus", "language"):
        assert lifted.info[name] == vector.info[name]
    kept, bias = read_note(folder / "part").kept, lifted.head["lm_head.bias"]
    assert bias[kept].equal(vector.head["lm_head.bias"])
    assert len(bias) == whole.model.config.vocab_size
    again = deftx.lift(lifted, folder / "part")
    assert not again.lifted
    assert not again.dropped
    assert again.vector.digest() == vector.digest()


def test_a_training_run_trims_the_base_and_gives_a_vector_of_the_whole_one(folder, tmp_path):
    whole, said = load_base(folder / "whole"), []
    before = {name: value.clone() for name, value in whole.model.state_dict().items()}
    vector = learn_language(
        folder / "text.txt", whole, tiny.language_recipe(trim=True), out=tmp_path / "v", language="min",
        delta=tmp_path / "delta", on_event=said.append,
    )  # fmt: skip
    assert all(value.equal(whole.model.state_dict()[name]) for name, value in before.items())
    on_part = SparseVector.load(folder / "part-language")
    lifted = deftx.lift(on_part, whole).vector
    assert vector.info["base"]["fingerprint"] == whole.fingerprint
    assert vector.count == lifted.count
    for name, positions in lifted.positions.items():
        assert vector.positions[name].equal(positions)
        assert vector.values[name].equal(lifted.values[name])
    assert any("trimmed to the text" in (event.message or "") for event in said)
    classifier = compose(whole, task=folder / "whole-task", language=tmp_path / "v")
    assert classifier.classify(TEXTS).shape == (3, len(classifier.labels))


def test_lowering_counts_what_has_no_place(folder):
    vector = SparseVector.load(folder / "whole-task")
    words = "roberta.embeddings.word_embeddings.weight"
    note, width = read_note(folder / "part"), 32
    vector.shapes[words] = (note.parent_rows, width)
    spread = torch.arange(0, note.parent_rows * width, width // 2)  # in every row
    vector.positions[words], vector.values[words] = spread, torch.ones(len(spread))
    carried = deftx.lift(vector, folder / "part")
    assert carried.dropped == 2 * (note.parent_rows - len(note.kept))
    assert carried.vector.info["k"] == carried.vector.count == vector.count - carried.dropped
    assert sum(carried.vector.info["mask"].values()) == carried.vector.count


def test_vectors_of_other_bases_are_refused(folder, tmp_path):
    other = tiny.make_base(tmp_path / "other", seed=5)
    with pytest.raises(VectorError, match=r"trimmed from .*whole, not from"):
        deftx.lift(folder / "part-task", other)
    with pytest.raises(VectorError, match="cannot be converted to"):
        deftx.lift(folder / "whole-task", other)
    with pytest.raises(VectorError, match="--trimmed DIR"):
        deftx.lift(make_vector(), folder / "whole")
    with pytest.raises(VectorError, match="were changed after it was trimmed"):
        deftx.lift(make_vector(), folder / "whole", trimmed=folder / "part")


def test_a_damaged_note_is_refused(folder, tmp_path):
    tiny.make_base(tmp_path / "base")
    note = json.loads((folder / "part" / NOTE).read_text())
    for damaged in ("{", "[]", json.dumps(note | {"format_version": 2}), json.dumps(note | {"kept": "/w=="})):
        (tmp_path / "base" / NOTE).write_text(damaged)
        with pytest.raises(BaseModelError, match="cannot be read"):
            read_note(tmp_path / "base")


def test_a_vector_of_a_base_that_keeps_all_pieces_is_lifted_too(folder):
    whole = load_base(folder / "whole")
    pieces = list(whole.tokenizer.get_vocab())
    same = trimmed_base(replace(whole, revision="0123"), [" ".join(pieces)], most=len(pieces))
    assert (same.revision, same.trimmed.parent_revision) == (None, "0123")  # it is not what the Hub has
    assert same.fingerprint == whole.fingerprint
    vector = SparseVector.load(folder / "whole-language")
    vector = replace(vector, info={**vector.info, "trimmed": same.trimmed.to_dict()})
    assert deftx.lift(vector, whole).dropped == 0


def test_a_base_that_the_vector_itself_names_is_not_looked_for(folder, monkeypatch):
    """Its folder may be gone when a long training ends."""
    vector, whole = SparseVector.load(folder / "part-language"), load_base(folder / "whole")
    monkeypatch.setattr("deftx.vectors.lifting.find_base", lambda name: pytest.fail(f"{name} was looked for"))
    assert deftx.lift(vector, whole).lifted


def test_a_repository_that_is_gone_is_said(monkeypatch):
    def gone(*given, **options):
        raise OSError("someone/gone is not a local folder")

    monkeypatch.setattr("deftx.models.trim_note.cached_file", gone)
    with pytest.raises(BaseModelError, match="The base someone/gone cannot be found"):
        read_note("someone/gone")


def test_bases_that_are_gone_are_named_and_those_loaded_before_are_not_needed(folder, tmp_path, monkeypatch):
    def gone(*given, **options):
        raise OSError("it is not a local folder")

    whole, strange = load_base(folder / "whole"), make_vector()
    elsewhere = replace(strange, info={**strange.info, "base": {**strange.info["base"], "name": "someone/gone"}})
    monkeypatch.setattr("deftx.models.trim_note.cached_file", gone)
    for base in (whole, replace(whole, name="other/gone"), replace(whole, name=str(tmp_path / "gone"))):
        with pytest.raises(VectorError, match="it was made for someone/gone, and"):
            deftx.lift(elsewhere, base)


def test_a_list_of_ends_is_trimmed_too(folder):
    whole = load_base(folder / "whole").model
    whole.config.eos_token_id = [2, 9, 5]
    small = trim_model(whole, torch.tensor([0, 1, 2, 3, 7, 9]))
    assert small.config.eos_token_id == [2, 5]
    assert whole.config.eos_token_id == [2, 9, 5]
    whole.config.eos_token_id = [5]
    assert trim_model(whole, torch.tensor([0, 1, 2, 3])).config.eos_token_id is None


def test_impossible_requests_are_refused(folder, tmp_path):
    with pytest.raises(RecipeError, match="not an empty folder"):
        deftx.trim(folder / "whole", folder / "text.txt", out=folder)
    with pytest.raises(RecipeError, match="integers, 1 or more"):
        deftx.trim(folder / "whole", folder / "text.txt", out=tmp_path / "out", least=0)


def test_the_commands_say_what_they_did(folder, tmp_path, capsys):
    whole, part, text = (str(folder / name) for name in ("whole", "part", "text.txt"))
    assert main(["trim", whole, text, "--out", str(tmp_path / "part"), "--pieces", "10"]) == 0
    assert "tokens per word" in capsys.readouterr().out
    (tmp_path / "old.txt").write_text("thé day\n", encoding="cp1252")
    arguments = ["trim", whole, str(tmp_path / "old.txt"), "--out", str(tmp_path / "old"), "--min-count", "1"]
    assert main(arguments) == 2
    assert "--encoding cp1252" in capsys.readouterr().err
    assert main([*arguments, "--encoding", "cp1252"]) == 0
    capsys.readouterr()
    assert main(["lift", str(folder / "part-language"), "--to", whole, "--out", str(tmp_path / "lifted")]) == 0
    assert "lifted to" in capsys.readouterr().out
    assert SparseVector.load(tmp_path / "lifted").info["base"]["name"] == "whole"
    status = main(["lift", str(tmp_path / "lifted"), "--to", part, "--out", str(tmp_path / "back"), "--json"])
    assert status == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == 0
    assert main(["lift", str(tmp_path / "lifted"), "--to", whole, "--out", str(tmp_path / "no")]) == 2
    assert "nothing needs converting" in capsys.readouterr().err
    assert main(["lift", str(folder / "part-task"), "--to", part, "--out", str(tmp_path / "no")]) == 2
    assert "/part itself, so nothing needs converting" in capsys.readouterr().err
