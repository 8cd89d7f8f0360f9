"""The commands with a task that tags words: train, evaluate, classify, export, and what is refused."""

import json

import pytest
import tiny
import tiny_tokens

from deftx.cli import main

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


def test_export(run, made):
    said = run("export", "--task", "@v", "--out", "@exported").out
    assert 'pipeline("token-classification"' in said
    config = json.loads((made / "exported" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["XLMRobertaForTokenClassification"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "@texts.csv", "--task", "@v"], "tags words"),
        (["evaluate", "@parts.conllu", "--task", "@v"], "finds names"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--metric", "entity"], "Did you mean"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--rename", "a=b"], "--rename"),
        (["evaluate", "@rows.jsonl", "--task", "@v", "--kind", "sentences"], "words with tags"),
        (["classify", "--file", "@texts.csv", "--out", "@out.csv", "--task", "@v"], "tags words"),
        (["classify", "--notes", "--task", "@v", "x"], "--notes"),
        (["export", "--space", "--task", "@v", "--out", "@space"], "a Space"),
    ],
)
def test_what_is_refused(run, words, message):
    assert message in run(*words, expect=2).err


def test_a_task_on_sentences_refuses_words(run, task_vector):
    assert "does not tag words" in run("evaluate", "@rows.jsonl", "--task", str(task_vector), expect=2).err
