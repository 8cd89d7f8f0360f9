"""An exported page in Chromium: it gives the classifier's probabilities, also when it is opened again without a network."""

import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path
from random import Random

import pytest
from browsing import LONG, expect
from tiny import sentences

from deftx.classify.composition import compose
from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.core.errors import DeftxError
from deftx.data.tables import read_table
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.models.batches import encode
from deftx.publish.offline_page import PROBES, RUNTIME, write_page

pytestmark = pytest.mark.npm
TEXTS = (*sentences(5, seed=3), *PROBES[1:], "word " * 400)


@pytest.fixture(scope="module")
def npm():
    return Path(os.environ["DEFTX_NPM"])


@pytest.fixture(scope="module")
def folder(base_folder, task_vector, language_vector, npm, tmp_path_factory):
    """The folder that the command writes."""
    out = tmp_path_factory.mktemp("page") / "Mood of <b>"
    words = ["export", "--onnx", "--page", "--runtime", npm, "--task", task_vector, "--language", language_vector,
             "--base", base_folder, "--out", out]  # fmt: skip
    assert main([str(word) for word in words]) == EXIT_OK
    return out


@pytest.fixture
def serve():
    """Serve folders at 127.0.0.1, as any file server does; return the server."""
    servers = []

    def start(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        servers.append(server := http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})  # a phone
    page = context.new_page()
    page.set_default_timeout(LONG)
    yield page
    context.close()


def address(server):
    return f"http://127.0.0.1:{server.server_port}/"


def answer(page, text, labels):
    page.locator("#answer tbody").evaluate("body => body.replaceChildren()")
    page.locator("#text").fill(text)
    page.locator("#classify").click()
    expect(page.locator("#answer tbody tr")).to_have_count(len(labels))
    rows = page.locator("#answer tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[0].textContent, Number(row.dataset.probability)])"
    )
    assert rows == sorted(rows, key=lambda row: -row[1])
    return [dict(rows)[label] for label in labels]


def test_the_page_answers_as_the_classifier_with_and_without_a_network(
    folder, serve, page, base, task_vector, language_vector
):
    classifier = compose(base, task=task_vector, language=language_vector)
    expected = classifier.classify(list(TEXTS)).tolist()
    server, foreign = serve(folder), []
    page.on(
        "request", lambda one: foreign.append(one.url) if not one.url.startswith((address(server), "data:")) else None
    )
    page.goto(address(server))
    expect(page.locator("#state")).to_have_text("Ready, also without a network.")
    for text, row in zip(TEXTS, expected, strict=True):
        assert answer(page, text, classifier.labels) == pytest.approx(row, abs=1e-4), text
    server.shutdown()  # and the browser is told that there is no network
    server.server_close()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#state")).to_have_text("Ready, also without a network.")
    assert answer(page, TEXTS[0], classifier.labels) == pytest.approx(expected[0], abs=1e-4)
    expect(page.locator("h1")).to_have_text("Mood of <b>")
    assert foreign == []
    assert max(max(row) for row in expected) - min(min(row) for row in expected) > 0.01  # the answers differ


@pytest.mark.data
def test_the_page_reads_a_thousand_sentences_of_the_bundled_base_as_python_does(folder, serve, page, tmp_path):
    other, base = shutil.copytree(folder, tmp_path / "other"), load_base(BUNDLED_BASE)
    base.tokenizer.save_pretrained(other / "model")
    files = sorted(Path(os.environ["DEFTX_DATA"]).glob("nusax/*/test.csv"))
    texts = [text for file in files for text in read_table(file).texts]
    texts = Random(0).sample(texts, 1_000)
    page.goto(address(serve(other)))
    expect(page.locator("#state")).to_contain_text("splits texts into other tokens")  # than the tiny base
    read = "async ([texts, max_length]) => texts.map((read => text => read(text).ids)(await (await import(new URL('page.js', location))).reader({max_length, after: 1})))"
    assert page.evaluate(read, [texts, 64]) == [list(one) for one in encode(base.tokenizer, texts, 64)]


@pytest.mark.parametrize(("place", "change", "message"), [
    (2, lambda probe: probe["ids"].append(5), "splits texts into other tokens"),
    (-1, lambda probe: probe["ids"].__setitem__(-1, 5), "splits texts into other tokens"),  # this one is truncated
    (2, lambda probe: probe.update(probabilities=[value + 0.01 for value in probe["probabilities"]]),
     "computes other probabilities"),
])  # fmt: skip
def test_a_browser_that_reads_or_computes_otherwise_gives_no_answer(
    folder, serve, page, tmp_path, place, change, message
):
    other = shutil.copytree(folder, tmp_path / "other")
    about = json.loads((other / "page.json").read_text())
    assert len(about["probes"][-1]["ids"]) == about["max_length"]
    change(about["probes"][place])
    (other / "page.json").write_text(json.dumps(about))
    page.goto(address(serve(other)))
    expect(page.locator("#state")).to_contain_text(message)
    expect(page.locator("#classify")).to_be_disabled()


def test_a_package_that_is_missing_or_another_one_is_refused(base, task_vector, npm, tmp_path):
    classifier = compose(base, task=task_vector)
    with pytest.raises(DeftxError, match=r"npm pack onnxruntime-web@1\.30\.0 @huggingface/tokenizers@0\.2\.0"):
        write_page(classifier, tmp_path / "out", tmp_path, title="x")
    for package in RUNTIME:
        shutil.copy(npm / package.file, tmp_path)
    with (tmp_path / RUNTIME[1].file).open("ab") as file:
        file.write(b"x")
    with pytest.raises(DeftxError, match="its hash differs"):
        write_page(classifier, tmp_path / "out", tmp_path, title="x")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["--page"], ["--onnx", "--page"], ["--onnx", "--runtime", "x"]])
def test_options_that_do_not_go_together_are_refused(task_vector, tmp_path, words, capsys):
    assert main(["export", "--task", str(task_vector), "--out", str(tmp_path / "out"), *words]) == EXIT_BAD_INPUT
    assert "use --onnx --page --runtime DIR" in capsys.readouterr().err


def test_eight_bits_are_refused(task_vector, tmp_path, capsys):
    words = ["--onnx", "--page", "--runtime", str(tmp_path), "--int8"]
    assert main(["export", "--task", str(task_vector), "--out", str(tmp_path / "out"), *words]) == EXIT_BAD_INPUT
    assert "omit --int8" in capsys.readouterr().err
