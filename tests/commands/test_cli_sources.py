"""``task`` with several labelled files: which value belongs to which file, and that earlier commands mean the same."""

import json

import pytest
import tiny

from deftx.cli import build_parser, main
from deftx.commands import sources
from deftx.training.labelled_files import LabelledFile
from deftx.vectors.vector import SparseVector

FAST = ("--k", "60", "--set", "precision=float32", "batch_size=4", "max_length=16", "evaluate_every=3", "max_steps=6",
        "learning_rate=0.002", "sparse_learning_rate=none", "--device", "cpu")  # fmt: skip


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two labelled files and a word list in the current folder."""
    monkeypatch.chdir(tmp_path)
    tiny.write_csv(tmp_path / "A.csv", ("text", "label"), tiny.labelled_rows())
    tiny.write_csv(tmp_path / "B.csv", ("text", "label"), tiny.labelled_rows(("river", "song")))
    tiny.write_csv(tmp_path / "list.csv", ("word", "translation"), [("the", "word1"), ("is", "word2")])
    return tmp_path


def given(*words):
    return sources.given_in(build_parser().parse_args(["task", *words, "--out", "v"]))


def test_each_value_belongs_to_its_file():
    found = given("A.csv", "B.csv", "--source", "A=ind", "B=min", "--repeat", "B=10", "--lexicon", "A=x.csv")
    assert found == [
        LabelledFile(file="A.csv", source="ind", lexicon=("x.csv",)),
        LabelledFile(file="B.csv", source="min", repeat=10),
    ]
    found = given("--source", "B=min", "--lexicon", "A=x.csv", "--lexicon", "A=y.csv", "A.csv", "B.csv")
    assert found == [LabelledFile(file="A.csv", lexicon=("x.csv", "y.csv")), LabelledFile(file="B.csv", source="min")]


@pytest.mark.parametrize("words", [("A.csv", "--source", "ind"), ("--source", "ind", "A.csv"), ("--source=ind", "A.csv"),
                                   ("--source", "min", "--source", "ind", "A.csv"), ("A.csv", "--source", "A=ind")])  # fmt: skip
def test_one_file_has_one_vector_wherever_it_is_written(words):
    assert given(*words) == [LabelledFile(file="A.csv", source="ind")]


def test_a_file_after_its_vector_may_have_an_equals_sign(files):
    (files / "x=1.csv").write_text("text,label\n", encoding="utf-8")
    assert given("--source", "ind", "x=1.csv") == [LabelledFile(file="x=1.csv", source="ind")]


@pytest.mark.parametrize(("words", "message"), [
    ((), "required: TRAIN"),
    (("A.csv", "B.csv", "--source", "ind"), "write it as A=ind or B=ind"),
    (("A.csv", "B.csv", "--source", "C=ind"), "'C' is not known"),
    (("A.csv", "--repeat", "A=often"), "'often' is not a number"),
    (("A.csv", "--repeat", "0"), "repeat = 0"),
    (("A.csv", "--lexicon", "B.csv"), "not a word list"),
])  # fmt: skip
def test_what_does_not_fit_is_said_in_one_line(files, base_folder, capsys, words, message):
    try:
        status = main(["task", *words, "--out", "v", "--base", str(base_folder), "--device", "cpu"])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not (files / "v").exists()


def test_two_files_are_learned_with_their_vectors(files, base_folder, language_vector, capsys):
    arguments = ("task", "A.csv", "B.csv", "--source", f"B={language_vector}", "--repeat", "B=2", "--lexicon",
                 "A=list.csv", "--out", "v", "--base", str(base_folder), "--json", *FAST)  # fmt: skip
    assert main(list(arguments)) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["kind"] == "task"
    assert "list.csv translates" in printed.err
    trained = SparseVector.load(files / "v").info["corpus"]["trained_on"]
    assert [(s["file"], s["repeat"], s["source"], s["lexicons"]) for s in trained] == [
        ("A.csv", 1, None, ["list.csv"]), ("B.csv", 2, "min language vector", []),
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["task", "language"])
def test_a_word_list_is_read_in_the_encoding_of_the_command(files, base_folder, capsys, command):
    (files / "old.csv").write_text("word,translation\nthe,thé\n", encoding="cp1252")
    (files / "text.txt").write_text("\n".join(tiny.sentences(40)), encoding="utf-8")
    arguments = [command, {"task": "A.csv", "language": "text.txt"}[command], "--lexicon", "old.csv", "--out", "v", "--base",
                 str(base_folder), *FAST]  # fmt: skip
    assert main(arguments) == 2
    assert "--encoding cp1252" in capsys.readouterr().err
    assert main([*arguments, "--encoding", "cp1252"]) == 0
    assert "old.csv translates" in capsys.readouterr().err


def test_one_file_is_learned_as_before(files, base_folder, language_vector):
    shared = ("--base", str(base_folder), "--source", str(language_vector), *FAST)
    assert main(["task", "A.csv", "--out", "v", *shared]) == 0
    from deftx.models.bases import load_base
    from deftx.training.recipes import recipe_for
    from deftx.training.task import learn_task

    vector = SparseVector.load(files / "v")
    recipe = recipe_for("task", "quick").changed({**vector.info["recipe"]})
    same = learn_task("A.csv", load_base(base_folder, device="cpu"), recipe, out="w", source=language_vector)
    assert vector.digest() == same.digest()
    assert vector.info["corpus"] == same.info["corpus"]
    assert "trained_on" not in vector.info["corpus"]
