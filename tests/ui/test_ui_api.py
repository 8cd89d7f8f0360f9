"""The page as other programs see it: the named endpoints, over HTTP."""

import runpy
import zipfile
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from tiny_base import SHORT, finish_task_job, make_base, write_corpus
from transformers import AutoModelForSequenceClassification

from deftx.jobs import Scheduler, Store
from ui.page import build_page
from ui.studio import Studio

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "use_the_api.py"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    base = make_base(tmp_path_factory.mktemp("base"))
    store = Store(tmp_path_factory.mktemp("home"))
    finish_task_job(store, base)
    return Studio(str(base), store)


@pytest.fixture(scope="module")
def client(studio):
    page = build_page(studio)
    page.launch(prevent_thread_lock=True, quiet=True, run_history=False, _frontend=False)
    yield Client(page.local_url, verbose=False)
    page.close()


@pytest.mark.slow
def test_only_what_is_meant_for_programs_is_offered_and_described(client):
    named = set(client.view_api(return_format="dict")["named_endpoints"])
    assert named == {"/audit", "/train_language", "/train_task", "/job", "/jobs", "/cancel", "/resume", "/classify",
                     "/classify_file", "/evaluate", "/compose", "/library", "/export", "/overlap", "/spectrum"}  # fmt: skip
    documented = (EXAMPLE.parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in named if f"| `{name}` |" not in documented] == []


def test_a_program_audits_trains_and_watches(client, studio, tmp_path):
    corpus = write_corpus(tmp_path / "text.txt")
    found = client.predict(file=handle_file(corpus), corpus="", api_name="/audit")
    assert (found["corpus"], found["lines"]) == ("text.txt", 400)
    assert client.predict(file=None, corpus="text.txt", api_name="/audit") == found
    job = client.predict("text.txt", "Bugis", "bug", "quick", {"rank": "mp"}, api_name="/train_language")
    assert job["state"] == "waiting"
    assert job["seconds_expected"][0] > 0
    assert studio.store.get(job["id"]).settings["recipe"] == {"rank": "mp"}
    assert [one["name"] for one in client.predict(api_name="/jobs")] == ["Bugis", "Mood"]
    assert client.predict(job["id"], api_name="/cancel")["state"] == "stopped"
    assert client.predict(job["id"], api_name="/resume")["state"] == "waiting"
    assert client.predict(job["id"], api_name="/job")["name"] == "Bugis"
    studio.store.discard(job["id"])


def test_a_program_trains_a_task(client, studio):
    table = studio.store.root / "train.csv"
    options = {"preset": "quick", "recipe": {"k": 100}, "language": "ind"}
    job = client.predict(handle_file(table), None, "Mood again", options, api_name="/train_task")
    settings = studio.store.get(job["id"]).settings
    assert (job["kind"], settings["recipe"], settings["language"]) == ("task", {"k": 100}, "ind")
    assert settings["train"] == str(studio.tables.path("train.csv"))
    named = client.predict(None, None, "Named", {"train": "train.csv", "valid": "train.csv"}, api_name="/train_task")
    assert studio.store.get(named["id"]).settings["valid"] == settings["train"]
    for one in (job, named):
        studio.store.discard(one["id"])


def test_a_program_names_the_encoding_and_the_columns_of_its_files(client, studio, tmp_path):
    rows = "".join(f"{n};l’été {word};{label}\n" for n in range(4) for word, label in (("good", "ja"), ("bad", "nein")))
    table = tmp_path / "vieux.csv"
    table.write_bytes(f"n;critique;étoiles\n{rows}".encode("cp1252"))
    columns = {"text": "critique", "label": "étoiles"}
    options = {"columns": columns, "valid_columns": columns, "encoding": "cp1252"}
    job = client.predict(handle_file(table), handle_file(table), "Old", options, api_name="/train_task")
    assert studio.store.get(job["id"]).settings["columns"] == columns
    assert studio.tables.read("vieux.csv").texts[0] == "l’été good"
    studio.store.discard(job["id"])
    found = client.predict(handle_file(table), "", "critique", "cp1252", api_name="/audit")
    assert found["lines"] == 8
    key = f"job:{studio.store.list()[-1].id}"
    path, _ = client.predict(handle_file(table), key, "", {"text": "critique"}, "cp1252", api_name="/classify_file")
    assert "l’été good" in Path(path).read_text(encoding="utf-8-sig")
    with pytest.raises(AppError, match="UTF-8"):
        client.predict(handle_file(table), key, "", {"text": "critique"}, api_name="/classify_file")


def test_a_program_classifies(client, studio):
    key = f"job:{studio.store.list()[-1].id}"
    answer = client.predict("the food is good", key, "", api_name="/classify")
    composed = client.predict(key, ["the food is good"], {}, 1.0, "sum", {}, api_name="/compose")
    assert composed["probabilities"] == [answer["probabilities"]]
    assert composed["report"]["conflicts"] == 0
    long = "the food is good " * 300
    assert client.predict(key, ["the food", long], {}, 1.0, "sum", {}, api_name="/compose")["cut"] == [1]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_a_program_classifies_a_file(client, studio, tmp_path):
    key = f"job:{studio.store.list()[-1].id}"
    texts = tmp_path / "texts.csv"
    texts.write_text("n,review\n1,the food is good\n2,=the day\n", encoding="utf-8")
    path, found = client.predict(handle_file(texts), key, "", {"text": "review"}, api_name="/classify_file")
    rows = [line.split(",") for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    assert rows[0] == ["n", "review", "label", "probability_negative", "probability_positive"]
    assert rows[2][1] == "'=the day"  # no formula, whoever opens the file
    assert sum(map(float, rows[1][3:])) == pytest.approx(1, abs=1e-5)
    assert found["n"] == sum(found["labels"].values()) == 2


def test_a_program_scores_vectors_on_a_labelled_file(client, studio):
    key, table = f"job:{studio.store.list()[-1].id}", studio.store.root / "train.csv"
    found = client.predict(handle_file(table), key, "", None, api_name="/evaluate")
    assert [one["kind"] for one in found["combinations"]] == ["base", "task"]
    assert found["n"] == found["combinations"][1]["scores"]["f1"]["n"] == 16
    again = client.predict(None, key, "", {"table": found["table"], "labels": {}}, api_name="/evaluate")
    assert again == found


def test_a_program_lists_vectors_and_takes_a_classifier_away(client, studio, tmp_path):
    key = f"job:{studio.store.list()[-1].id}"
    found = {one["vector"]: one for one in client.predict("", "", api_name="/library")}
    assert (found[key]["labels"], found[key]["fits"], found[key]["k"]) == (["negative", "positive"], True, 50)
    assert found["bundled:min"]["fits"] is False
    assert [one["vector"] for one in client.predict("Mood", "task", api_name="/library")] == [key]
    with zipfile.ZipFile(client.predict(key, "", 1.0, 1.0, api_name="/export")) as archive:
        archive.extractall(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "classifier-Mood")
    assert list(model.config.id2label.values()) == ["negative", "positive"]


@pytest.mark.slow
def test_the_example_of_the_docs_runs(client, studio, tmp_path, capsys):
    """With real processes: the scheduler starts the worker that the example waits for."""
    task = f"job:{studio.store.list()[-1].id}"
    example = runpy.run_path(str(EXAMPLE))["main"]
    with Scheduler(studio.store, interval=0.1):
        found = example(
            client.src, str(write_corpus(tmp_path / "words.txt", lines=60)), "the food is good", task, **SHORT
        )
    assert sum(found.values()) == pytest.approx(1, abs=1e-6)
    assert "60 lines" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("/classify", ("", "job:x", ""), "type a sentence"),
        ("/classify", ("text", "../../etc", ""), "not known"),
        ("/compose", ("job:x", ["the food"], {}, 1.0, "tise", {}), "Did you mean 'ties'"),
        ("/audit", (None, "/etc/passwd"), "not known"),
        ("/train_language", ("sample:indonesian", "X", "", "quik", {}), "Did you mean 'quick'"),
        ("/train_language", ("sample:indonesian", "X", "", "quick", {"k": 10**9}), "selects 1,000,000,000"),
        ("/train_task", (None, None, "X", {"train": "../jobs.sqlite"}), "not known"),
        ("/train_task", (None, None, "X", {}), "labelled text"),
        ("/classify_file", (None, "job:x", "", None), "Choose a file"),
        ("/evaluate", (None, "job:x", "", {"table": "../jobs.sqlite"}), "not known"),
        ("/evaluate", (None, "job:x", "", {"tabel": "a.csv"}), "Did you mean 'table'"),
        ("/evaluate", (None, "job:x", "", {}), "labelled file first"),
        ("/export", ("", "", 1.0, 1.0), "choose a task vector"),
        ("/export", ("../../etc", "", 1.0, 1.0), "not known"),
        ("/classify", (None, "job:x", ""), "expected a text"),
        ("/classify", (["the food"], "job:x", ""), "expected a text"),
        ("/overlap", (None,), "expected a list of texts"),
        ("/overlap", ([["a"], "b"],), "expected a list of texts"),
        ("/spectrum", ([1], None), "expected a text"),
        ("/spectrum", ("bundled:min", [3]), "expected a list of texts"),
        ("/library", (5, ""), "expected a text"),
        ("/evaluate", (None, "job:x", "", ["table"]), "expected an object"),
        ("/evaluate", (None, "job:x", "", {"table": "a.csv", "languages": [["a"]]}), "a list of texts, or true"),
        ("/evaluate", (None, "job:x", "", {"table": "a.csv", "labels": {"a": 1}}), "expected an object of texts"),
        ("/train_task", (None, None, "X", {"train": "a.csv", "columns": ["a"]}), "expected an object of texts"),
        ("/job", ("../../etc",), "not the id of a job"),
        ("/cancel", ("20260101-000000-000000",), "no job"),
        ("/resume", ("20260101-000000-000000",), "no job"),
    ],
)
def test_a_refusal_reaches_the_program_in_words(client, name, arguments, reason):
    with pytest.raises(AppError, match=reason):
        client.predict(*arguments, api_name=name)
