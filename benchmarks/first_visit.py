"""Benchmark: clicks and seconds of a first visit, from an empty home to the answer to one's own sentence.

    DEFTX_DATA=DATA python benchmarks/first_visit.py [--quick]

The real app with the bundled base, and headless Chromium on the same cores. The text is the first 200 lines of the Balinese
corpus. It also prints when the page is ready, its requests after a reload, the processor time of an idle page, and how long the
words that mattered take for a sentence of 20 words.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from sides import ROOT

from deftx.data.text import read_corpus
from deftx.jobs import Store

sys.path.insert(0, str(ROOT / "scripts"))
from screenshots import open_section, running_app

QUICK_LINE = "Ajengane jaen pisan, nanging tongosne cenik."  # the text of --quick, which needs no data
LINES = 200
PATIENCE = 120_000  # milliseconds
TWENTY = "Ajengane jaen pisan tur pelayanane becik nanging tongosne cenik tur rame dadi tiang ten demen makelo-kelo negak drika"


class Visit:
    """A first visit in a browser of its own: it counts clicks, and the seconds since the page was asked for."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        self.page.set_default_timeout(PATIENCE)
        self.began, self.clicks, self.rows = time.monotonic(), 0, []
        self.page.goto(url)
        opened(self.page)
        self.note("the page is ready")

    def note(self, what: str) -> None:
        """Record what the person sees now."""
        self.rows.append((what, self.clicks, time.monotonic() - self.began))

    def click(self, place: str, seen: str, what: str, has_text: str | None = None) -> None:
        """Click, and wait until something is visible."""
        self.page.locator(place, has_text=has_text).first.click()
        self.clicks += 1
        self.page.locator(seen).first.wait_for()
        self.note(what)


def opened(page: Page) -> None:
    """Wait until what an earlier visit had chosen is back, so that the page can be used."""
    page.wait_for_selector("html[data-opened]", state="attached")


def ready_language(visit: Visit) -> None:
    """Choose a language whose vector is ready."""
    visit.click("#guide-ready label", "#guide-answer .verdict", "the answer to its example sentence", "Balinese")


def own_text(visit: Visit, text: str) -> None:
    """Paste a text, and try one of its sentences with the ready vector of its language."""
    visit.click("#guide-to-text", "#guide-paste textarea", "the field for a text")
    visit.page.locator("#guide-paste textarea").fill(text)
    visit.click("#guide-use-pasted", "#guide-text h3", "what was pasted: size, language, first lines")
    visit.page.locator("#guide-text-ready").wait_for()
    visit.click("#guide-text-ready", "#guide-lines [data-pick]", "sentences of the text, to be tried")
    visit.click("#guide-lines [data-pick]", "#guide-answer .verdict", "the answer to one of them")


def own_language(visit: Visit, text: str) -> None:
    """Name a language, paste a text and start training."""
    visit.page.locator("#guide-name textarea, #guide-name input").first.fill("Bahasa Bali")
    visit.click("#guide-to-text", "#guide-paste textarea", "the field for a text")
    visit.page.locator("#guide-paste textarea").fill(text)
    visit.click("#guide-use-pasted", "#guide-text h3", "what was pasted: size, language, first lines")
    visit.click("#guide-to-task", "#guide-task", "the tasks")
    visit.click("#guide-to-train", "#guide-outlook .figures", "what will be trained, and how long it takes")
    visit.click("#guide-start", "#guide-progress .state", "the training run in the queue")


def paths(text: str) -> dict[str, Callable[[Visit], None]]:
    """Return the ways of a first visit by title."""
    return {
        "A language whose vector is ready": ready_language,
        "A text in such a language": lambda visit: own_text(visit, text),
        "A vector from one's own text": lambda visit: own_language(visit, text),
    }


@contextmanager
def processor_share(seconds: float) -> Iterator[dict[str, float]]:
    """Measure the shares of one core that the server and the browser use while the block runs."""
    found: dict[str, float] = {}
    before, began = _seconds_used(), time.monotonic()
    yield found
    found |= {who: (used - before[who]) / (time.monotonic() - began) for who, used in _seconds_used().items()}


def _seconds_used() -> dict[str, float]:
    """Return the processor time of this program's children; those that are not the server are parts of the browser."""
    found = {"server": 0.0, "browser": 0.0}
    for child in psutil.Process(os.getpid()).children(recursive=True):
        times = child.cpu_times()
        found["server" if "python" in child.name() else "browser"] += times.user + times.system
    return found


def idle(visit: Visit, section: str, seconds: float) -> None:
    """Print the processor time of server and browser while nobody does anything; the page polls once Train was shown."""
    visit.page.get_by_role("tab", name=section).first.click()
    visit.page.wait_for_timeout(5_000)
    with processor_share(seconds) as found:
        visit.page.wait_for_timeout(1_000 * seconds)
    shares = ", ".join(f"{who} {share:.1%}" for who, share in found.items())
    print(f"idle page, {section}, of a core over {seconds:.0f} s: {shares}")


def reload(visit: Visit, section: str, rounds: int) -> None:
    """Print the requests and the time of a reload in a section."""
    open_section(visit.page, section)
    visit.page.wait_for_timeout(5_000)
    requests, times, counts = [], [], []
    visit.page.on("request", lambda request: requests.append(request.url))
    for _ in range(rounds):
        requests.clear()
        began = time.monotonic()
        visit.page.reload()
        opened(visit.page)
        times.append(time.monotonic() - began)
        # Not files, which the browser has cached, nor the status line, which asks by itself every few seconds.
        counts.append(
            sum("/gradio_api/" in url and "/file=" not in url and "component_server" not in url for url in requests)
        )
    said = f"{min(counts)} to {max(counts)} requests to the server's API"
    print(f"reload, {section}: ready after {median(times):.1f} s (median of {rounds}), {said}")


def words(visit: Visit, rounds: int) -> None:
    """Print how long a sentence of 20 words takes in the page, with the words that mattered."""
    open_section(visit.page, "Test")
    visit.page.locator("#answer .verdict").wait_for()
    answers, times, gaps, asked = [], [], [], []
    visit.page.on("request", lambda request: asked.append(time.monotonic()) if "/queue/join" in request.url else None)
    for number in range(rounds):
        sentence = f"{TWENTY} {number}"
        began = time.monotonic()
        visit.page.locator("#sentence textarea, #sentence input").first.fill(sentence)
        visit.page.locator("#answer blockquote", has_text=sentence).wait_for()
        answers.append(time.monotonic() - began)
        visit.page.locator("#words .words", has_text=re.compile(rf"drika\W*{number}")).wait_for()
        times.append(time.monotonic() - began)
        gaps.append(asked[-1] - began - answers[-1])  # the last request is that for the words
    said = f"to the answer {median(answers):.2f} s, to the words that mattered {median(times):.2f} s"
    said += f", which are asked for {median(gaps):+.2f} s after the answer is visible"
    print(f"a sentence of 20 words, from the last key: {said} (medians of {rounds})")


def main() -> None:
    """Walk every way, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a text of one sentence and short waits: only check that it runs"
    )
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser to use")
    given = parser.parse_args()
    rounds, wait = (2, 3.0) if given.quick else (5, 60.0)
    text = "\n".join([QUICK_LINE] * 40 if given.quick else balinese())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for title, path in paths(text).items():
            with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url:
                walk(browser, url, title, path)
                stop_training(Path(home))
        with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url:
            visit = Visit(browser, url)
            for section in ("Start", "Test"):
                reload(visit, section, rounds)
            open_section(visit.page, "Start")
            for section in ("Start", "Train"):
                idle(visit, section, wait)
            words(visit, rounds)
        browser.close()


def walk(browser: Browser, url: str, title: str, path: Callable[[Visit], None]) -> None:
    """Walk one way in a new browser, and print its table."""
    visit = Visit(browser, url)
    path(visit)
    print(f"\n| {title} | clicks | seconds |\n|---|---:|---:|")
    for what, clicks, seconds in visit.rows:
        print(f"| {what} | {clicks} | {seconds:.1f} |")
    print()
    visit.page.context.close()


def stop_training(home: Path) -> None:
    """Remove the training runs, which would continue after the app ends."""
    store = Store(home)
    for job in store.list():
        store.discard(job.id)
        store.remove(job.id)


def balinese() -> list[str]:
    """Return the first lines of the Balinese corpus."""
    return read_corpus(Path(os.environ["DEFTX_DATA"]) / "corpora" / "ban.txt.gz").lines[:LINES]


if __name__ == "__main__":
    main()
