"""What browser tests share: how a person moves through the page of the app."""

import os
import re
import signal
from contextlib import contextmanager

import pytest
from job_helpers import wait_for

from deftx.jobs import Store, progress_of
from deftx.jobs.state import worker_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
# Milliseconds after which a wait fails. A browser, a server and a training share few cores: nothing is late before that.
LONG = 120_000
sync_api.expect.set_options(timeout=LONG)


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


def open_page(page, app, section="Corpus"):
    """Open the page; on a first visit it shows the guided path, and ``section``, if it is given, is opened."""
    page.set_default_timeout(LONG)
    page.goto(app.url)
    expect(page.locator("#strip .strip")).to_be_visible()
    expect(page.locator("html[data-opened]")).to_be_attached()  # what an earlier visit had chosen is back
    if section and page.locator("#guide").is_visible():
        open_tab(page, section)


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
