"""The command line: what it prints where, how it exits, and that a stop costs nothing."""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from forked import Program
from job_helpers import wait_for
from sklearn.metrics import accuracy_score, f1_score

from deftx import __version__
from deftx.classify.composition import compose
from deftx.cli import main
from deftx.commands import output
from deftx.data.languages import register
from deftx.vectors.vector import SparseVector

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "audit",
    "nearest",
    "advise",
    "language",
    "task",
    "spectrum",
    "overlap",
    "classify",
    "evaluate",
    "export",
    "import",
)
FAST = ("--k", "60", "--set", "precision=float32", "batch_size=4", "max_length=16", "min_steps=0", "evaluate_every=3",
        "learning_rate=0.002", "sparse_learning_rate=none")  # fmt: skip
SIX = (*FAST, "max_steps=6")


@pytest.fixture
def deftx(capsys, base_folder):
    """Run a command with the tiny base in this process; return (exit status, stdout, stderr)."""

    def run(*arguments, base=base_folder):
        capsys.readouterr()
        base = ("--base", str(base)) if base and arguments[0] not in ("spectrum", "overlap") else ()
        try:
            status = main([*map(str, arguments), *base])
        except SystemExit as ended:
            status = ended.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def learned(task_vector, language_vector):
    return ("--task", str(task_vector), "--language", str(language_vector))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(deftx, command):
    status, out, err = deftx(command, "--help", base=None)
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: deftx {command}")


def test_version_and_the_commands_are_told(deftx):
    assert deftx("--version", base=None) == (0, f"deftx {__version__}\n", "")
    out = deftx("--help", base=None)[1]
    assert all(f"    {command} " in out for command in COMMANDS)


def test_a_language_vector_is_learned_and_reported(deftx, corpus_file, tmp_path):
    out_folder = tmp_path / "v"
    arguments = ("language", corpus_file, "--out", out_folder, "--language", "min", "--rank", "uniform:4", *SIX)
    status, out, err = deftx(*arguments, "--json")
    assert status == 0, err
    report, info = json.loads(out), SparseVector.load(out_folder).info
    assert report["vector"] == str(out_folder)
    assert (report["kind"], report["language"], report["k"], report["seed"]) == ("language", "min", 60, 42)
    assert report["scores"]["masked_lm_loss"] == info["scores"]["masked_lm_loss"]
    assert report["rank"]["strategy"] == "uniform:4"
    assert sum(report["mask"].values()) == 60
    for phase in ("dense", "denoise", "select", "sparse", "evaluate"):
        assert f"\n{phase} " in err
    assert " left" in err


def test_a_task_vector_is_learned_with_a_validation_file_and_a_source(deftx, table_file, language_vector, tmp_path):
    arguments = ("task", table_file, "--valid", table_file, "--source", language_vector, "--out", tmp_path / "v")
    status, out, err = deftx(*arguments, "--method", "lt-sft", *SIX)
    assert status == 0, err
    assert "f1: 0." in out
    assert "a task vector of 60 entries" in out
    assert "whose text is also in" in err  # rows shared by train and validation
    info = SparseVector.load(tmp_path / "v").info
    assert (info["method"], info["recipe"]["rank"], info["corpus"]["source"]) == (
        "lt-sft", "variance:0.9", "min language vector",
    )  # fmt: skip


def test_evaluate_is_scikit_learns_score_with_the_contracts_keys(deftx, base, learned, table_file, task_vector):
    status, out, _ = deftx("evaluate", *learned, table_file, "--json")
    found = json.loads(out)
    assert status == 0
    assert list(found)[:7] == ["metric", "score", "low", "high", "n", "labels", "confusion"]
    with table_file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    classifier = compose(base, task=learned[1], language=learned[3])
    predicted, gold = classifier.predict([row["text"] for row in rows]), [row["label"] for row in rows]
    assert found["score"] == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert found["n"] == len(rows) == sum(map(sum, found["confusion"]))
    assert 0 <= found["low"] <= found["score"] <= found["high"] <= 1
    accuracy = json.loads(deftx("evaluate", *learned, table_file, "--metric", "accuracy", "--json")[1])
    assert accuracy["score"] == pytest.approx(accuracy_score(gold, predicted))
    text = deftx("evaluate", "--task", task_vector, table_file)[1]
    assert "macro-F1" in text
    assert "gold \\ predicted" in text


def test_labels_and_metrics_that_do_not_exist_are_refused_before_a_text_is_classified(
    deftx, learned, table_file, tmp_path, monkeypatch
):
    monkeypatch.setattr("deftx.classify.classifier.Classifier.classify", None)
    neutral = tiny.write_csv(
        tmp_path / "neutral.csv", ("text", "label"), [("the day", "neutral"), ("the night", "positive")]
    )
    for words, said in (((neutral,), "label 'neutral'"), ((table_file, "--metric", "f2"), "Did you mean 'f1'")):
        status, _, err = deftx("evaluate", *learned, *words)
        assert (status, said in err) == (2, True), err


def test_labels_of_a_test_file_are_renamed(deftx, learned, table_file, tmp_path):
    with table_file.open(newline="") as stream:
        rows = [(row["text"], row["label"][:3]) for row in csv.DictReader(stream)]
    short = tiny.write_csv(tmp_path / "short.csv", ("text", "label"), [*rows, ("the day", "mixed")])
    names = ("--rename", "pos=positive", "--rename", "neg=negative", "--rename", "mixed=")
    assert (
        deftx("evaluate", *learned, short, "--json", *names)[1] == deftx("evaluate", *learned, table_file, "--json")[1]
    )
    assert "pos=positive" in deftx("evaluate", *learned, short, "--rename", "pos")[2]


def test_texts_are_classified(deftx, base, learned):
    texts = ["the day is good", "the night was awful"]
    status, out, err = deftx("classify", *learned, *texts, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    expected = compose(base, task=learned[1], language=learned[3]).classify(texts).tolist()
    assert [one["text"] for one in found] == texts
    for one, row in zip(found, expected, strict=True):
        assert list(one["probabilities"].values()) == pytest.approx(row)
        assert one["probabilities"][one["label"]] == max(row)
    assert "negative  positive" in deftx("classify", *learned, *texts)[1]


def test_what_speaks_against_an_answer_is_said_on_request(deftx, learned):
    texts = ["the day is good", "good"]
    status, out, err = deftx("classify", *learned, *texts, "--json", "--notes")
    found = json.loads(out)
    assert status == 0
    assert found[1]["notes"][0]["kind"] == "short"
    assert found[1]["notes"][0]["says"] == "Too short to tell: 1 of at least 3 words."
    assert "note: 'good': Too short to tell" in err
    plain = json.loads(deftx("classify", *learned, *texts, "--json")[1])
    assert plain == [{name: value for name, value in one.items() if name != "notes"} for one in found]
    assert deftx("classify", *learned, "--file", "a.csv", "--out", "b.csv", "--notes")[0] == 2


def test_vectors_are_merged_with_strengths_and_a_method(deftx, base, task_vector, language_vector):
    composed = compose(base, task=task_vector, strength_task=0.5, languages=[(language_vector, 0.2), (language_vector, 2.0)],
                       method="ties", parameters={"keep": 0.4})  # fmt: skip
    vectors = ("--task", task_vector, "--language", language_vector, "--language", language_vector)
    strengths = ("--strength-task", 0.5, "--strength-language", 0.2, "--strength-language", 2)
    status, out, err = deftx(
        "classify", *vectors, *strengths, "--merge", "ties", "--merge-set", "keep=0.4", "the day is good", "--json"
    )
    assert status == 0, err
    found = json.loads(out)[0]["probabilities"]
    assert list(found.values()) == composed.classify(["the day is good"])[0].tolist()
    assert f"{composed.report.conflicts:,} in opposite directions" in err
    assert err.count(" in effect") == 3
    for wrong, reason in (
        (("--merge", "tise"), "Did you mean 'ties'"),
        (("--merge-set", "keep"), "keep=0.5"),
        (("--strength-language", "1", "--strength-language", "1", "--strength-language", "1"), "give one for each"),
    ):
        status, _, err = deftx("classify", *vectors, *wrong, "the day")
        assert (status, err.count("\n")) == (2, 1)
        assert reason in err


def test_a_file_is_classified_into_another(deftx, learned, tmp_path):
    rows = [("1", "the day is good"), ("2", ""), ("3", "the night, was awful")]
    source = tiny.write_csv(tmp_path / "in.csv", ("id", "text"), rows)
    status, out, _ = deftx("classify", *learned, "--file", source, "--out", tmp_path / "out.csv", "--json")
    assert (status, json.loads(out)["n"]) == (0, 2)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(row["id"], row["text"]) for row in found] == rows
    assert [row["label"] for row in found][1] == ""
    assert float(found[0]["probability_positive"]) + float(found[0]["probability_negative"]) == pytest.approx(
        1, abs=2e-6
    )
    before = source.read_text()
    status, _, err = deftx("classify", *learned, "--file", source, "--out", source)
    assert (status, "overwrite" in err, source.read_text()) == (2, True, before)


def test_spectrum_shows_vectors_and_kept_changes(deftx, corpus_file, tmp_path):
    learning = ("language", corpus_file, "--out", tmp_path / "v", "--delta", tmp_path / "d", *SIX)
    assert deftx(*learning)[0] == 0
    of_vector, of_delta = (json.loads(deftx("spectrum", tmp_path / n, "--json")[1])["matrices"] for n in ("v", "d"))
    assert of_vector.keys() == of_delta.keys()
    name = "roberta.embeddings.word_embeddings.weight"
    assert set(of_vector[name]) == {
        "shape", "singular_values", "noise_edge", "ranks", "energy_kept", "noise_ranks", "chosen",
    }  # fmt: skip
    assert of_vector[name]["ranks"]["variance:0.9"] == of_vector[name]["chosen"]
    status, out, _ = deftx("spectrum", tmp_path / "v", "--rank", "none", "uniform:7", "none")
    assert status == 0
    assert "uniform:7" in out.splitlines()[1]


def test_overlap_is_a_matrix_in_total_and_by_layer(deftx, task_vector, language_vector):
    status, out, _ = deftx("overlap", task_vector, language_vector, task_vector, "--json")
    found = json.loads(out)
    assert status == 0
    assert [found["overlap"][n][n] for n in range(3)] == [1, 1, 1]
    assert found["overlap"][0][2] == 1
    assert found["overlap"][0][1] == found["overlap"][1][0] < 1
    assert "layer 1" in found["layers"][f"{task_vector} – {language_vector}"]
    assert found["signs"][0][2] == 1
    assert 0 < found["chance"][0][1] < 1
    assert {"query", "output"} <= set(found["pairs"][0]["kinds"])
    told = deftx("overlap", task_vector, language_vector)[1]
    assert [title for title in ("per layer", "per kind", "by chance", "same sign") if title not in told] == []


def test_export_writes_a_plain_folder(deftx, learned, tmp_path):
    status, out, _ = deftx("export", *learned, "--out", tmp_path / "plain", "--json")
    assert (status, json.loads(out)["labels"]) == (0, ["negative", "positive"])
    assert (tmp_path / "plain" / "model.safetensors").is_file()
    assert 'pipeline("text-classification", "plain", truncation=True)' in (tmp_path / "plain" / "README.md").read_text()
    assert deftx("export", *learned, "--out", tmp_path / "plain")[0] == 2


def test_the_line_that_export_prints_gives_what_classify_gives_for_any_text(deftx, learned, tmp_path):
    import transformers

    texts = ["the food is good", " the night\nwas awful\r\n", " ".join(tiny.WORDS[:30] * 3)]  # the last: too long
    expected = [one["probabilities"] for one in json.loads(deftx("classify", *learned, *texts, "--json")[1])]
    line = deftx("export", *learned, "--out", tmp_path / "it's plain")[1].split("load it with ")[1]
    pipeline = eval(line, {"transformers": transformers})
    for text, wanted in zip(texts, expected, strict=True):
        assert {one["label"]: one["score"] for one in pipeline(text, top_k=None)} == pytest.approx(wanted, abs=1e-5)


def test_spaces_around_a_text_and_line_breaks_in_it_change_no_probability_at_any_door(deftx, learned, tmp_path):
    plain, spaced = "the food is good", "\n the food\r\nis good \u2028\n"
    rows = tiny.write_csv(tmp_path / "rows.csv", ("text",), [(plain,), (spaced,)])
    assert deftx("classify", *learned, "--file", rows, "--out", tmp_path / "out.csv")[0] == 0
    with (tmp_path / "out.csv").open(newline="") as stream:
        from_file = [float(row["probability_positive"]) for row in csv.DictReader(stream)]
    told = json.loads(deftx("classify", *learned, plain, spaced, "--json")[1])
    given = [one["probabilities"]["positive"] for one in told]
    assert given[0] == given[1] == pytest.approx(from_file[0], abs=1e-6)
    assert from_file[0] == from_file[1]


def test_export_writes_a_space(deftx, learned, tmp_path):
    status, out, _ = deftx("export", *learned, "--out", tmp_path / "my-space", "--space", "--json")
    assert (status, json.loads(out)["space"]) == (0, True)
    assert json.loads((tmp_path / "my-space" / "about.json").read_text())["title"] == "my-space"
    assert (tmp_path / "my-space" / "model" / "model.safetensors").is_file()
    status, _, err = deftx("export", *learned, "--out", tmp_path / "my-space", "--space")
    assert (status, "is not an empty folder" in err) == (2, True)


def test_a_published_vector_is_imported(deftx, lt_sft_traces, tmp_path):
    arguments = ("import", lt_sft_traces / "plain", "--out", tmp_path / "v", "--language", "en", "--json")
    status, out, err = deftx(*arguments, base=lt_sft_traces / "base")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["kind"], found["language"], found["k"]) == ("language", "en", SparseVector.load(tmp_path / "v").count)


def test_audit_says_what_the_text_is(deftx, corpus_file):
    status, out, _ = deftx("audit", corpus_file, "--json")
    assert (status, json.loads(out)["lines"]) == (0, 200)


def test_nearest_names_the_known_languages_in_order(deftx, tmp_path):
    (tmp_path / "min.txt").write_text("Rancak bana hotel ko.\nMakanannyo lamak bana.\n" * 5, encoding="utf-8")
    status, out, _ = deftx("nearest", tmp_path / "min.txt", "--json")
    found = json.loads(out)
    assert (status, found[0]["code"], found[0]["pieces"]) == (0, "min", None)  # the tiny base's pieces are not known
    assert [near["letters"] for near in found] == sorted((near["letters"] for near in found), reverse=True)
    _, shown, _ = deftx("nearest", tmp_path / "min.txt")
    assert "Minangkabau" in shown.splitlines()[1]


def test_nearest_knows_the_languages_that_were_registered(deftx, tmp_path, monkeypatch):
    monkeypatch.setenv("DEFTX_HOME", str(tmp_path))
    lines = [f"gru{n % 7} brax vol{n % 5} dren kith" for n in range(300)]
    register(tmp_path / "languages", "xaa", "Made up", lines)
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    assert json.loads(deftx("nearest", tmp_path / "text.txt", "--json")[1])[0]["code"] == "xaa"


@pytest.mark.slow
def test_advise_compares_bases_languages_and_amounts(deftx, corpus_file, base_folder):
    status, out, err = deftx("advise", corpus_file, "--device", "cpu", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["best"] == str(base_folder)
    assert {"bases", "relatives", "amount"} <= found.keys()
    _, shown, _ = deftx("advise", corpus_file, "--device", "cpu")
    assert "Best on this machine" in shown
    assert "was not measured" in shown
    assert f"{'jhu-clsp/mmBERT-base':20}" in shown


# What a person got wrong, and a word that the one line about it must hold.
WRONG = {
    "no command": ((), "required"),
    "unknown command": (("langage",), "invalid choice"),
    "no such corpus": (("language", "missing.txt", "--out", "v"), "missing.txt"),
    "unknown preset": (("language", "CORPUS", "--out", "v", "--preset", "quik"), "Did you mean 'quick'"),
    "unknown rank": (("language", "CORPUS", "--out", "v", "--rank", "varianse:0.9"), "Did you mean"),
    "unknown method": (("language", "CORPUS", "--out", "v", "--method", "deft"), "deft-x"),
    "unknown ablation": (("language", "CORPUS", "--out", "v", "--ablate", "retrain"), "no-retrain"),
    "unknown setting": (("language", "CORPUS", "--out", "v", "--set", "lerning_rate=1"), "Did you mean 'learning_rate'"),
    "a setting without value": (("language", "CORPUS", "--out", "v", "--set", "epochs"), "key=value"),
    "a value that is no number": (("language", "CORPUS", "--out", "v", "--k", "many"), "k = 'many'"),
    "a seed that is no number": (("language", "CORPUS", "--out", "v", "--seed", "x"), "--seed"),
    "keep out of range": (("language", "CORPUS", "--out", "v", "--keep", "5"), "keep = 5.0 is out of range"),
    "more entries than there are": (("language", "CORPUS", "--out", "v", "--k", "1e9"), "entries; choose from 1 to"),
    "a folder that is not empty": (("language", "CORPUS", "--out", "."), "not empty"),
    "a folder with a vector": (("language", "CORPUS", "--out", "LANGUAGE"), "already contains a vector"),
    "a folder of no user": (("language", "CORPUS", "--out", "~nosuchuser/v"), "names no user of this machine"),
    "δ in a folder of no user": (("language", "CORPUS", "--out", "v", "--delta", "~nosuchuser/d"), "names no user"),
    "an export to a folder of no user": (("export", "--task", "TASK", "--out", "~nosuchuser/x"), "names no user"),
    "corpora in a folder of no user": (("many", "~nosuchuser/x", "--out", "v"), "names no user"),
    "a device that is not there": (("audit", "CORPUS", "--device", "quantum"), "device 'quantum'"),
    "a table without columns": (("task", "CORPUS", "--out", "v"), "without columns"),
    "the wrong column": (("task", "columns.csv", "--out", "v"), "sentence"),
    "a single class": (("task", "single.csv", "--out", "v"), "nothing to learn"),
    "no such vector": (("classify", "--task", "nowhere", "a text"), "nowhere"),
    "no text": (("classify", "--task", "TASK"), "Give either texts"),
    "text and file": (("classify", "--task", "TASK", "a", "--file", "CORPUS", "--out", "x.csv"), "either texts to classify"),
    "file without out": (("classify", "--task", "TASK", "--file", "CORPUS"), "must be given together"),
    "the wrong kind": (("classify", "--task", "LANGUAGE", "a text"), "a task vector is needed"),
    "a strength that is no number": (("classify", "--task", "TASK", "--strength-task", "nan", "a"), "strength"),
    "an unknown metric": (("evaluate", "--task", "TASK", "TABLE", "--metric", "f2"), "Did you mean 'f1'"),
    "unknown labels": (("evaluate", "--task", "TASK", "labels.csv"), "label 'neutral'"),
    "pairs for a task on texts": (("evaluate", "--task", "TASK", "pairs.csv"), "classifies single texts"),
    "one vector to compare": (("overlap", "TASK"), "two or more"),
    "nothing with a spectrum": (("spectrum", "."), "vector"),
    "nothing to import": (("import", ".", "--out", "v"), "pytorch_diff.bin"),
    "a damaged vector": (("classify", "--task", "DAMAGED", "a text"), "damaged"),
}  # fmt: skip


@pytest.fixture
def desk(tmp_path, monkeypatch, corpus_file, table_file, task_vector, language_vector):
    """A working folder with good and bad files; gives what the words in capitals stand for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tiny.write_csv(tmp_path / "columns.csv", ("sentence", "class"), [("the day", "good")])
    tiny.write_csv(tmp_path / "single.csv", ("text", "label"), [("the day", "good"), ("the night", "good")])
    tiny.write_csv(tmp_path / "labels.csv", ("text", "label"), [("the day", "neutral"), ("the night", "positive")])
    tiny.write_csv(tmp_path / "pairs.csv", ("premise", "hypothesis", "label"), [("the day", "the night", "positive")])
    damaged = shutil.copytree(task_vector, tmp_path / "damaged")
    os.truncate(damaged / "vector.safetensors", 500)
    return {"CORPUS": corpus_file, "TABLE": table_file, "TASK": task_vector, "LANGUAGE": language_vector,
            "DAMAGED": damaged}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_is_answered_with_one_clear_line_and_status_2(deftx, desk, what, base_folder):
    words, expected = WRONG[what]
    arguments = [desk.get(word, word) for word in words]
    status, out, err = (
        deftx(*arguments, base=None if what in ("no command", "unknown command") else base_folder)
        if (arguments)
        else run_bare()
    )
    assert (status, out) == (2, ""), err
    said = [line for line in err.splitlines() if "error: " in line]
    assert len(said) == 1
    assert err.splitlines()[-1] == said[0]
    assert expected in said[0]
    assert "Traceback" not in err
    assert not Path("v", "vector.json").exists()


def run_bare():
    command = [sys.executable, "-m", "deftx"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_a_base_that_is_not_there_and_one_of_other_weights(deftx, desk, other_folder):
    for base, words in (("nusantara-e", "Did you mean"), ("columns.csv", "is a file"), (".", "no config.json")):
        status, out, err = deftx("classify", "--task", desk["TASK"], "a text", base=base)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert words in err
    status, _, err = deftx("classify", "--task", desk["TASK"], "a text", base=other_folder)
    assert (status, err.count("\n")) == (2, 1)
    assert "tiny-base" in err
    assert "other-base" in err


def stopping(monkeypatch, number, at="dense"):
    """Send this process a signal when a phase has begun."""
    show, sent = output.ProgressLine.__call__, []

    def listen(self, event):
        show(self, event)
        if event.phase == at and event.loss is not None and not sent:
            sent.append(number)
            signal.raise_signal(number)

    monkeypatch.setattr(output.ProgressLine, "__call__", listen)


@pytest.mark.parametrize(
    ("number", "at", "status"),
    [(signal.SIGINT, "dense", 1), (signal.SIGINT, "sparse", 1), (signal.SIGTERM, "dense", 143)],
)
def test_a_stopped_command_keeps_its_checkpoint_and_goes_on(
    deftx, corpus_file, language_vector, tmp_path, monkeypatch, number, at, status
):
    command = ("language", corpus_file, "--out", tmp_path / "v", *FAST, "max_steps=12", "epochs=100", "hold_out=0.05")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        stopping(patch, number, at)
        found, out, err = deftx(*command)
    assert (found, out) == (status, "")
    assert "Stopping: the checkpoint is being saved" in err
    assert f"in the {at} phase" in err.splitlines()[-1]
    assert (tmp_path / "v" / "run" / at / "checkpoint.safetensors").is_file()
    assert signal.getsignal(number) is before
    assert deftx(*command)[0] == 0
    assert SparseVector.load(tmp_path / "v").digest() == SparseVector.load(language_vector).digest()


def test_a_second_signal_does_not_wait(deftx, corpus_file, tmp_path, monkeypatch):
    def twice(self, event):
        if event.phase == "dense":
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(output.ProgressLine, "__call__", twice)
    status, _, err = deftx("language", corpus_file, "--out", tmp_path / "v", *SIX)
    assert (status, err.splitlines()[-1]) == (1, "error: Interrupted.")


def test_another_recipe_in_the_folder_of_an_unfinished_training_is_refused(deftx, corpus_file, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stopping(patch, signal.SIGINT)
        deftx("language", corpus_file, "--out", tmp_path / "v", *SIX)
    status, _, err = deftx("language", corpus_file, "--out", tmp_path / "v", *SIX, "--seed", "7")
    assert status == 2
    assert "seed: 42 before, 7 now" in err.splitlines()[-1]


DRIVER = """
import sys
import deftx.training.schedule
deftx.training.schedule.CHECKPOINT_SECONDS = 0.0
from deftx.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_killed_command_goes_on_to_the_same_vector(deftx, corpus_file, base_folder, tmp_path):
    def command(out):
        return ("language", corpus_file, "--out", tmp_path / out, *FAST, "max_steps=80")

    process = Program(DRIVER, *command("killed"), "--base", base_folder)
    checkpoint = tmp_path / "killed" / "run" / "sparse" / "checkpoint.safetensors"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None, "a checkpoint", pause=0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL, process.stderr
    assert not (tmp_path / "killed" / "vector.json").exists()
    assert deftx(*command("killed"))[0] == 0
    assert deftx(*command("whole"))[0] == 0
    one, other = (SparseVector.load(tmp_path / name) for name in ("killed", "whole"))
    assert one.digest() == other.digest()
    assert all(one.head[name].equal(other.head[name]) for name in one.head)


@pytest.mark.slow
def test_a_terminated_process_exits_with_143_and_says_so_on_stderr_alone(corpus_file, base_folder, tmp_path):
    arguments = ("language", corpus_file, "--out", tmp_path / "v", "--base", base_folder, *FAST, "max_steps=5000",
                 "epochs=10000", "--json")  # fmt: skip
    process = Program(DRIVER, *arguments)
    process.wait_for_line("dense")
    process.terminate()
    assert (process.wait(), process.stdout) == (143, ""), process.stderr
    assert "run the same command to continue" in process.stderr.splitlines()[-1]
    assert (tmp_path / "v" / "run" / "dense" / "checkpoint.safetensors").is_file()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (MemoryError(), "smaller batch_size"),
        (RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"), "smaller batch_size"),
    ],
)
def test_a_full_disk_or_memory_ends_with_advice_status_1_and_the_checkpoint(
    deftx, corpus_file, language_vector, tmp_path, monkeypatch, error, words
):
    from deftx.training import schedule
    from deftx.training.checkpoints import PhaseFolder

    save, saves = PhaseFolder.save, []

    def failing(self, *rest):
        saves.append(None)
        if len(saves) == 5:
            raise error
        save(self, *rest)

    command = ("language", corpus_file, "--out", tmp_path / "v", *FAST, "max_steps=12", "epochs=100", "hold_out=0.05")
    with monkeypatch.context() as patch:
        patch.setattr(schedule, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(PhaseFolder, "save", failing)
        status, out, err = deftx(*command)
    assert (status, out) == (1, "")
    assert words in err.splitlines()[-1]
    assert "continues from its last checkpoint" in err.splitlines()[-1]
    assert (tmp_path / "v" / "run" / "dense" / "checkpoint.safetensors").is_file()
    assert deftx(*command)[0] == 0
    assert SparseVector.load(tmp_path / "v").digest() == SparseVector.load(language_vector).digest()


def test_a_diverging_training_exits_with_1_and_says_what_to_change(deftx, corpus_file, tmp_path, monkeypatch):
    from deftx.training.language import LanguageObjective

    monkeypatch.setattr(LanguageObjective, "loss", lambda self, model, batch: model.lm_head.bias.sum() * float("nan"))
    status, out, err = deftx("language", corpus_file, "--out", tmp_path / "v", *SIX, "--set", "learning_rate=1")
    assert (status, out) == (1, "")
    assert "Lower the learning rate (it was 1)" in err.splitlines()[-1]


def test_an_error_in_the_program_itself_is_not_hidden(deftx, learned, monkeypatch):
    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("deftx.classify.classifier.class_logits", broken)
    with pytest.raises(RuntimeError):
        deftx("classify", *learned, "a text")


def test_columns_can_be_named_wherever_a_table_is_read(deftx, learned, tmp_path):
    table = tiny.write_csv(
        tmp_path / "t.csv", ("review", "stars"), [("the day is good", "positive"), ("the night was awful", "negative")]
    )
    named = ("--columns", "text=review", "label=stars")
    assert deftx("evaluate", *learned, table, "--json")[0] == 2
    status, out, err = deftx("evaluate", *learned, table, "--json", *named)
    assert (status, json.loads(out)["n"]) == (0, 2), err
    status, out, err = deftx(
        "classify", *learned, "--file", table, "--out", tmp_path / "o.csv", "--json", "--columns", "text=review"
    )
    assert (status, json.loads(out)["n"]) == (0, 2), err
    assert (
        "--column NAME" in deftx("audit", tiny.write_csv(tmp_path / "c.csv", ("a", "b"), [("the day", "the night")]))[2]
    )
    status, out, err = deftx("audit", tmp_path / "c.csv", "--column", "b", "--json")
    assert (status, json.loads(out)["words"]) == (0, 2), err


def test_texts_that_are_too_long_are_counted(deftx, learned):
    long = "the day is good " * 200
    status, _, err = deftx("classify", *learned, long, "the day")
    assert status == 0
    assert "1 of 2 texts have more than" in err
