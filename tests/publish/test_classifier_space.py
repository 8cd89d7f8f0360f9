"""A classifier as a Space of its own: the folder runs without this library and says what the classifier says."""

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
import tiny
import transformers
import yaml
from gradio_client import Client
from job_helpers import wait_for
from zero_gpu import ZeroGpu

from deftx.classify.composition import compose
from deftx.core.errors import DeftxError
from deftx.publish.classifier_space import requirements, write_space
from deftx.publish.exporting import export_space_zip
from deftx.publish.space_card import GRADIO, TORCH
from deftx.publish.spoken import texts_in

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["the food is good", "the night was awful and bitter", " the day\nis good\n", " ".join(tiny.WORDS[:30] * 3)]


@pytest.fixture(scope="module")
def classifier(base, task_vector, language_vector):
    """A composed classifier of the tiny base."""
    return compose(base, task=task_vector, language=language_vector)


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.mark.slow
def test_the_unpacked_folder_runs_alone_and_answers_the_same(classifier, tmp_path):
    with zipfile.ZipFile(export_space_zip(classifier, tmp_path / "out" / "space-mood.zip")) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "space-mood"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "about.json", "app.py", "model", "requirements.txt", "texts.json"
    ]  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    # The folder's own modules alone: -P and no PYTHONPATH, so that a deftx beside it would not be found.
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONPATH": ""}
    with open(tmp_path / "log.txt", "wb") as log:
        command = [sys.executable, "-P", "app.py"]
        page = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: answers(address, page, tmp_path), "the page of the Space", seconds=180)
        client = Client(address, verbose=False)
        found = [client.predict(text, api_name="/classify") for text in TEXTS]
        for answer, expected in zip(found, classifier.classify(TEXTS).tolist(), strict=True):
            given = {one["label"]: one["confidence"] for one in answer["confidences"]}
            assert given == pytest.approx(dict(zip(classifier.labels, expected, strict=True)), abs=1e-5)
        with pytest.raises(Exception, match="Enter a text first"):
            client.predict("  ", api_name="/classify")
        look(address)
    finally:
        page.send_signal(signal.SIGKILL)
        page.wait()


def look(address):
    """Use the page as a visitor does, where there is a browser: an example, the words, and a correction as a file."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(chromium).exists():
        return
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(locale="es-ES").new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        page.get_by_label("Texto", exact=True).fill("the food is good")
        page.get_by_role("button", name="Clasificar").click()
        page.get_by_text("food", exact=False).first.wait_for()
        page.get_by_role("button", name="¿Es incorrecta una respuesta?").click()
        page.get_by_role("radio", name="positive").check()
        page.get_by_role("button", name="Añadir a mis correcciones").click()
        with page.expect_download() as downloaded:
            page.locator("a[download]").first.click()
        rows = Path(downloaded.value.path()).read_text(encoding="utf-8-sig").splitlines()
        browser.close()
    assert rows == ["text,label", "the food is good,positive"]


def answers(address, page, tmp_path):
    assert page.poll() is None, (tmp_path / "log.txt").read_text()
    try:
        urlopen(address, timeout=2).close()
    except OSError:
        return False
    return True


def test_the_program_is_short_and_knows_nothing_of_this_library(classifier, tmp_path):
    folder = write_space(classifier, tmp_path / "space", title="Mood", license_id="apache-2.0")
    program = (folder / "app.py").read_text(encoding="utf-8")
    assert "deftx" not in re.findall(r"^(?:from|import) (\w+)", program, re.MULTILINE)
    assert len(program.splitlines()) <= 130
    assert front_matter(folder) == {
        "title": "Mood", "sdk": "gradio", "sdk_version": GRADIO, "python_version": "3.12", "app_file": "app.py",
        "suggested_hardware": "zero-a10g", "short_description": "A text classifier made with DeFT-X", "license": "apache-2.0",
        "tags": ["deft-x", "sparse-fine-tuning", "cross-lingual-transfer", "language:min"],
    }  # fmt: skip


@pytest.mark.parametrize(("language", "said"), [
    ("en", "Language: Minangkabau (min). 75 of 100 answers of the task vector alone are right (3 of 4;"),
    ("id", "Bahasa: Minangkabau (min). 75 dari 100 jawaban vektor tugas saja benar (3 dari 4;"),
    ("es", "Lengua: minangkabau (min). 75 de 100 respuestas del vector de tarea, por sí solo, son correctas (3 de 4;"),
])  # fmt: skip
def test_the_page_names_its_language_and_says_the_known_score_in_words(classifier, tmp_path, language, said):
    info = {"language": "ind", "scores": {"accuracy": {"after": 0.75}, "examples": 4}}
    folder = write_space(classifier, tmp_path / "space", title="Mood", task=info)
    intro = json.loads((folder / "texts.json").read_text(encoding="utf-8"))[language]["intro"]
    assert said in intro
    asked = texts_in(language)["NOT_MEASURED_IN"].split("{")[0]
    assert asked in intro  # the score is that of the task vector alone
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "75 of 100 answers of the task vector alone are right (3 of 4; 95 % interval: 30 to 95 of 100)." in card
    assert "Language: Minangkabau (min)." in card


def test_without_a_known_score_the_page_says_so(classifier, tmp_path):
    folder = write_space(classifier, tmp_path / "space", title="Mood")
    for language, own in json.loads((folder / "texts.json").read_text(encoding="utf-8")).items():
        assert texts_in(language)["SCORE_UNKNOWN"] in own["intro"]


def test_the_line_in_its_card_gives_the_probabilities_of_texts_of_any_length(classifier, tmp_path, monkeypatch):
    folder = write_space(classifier, tmp_path / "space", title="Mood")
    line = re.search(r"`transformers\.(pipeline\(.*?\))`", (folder / "README.md").read_text(encoding="utf-8"))[1]
    monkeypatch.chdir(folder)
    load = eval(line, {"pipeline": transformers.pipeline})
    for text in ("the food is good", "the food is good, but the night was awful " * 40):
        wanted = dict(zip(classifier.labels, classifier.classify([text])[0].tolist(), strict=True))
        assert {one["label"]: one["score"] for one in load(text, top_k=None)} == pytest.approx(wanted, abs=1e-5)


def test_examples_stand_in_the_page_where_they_have_as_many_texts(classifier, tmp_path):
    write_space(classifier, tmp_path / "one", title="Mood", examples=["the food", ("a", "b")])
    assert json.loads((tmp_path / "one" / "about.json").read_text())["examples"] == [["the food"]]


def test_the_texts_of_the_page_are_the_same_in_every_language(classifier, tmp_path):
    texts = json.loads((write_space(classifier, tmp_path / "space", title="Mood") / "texts.json").read_text())
    assert set(texts) == {"en", "id", "es"}
    program = (tmp_path / "space" / "app.py").read_text(encoding="utf-8")
    used = {*re.findall(r'say\("(\w+)"\)', program), "text", "premise", "hypothesis"}
    assert all(set(own) == used for own in texts.values())


def test_versions_are_those_that_this_project_pins_but_for_a_torch_that_zero_gpu_has():
    pinned = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    wanted = dict(line.split("==") for line in requirements().splitlines())
    assert wanted.keys() == {"gradio", "torch", "transformers", "safetensors"}
    assert wanted == {name: pinned[name] for name in wanted} | {"torch": TORCH}


@pytest.fixture
def program(classifier, tmp_path, monkeypatch):
    """The program of the page, loaded as on ZeroGPU, and the card."""
    card = ZeroGpu()
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=card.GPU))
    folder = write_space(classifier, tmp_path / "space", title="Mood")
    return SimpleNamespace(**runpy.run_path(str(folder / "app.py"))), card


def test_on_zero_gpu_a_sentence_is_no_call_and_many_words_are_one(program, classifier):
    page, card = program
    answer = page.classify("the food is good")
    assert list(answer.values()) == pytest.approx(classifier.classify(["the food is good"])[0].tolist(), abs=1e-5)
    assert len(page.words("the food is good")) == 4
    assert card.asked == []
    page.many.__globals__["CALL_FROM"] = 10  # the tiny model reads no more than 16 words
    text = " ".join(tiny.WORDS[:30] * 4)
    found = page.words(text)
    assert card.asked == [20]
    card.quota = 0
    alone = page.words(text)  # refused: the CPU computes it
    assert card.asked == [20, 20]
    assert [weight or 0.0 for _, weight in found] == pytest.approx([weight or 0.0 for _, weight in alone], abs=1e-4)


def test_words_that_the_model_does_not_read_are_not_left_out(program, classifier):
    page, _ = program
    text = " ".join(["good", *["the"] * 999])
    rows = []
    page.words.__globals__["many"] = lambda given: rows.extend(given) or page.probabilities(given)
    found = page.words(text)
    assert len(rows) <= classifier.max_length + 1
    assert [word for word, _ in found] == [f"{word} " for word in text.split()]
    assert {weight for _, weight in found[classifier.max_length :]} == {None}


def test_a_task_on_pairs_asks_for_two_texts(classifier, tmp_path):
    folder = write_space(classifier, tmp_path / "space", title="Follows", pairs=True)
    assert json.loads((folder / "about.json").read_text())["inputs"] == ["premise", "hypothesis"]


def test_what_people_type_is_no_program_and_no_markup(classifier, tmp_path):
    folder = write_space(classifier, tmp_path / "space", title='"""\nimport os # <script>\n---\nsdk: static')
    assert front_matter(folder)["sdk"] == "gradio"
    assert front_matter(folder)["title"] == json.loads((folder / "about.json").read_text())["title"]
    assert "<script>" not in (folder / "README.md").read_text()


def test_a_folder_with_something_in_it_is_refused(classifier, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DeftxError, match="is not an empty folder"):
        write_space(classifier, tmp_path, title="Mood")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
