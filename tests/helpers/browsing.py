"""What browser tests share: the real app as a process, and how a person moves through its page."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from job_helpers import wait_for

from deftx.jobs import Store, progress_of
from deftx.jobs.process import kill
from deftx.jobs.state import worker_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
ROOT = Path(__file__).resolve().parents[2]
# Milliseconds after which a wait fails. A browser, a server and a training share few cores: nothing is late before that.
LONG = 120_000
sync_api.expect.set_options(timeout=LONG)


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


@contextmanager
def serving(home, base):
    """The app over a home, until the block ends; trainings that still run then end with it."""
    app = App(home, base)
    app.start()
    try:
        yield app
    finally:
        app.kill()
        store = Store(home)
        for job in (*store.list(), *store.trash()):
            if worker_of(job) is not None:
                kill(worker_of(job))


@contextmanager
def held(app, name):
    """Stop the process of a training run in its steps, until the block ends: however slow the page is, it sees them."""
    store = Store(app.home)
    job = next(job for job in store.list() if job.name == name)
    wait_for(lambda: progress_of(job).phase in ("dense", "sparse"), f"the first steps of {name}", seconds=120)
    job = store.get(job.id)
    worker = worker_of(job)
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        yield job
    finally:
        os.kill(worker.pid, signal.SIGCONT)


def open_page(page, app):
    page.set_default_timeout(LONG)
    page.goto(app.url)
    expect(page.locator("#strip .strip")).to_be_visible()
    expect(page.locator("html[data-opened]")).to_be_attached()  # what an earlier visit had chosen is back


def open_tab(page, name):
    """Go to a section; where the screen is narrow, the later ones are in a menu."""
    expect(page.locator("html[data-opened]")).to_be_attached()  # only then are they where they stay
    tab = page.get_by_role("tab", name=name).first
    if tab.is_visible():
        tab.click()
    else:
        page.locator(".overflow-menu button").first.click()
        page.locator(".overflow-dropdown button", has_text=name).first.click()


def expect(locator):
    return sync_api.expect(locator)


def upload(page, path):
    page.locator("#corpus-file input[type=file]").set_input_files(path)


def start_training(page, name, steps):
    """Fill the form in and start; the quick preset's steps are what a test has time for."""
    open_tab(page, "Train")
    field(page, "language-name").fill(name)
    page.locator("#advanced button").first.click()
    field(page, "setting-max-steps").fill(str(steps))
    page.locator("#start").click()
    expect(page.locator("#job h3")).to_contain_text(name)


def field(page, name):
    return page.locator(f"#{name} input, #{name} textarea").first


def choose(page, name, option):
    """Choose in a list as a person does: where it opened outside of the window, close it and open it again."""
    field, wanted = page.locator(f"#{name} input"), page.get_by_role("option", name=option).first
    for _ in range(10):
        field.evaluate("field => field.scrollIntoView({block: 'center'})")
        field.click()
        try:
            return wanted.click(timeout=6_000)
        except sync_api.TimeoutError:
            field.press("Escape")
            field.blur()
    raise AssertionError(f"{option!r} could not be chosen in {name!r}")


def probabilities(page):
    return [float(text.rstrip("%")) for text in page.locator("#answer td:last-child").all_inner_texts()]


def step(page):
    """The step that the bar says, in whichever phase."""
    text = page.locator("#job .under-bar").inner_text()
    return text, int(re.search(r"([\d,]+) of", text)[1].replace(",", ""))
