"""The commands with a task that tags words: train, evaluate, classify, export, and what is refused."""

import csv
import json

import openpyxl
import pytest
import regex
import tiny
import tiny_tokens

from deftx.cli import main
from deftx.data.token_tables import read_tokens
from deftx.models.windows import split_words

SETTINGS = ["precision=float32", "batch_size=16", "max_length=16", "learning_rate=5e-3", "epochs=60", "max_steps=60",
            "evaluate_every=20", "k=3000"]  # fmt: skip


@pytest.fixture(scope="module")
def made(base_folder, tmp_path_factory):
    """A folder with a file of words and a vector that was trained on it by the command."""
    folder = tmp_path_factory.mktemp("cli-tokens")
    tiny_tokens.write_jsonl(folder / "rows.jsonl", tiny_tokens.rows())
    tiny_tokens.write_conllu(folder / "parts.conllu", tiny_tokens.rows(tiny_tokens.PARTS))
    tiny.write_csv(folder / "texts.csv", ("text", "label"), tiny.labelled_rows())
    arguments = ["task", str(folder / "rows.jsonl"), "--out", str(folder / "v"), "--base", str(base_folder)]
    assert main([*arguments, "--device", "cpu", "--set", *SETTINGS]) == 0
    return folder


@pytest.fixture
def run(made, base_folder, capsys):
    def command(*words, expect=0):
        given = [str(made / word[1:]) if word.startswith("@") else word for word in words]
        assert main([*given, "--base", str(base_folder), "--device", "cpu"]) == expect
        return capsys.readouterr()

    return command


@pytest.mark.slow
def test_evaluate(run):
    found = json.loads(run("evaluate", "@rows.jsonl", "--task", "@v", "--json").out)
    assert found["metric"] == "entity_f1"
    assert found["score"] > 0.8
    assert found["low"] <= found["score"] <= found["high"]
    assert (found["n"], found["sentences"]) == (384, 96)
    assert {line["label"]: line["gold"] for line in found["lines"]} == {"MOOD": 48, "THING": 96}
    text = run("evaluate", "@rows.jsonl", "--task", "@v", "--metric", "accuracy").out
    assert "accuracy of words" in text
    assert "384 words in 96 sentences" in text


def test_classify(run):
    (found,) = json.loads(run("classify", "--task", "@v", "the night was bad", "--json").out)
    assert [(mark["label"], mark["text"]) for mark in found["marks"]] == [("THING", "night"), ("MOOD", "was bad")]
    assert "night" in run("classify", "--task", "@v", "the night was bad").out
    (seen,) = json.loads(run("classify", "--task", "@v", "the ni\u00adght was bad", "--json").out)
    assert seen == found


def test_a_file_of_texts_becomes_a_table_with_a_row_for_each_mark(run, made):
    (made / "in.csv").write_text("id,text\n1,the night was bad\n2,\n", encoding="utf-8")
    found = json.loads(run("classify", "--file", "@in.csv", "--out", "@out.csv", "--task", "@v", "--json").out)
    assert (found["n"], found["marks"], found["labels"]) == (1, 2, {"MOOD": 1, "THING": 1})
    with (made / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [list(row.values())[:6] for row in csv.DictReader(stream)]
    assert rows == [
        ["1", "the night was bad", "night", "THING", "4", "9"],
        ["1", "the night was bad", "was bad", "MOOD", "10", "17"],
        ["2", "", "", "", "", ""],
    ]


def test_what_is_left_out_of_a_file_is_said(run, made):
    book = openpyxl.Workbook()
    book.active.append(["text"])
    book.active.append(["the night was bad"])
    book.create_sheet("Notes").sheet_state = "hidden"
    book.save(made / "book.xlsx")
    said = run("classify", "--file", "@book.xlsx", "--out", "@out.csv", "--task", "@v").err
    assert "warning: book.xlsx: the hidden sheet Notes is left out." in said


def test_words_stay_as_they_are_and_what_is_written_can_be_read_as_a_labelled_file(run, made):
    (made / "words.conll").write_text("the\nnight\nwas\nbad\n\nthe\nday.\n", encoding="utf-8")
    assert "2 texts" in run("classify", "--file", "@words.conll", "--out", "@out.conll", "--task", "@v").out
    run("classify", "--file", "@words.conll", "--out", "@out.jsonl", "--task", "@v")
    columns, lines = (read_tokens(made / name) for name in ("out.conll", "out.jsonl"))
    assert columns.sentences == lines.sentences == [("the", "night", "was", "bad"), ("the", "day.")]
    assert columns.tags == lines.tags
    assert columns.tags[0] == ("O", "B-THING", "B-MOOD", "I-MOOD")
    first = json.loads((made / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [(mark["label"], first["text"][mark["start"] : mark["end"]]) for mark in first["marks"]] == [
        ("THING", "night"),
        ("MOOD", "was bad"),
    ]


def test_export(run, made):
    said = run("export", "--task", "@v", "--out", "@exported").out
    assert 'pipeline("token-classification"' in said
    config = json.loads((made / "exported" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["XLMRobertaForTokenClassification"]
    card, text = (made / "exported" / "README.md").read_text(encoding="utf-8"), "❤️ bagus\u200f. U.S.!"
    (pattern,) = regex.findall(r'findall\(r"(.+)", "', card)
    assert regex.findall(pattern, text) == [text[start:end] for start, end in split_words(text)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "@texts.csv", "--task", "@v"], "tags words"),
        (["evaluate", "@parts.conllu", "--task", "@v"], "finds names"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--metric", "entity"], "Did you mean"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--rename", "a=b"], "--rename"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--kind", "sentences"], "words with tags"),
        (["classify", "--file", "@texts.csv", "--out", "@out.txt", "--task", "@v"], ".csv, .jsonl, .conll or .conllu"),
        (["classify", "--file", "@texts.csv", "--out", "@out.conllu", "--task", "@v"], "none for names"),
        (["classify", "--file", "@texts.csv", "--out", "@out.csv", "--sure", "0.9", "--task", "@v"], "--sure"),
        (["classify", "--notes", "--task", "@v", "x"], "--notes"),
        (["export", "--space", "--task", "@v", "--out", "@space"], "a Space"),
    ],
)
def test_what_is_refused(run, words, message):
    assert message in run(*words, expect=2).err


def test_a_task_on_sentences_refuses_words(run, task_vector):
    assert "does not tag words" in run("evaluate", "@rows.jsonl", "--task", str(task_vector), expect=2).err
