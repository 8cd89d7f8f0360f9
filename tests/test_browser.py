"""The real app in headless Chromium, from a text file to a classified sentence, through reloads and kills."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from tiny_base import finish_task_job, make_base, write_corpus

from deftx.jobs import Store, state_of
from deftx.jobs.process import kill
from deftx.jobs.state import worker_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ROOT = Path(__file__).resolve().parent.parent
LONG = 60_000  # milliseconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM to its path)"),
]


class App:
    """The app as a process that can be killed and started again on the same port and home."""

    def __init__(self, home, base):
        self.home, self.base, self.process = home, base, None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self):
        environment = {**os.environ, "DEFTX_HOME": str(self.home), "DEFTX_BASE": str(self.base), "OMP_NUM_THREADS": "1"}
        with open(self.home / "server.txt", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "app.py", "--port", str(self.port)], env=environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                urlopen(self.url, timeout=2).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.home / "server.txt").read_text()
                assert time.monotonic() < deadline, "the app did not answer within a minute"
                time.sleep(0.2)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("text") / "sentences.txt", lines=30_000)


@pytest.fixture(scope="module")
def app(tmp_path_factory, base):
    """One app for all tests; every test starts and removes trainings of its own."""
    home = tmp_path_factory.mktemp("home")
    finish_task_job(Store(home), base)
    app = App(home, base)
    app.start()
    yield app
    app.kill()
    for job in Store(home).list():
        if worker_of(job) is not None:
            kill(worker_of(job))


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.foreign = []
    page.on(
        "request", lambda r: page.foreign.append(r.url) if r.url.startswith("http") and app.url not in r.url else None
    )
    open_page(page, app)
    yield page
    context.close()


def open_page(page, app):
    page.goto(app.url)
    expect(page.locator("#strip .strip")).to_be_visible(timeout=LONG)
    expect(page.locator("html[data-opened]")).to_be_attached(timeout=LONG)  # what an earlier visit had chosen is back


def expect(locator):
    return sync_api.expect(locator)


def upload(page, path):
    page.locator("#corpus-file input[type=file]").set_input_files(path)


def start_training(page, name, steps):
    """Fill the form in and start; the quick preset's steps are what a test has time for."""
    page.get_by_role("tab", name="Train").click()
    field(page, "language-name").fill(name)
    page.locator("#advanced button").first.click()
    field(page, "setting-max-steps").fill(str(steps))
    page.locator("#start").click()
    expect(page.locator("#job h3")).to_contain_text(name, timeout=LONG)


def field(page, name):
    return page.locator(f"#{name} input, #{name} textarea").first


def choose(page, name, option):
    page.locator(f"#{name} input").click()
    page.get_by_role("option", name=option).first.click()


def probabilities(page):
    return [float(text.rstrip("%")) for text in page.locator("#answer td:last-child").all_inner_texts()]


def step(page):
    """The step that the bar says, in whichever phase."""
    text = page.locator("#job .under-bar").inner_text()
    return text, int(re.search(r"([\d,]+) of", text)[1].replace(",", ""))


def test_from_a_text_file_to_a_classified_sentence_through_a_reload(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Minangkabau", 1_200)  # long enough that a poll every two seconds meets both phases
    expect(page.locator("#job .phases .active")).to_contain_text(re.compile("Dense|Sparse"), timeout=LONG)
    expect(page.locator("#job .bar")).to_be_visible()
    expect(page.locator("#strip")).to_contain_text("Minangkabau")
    page.reload()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible(timeout=LONG)
    expect(page.locator("#job h3")).to_contain_text("Minangkabau", timeout=LONG)
    expect(page.locator("#train-text input")).to_have_value("sentences.txt")
    expect(page.locator("#loss .js-plotly-plot")).to_be_visible(timeout=LONG)
    expect(page.locator("#job .state.finished")).to_be_visible(timeout=LONG)
    expect(page.locator("#evidence")).to_contain_text("Base model alone", timeout=LONG)
    page.locator("#use").click()
    expect(page.locator("#language input")).to_have_value(re.compile("Minangkabau"), timeout=LONG)
    field(page, "sentence").fill("the food is good")
    field(page, "sentence").press("Enter")
    expect(page.locator("#answer table")).to_be_visible(timeout=LONG)
    assert len(probabilities(page)) == 2
    assert sum(probabilities(page)) == pytest.approx(100, abs=0.11)
    expect(page.locator("#answer")).to_contain_text("Minangkabau")
    assert page.foreign == []  # everything comes from this machine


def test_a_bad_upload_says_why_and_keeps_what_was_chosen(page, tmp_path):
    choose(page, "corpus-choice", "Sample")
    expect(page.locator("#audit")).to_contain_text("60", timeout=LONG)
    bad = tmp_path / "old.txt"
    bad.write_bytes("caf\xe9 caf\xe9\n".encode("latin-1"))
    upload(page, bad)
    expect(page.locator("#corpus-refused")).to_contain_text("not UTF-8", timeout=LONG)
    expect(page.locator("#corpus-choice input")).to_have_value(re.compile("Sample"))
    page.get_by_role("tab", name="Train").click()
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("give the language a name", timeout=LONG)


def test_stop_keeps_resume_goes_on_and_discard_can_be_undone(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Bugis", 20_000)
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    page.locator("#stop").click()
    expect(page.locator("#job .state.stopped")).to_be_visible(timeout=LONG)
    _, reached = step(page)
    page.locator("#resume").click()
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    assert step(page)[1] >= reached > 0
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis", timeout=LONG)
    assert all(job.name != "Bugis" for job in Store(app.home).list())
    page.locator("#undo").click()
    expect(page.locator("#job h3")).to_contain_text("Bugis", timeout=LONG)
    expect(page.locator("#job .state.stopped")).to_be_visible(timeout=LONG)
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis", timeout=LONG)


def test_a_killed_server_costs_nothing_and_the_open_page_recovers(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Madurese", 400)
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    app.kill()
    job = Store(app.home).list()[0]
    assert state_of(job).name == "running"
    app.start()
    expect(page.locator("#job .state.finished")).to_be_visible(timeout=LONG)  # without a reload
    expect(page.locator("#job h3")).to_contain_text("Madurese")
    assert Store(app.home).get(job.id).process == job.process  # it was never started again
    page.get_by_role("tab", name="Compose").click()
    choose(page, "language", "Madurese")
    page.locator("#classify").click()
    expect(page.locator("#answer table")).to_be_visible(timeout=LONG)
