"""The commands with a task that answers questions: train, evaluate, answer, export, and what is refused."""

import json

import pytest
import tiny
import tiny_answers
import tiny_questions
import tiny_tokens

from deftx.cli import main

SETTINGS = [*(f"{name}={value}" for name, value in tiny_answers.SETTINGS.items()), "precision=float32", "epochs=60"]


@pytest.fixture(scope="module")
def made(base_folder, tmp_path_factory):
    """A folder with files of questions and a vector that was trained on one of them by the command."""
    folder = tmp_path_factory.mktemp("cli-questions")
    tiny_questions.write_squad(folder / "rows.json", tiny_questions.paragraphs(unanswerable=True))
    tiny_questions.write_squad(folder / "valid.json", tiny_questions.paragraphs(unanswerable=True)[::5])
    tiny_questions.write_squad(folder / "answered.json", tiny_questions.paragraphs())
    tiny.write_csv(folder / "texts.csv", ("text", "label"), tiny.labelled_rows())
    tiny_tokens.write_jsonl(folder / "words.jsonl", tiny_tokens.rows())
    (folder / "context.txt").write_text("this the day\n was bitter not\n", encoding="utf-8")
    arguments = ["task", str(folder / "rows.json"), "--out", str(folder / "v"), "--valid", str(folder / "valid.json")]
    assert main([*arguments, "--base", str(base_folder), "--device", "cpu", "--set", *SETTINGS]) == 0
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
    found = json.loads(run("evaluate", "@rows.json", "--task", "@v", "--json").out)
    assert found["metric"] == "answer_f1"
    assert found["score"] > 0.9
    assert (found["n"], found["paragraphs"]) == (192, 192)
    assert (found["has_answer"]["n"], found["no_answer"]["n"]) == (96, 96)
    said = run("evaluate", "@rows.json", "--task", "@v", "--metric", "accuracy").out
    assert "exact match of answers" in said
    assert "192 questions on 192 texts" in said
    assert "without one" in said


def test_answer(run, made):
    (found,) = json.loads(run("answer", "very the", "--context", "@context.txt", "--task", "@v", "--json").out)
    assert (found["question"], found["answer"]) == ("very the", "bitter")
    best = found["answers"][0]
    assert best["text"] == found["context"][best["start"] : best["end"]] == "bitter"
    assert 0 < found["no_answer"] < found["answers"][0]["probability"]
    (made / "old.txt").write_bytes("this the day was bitter not; café".encode("cp1252"))
    options = ("--context", "@old.txt", "--task", "@v", "--encoding", "cp1252", "--json")
    assert json.loads(run("answer", "very the", *options).out)[0]["answer"] == "bitter"
    said = run("answer", "very the", "this", "--context", "@context.txt", "--task", "@v").out
    assert said.splitlines()[0].split() == ["question", "answer", "probability", "from", "to"]
    assert said.splitlines()[1].split()[:2] == ["1", "bitter"]


def test_a_file_is_answered_as_the_official_script_reads_it(run, made):
    found = json.loads(run("answer", "--file", "@rows.json", "--out", "@out.json", "--task", "@v", "--json").out)
    assert (found["n"], found["no_answer"]) == (192, 96)
    answers = json.loads((made / "out.json").read_text(encoding="utf-8"))
    gold = {one["id"]: (one["answers"] or [{"text": ""}])[0]["text"]
            for part in tiny_questions.paragraphs(unanswerable=True) for one in part["qas"]}  # fmt: skip
    assert answers == gold


def test_export(run, made):
    assert "AutoModelForQuestionAnswering" in run("export", "--task", "@v", "--out", "@exported").out
    config = json.loads((made / "exported" / "config.json").read_text(encoding="utf-8"))
    assert config["architectures"] == ["XLMRobertaForQuestionAnswering"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["evaluate", "@texts.csv", "--task", "@v"], "answers questions: use `answer`"),
        (["evaluate", "@words.jsonl", "--task", "@v"], "does not tag words"),
        (["evaluate", "@rows.json", "--task", "@v", "--metric", "exact"], "Did you mean"),
        (["evaluate", "@rows.json", "--task", "@v", "--rename", "a=b"], "--rename"),
        (["evaluate", "@rows.json", "--task", "@v", "--kind", "sentences"], "not of a supported type"),
        (["classify", "--file", "@texts.csv", "--out", "@out.csv", "--task", "@v"], "use `answer`"),
        (["classify", "--task", "@v", "x"], "does not classify texts"),
        (["answer", "--task", "@v"], "Give either questions"),
        (["answer", "x", "--task", "@v"], "--context"),
        (["answer", "--file", "@rows.json", "--task", "@v"], "--out"),
        (["answer", "--file", "@rows.json", "--out", "@rows.json", "--task", "@v"], "overwrite"),
        (["answer", "--file", "@texts.csv", "--out", "@out.json", "--task", "@v"], "not JSON"),
        (["export", "--space", "--task", "@v", "--out", "@space"], "a Space"),
        (["export", "--onnx", "--task", "@v", "--out", "@graph"], "a graph of ONNX"),
    ],
)
def test_what_is_refused(run, words, message):
    assert message in run(*words, expect=2).err


def test_questions_with_the_same_id(run, made):
    tiny_questions.write_squad(made / "twice.json", tiny_questions.paragraphs()[:1] * 2)
    assert "same id" in run("answer", "--file", "@twice.json", "--out", "@o.json", "--task", "@v", expect=2).err


def test_a_task_on_sentences_refuses_questions(run, task_vector):
    assert "answers no questions" in run("evaluate", "@rows.json", "--task", str(task_vector), expect=2).err
    said = run("answer", "x", "--context", "@context.txt", "--task", str(task_vector), expect=2).err
    assert "answers no questions" in said
