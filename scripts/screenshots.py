"""Take screenshots of every section, light and dark, wide and narrow: ``scripts/screenshots.py FOLDER``.

It starts the app with a new DEFTX_HOME unless ``--url`` is given, learns a small vector from the sample (or ``--corpus``),
and takes pictures before, during and after training. It exits with 1 if a page is wider than its screen.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

APP = Path(__file__).resolve().parent.parent / "app.py"
WIDTHS = {"wide": (1280, 800), "narrow": (390, 844)}
THEMES = ("light", "dark")


@contextmanager
def running_app(home: Path) -> Iterator[str]:
    """Start the app on a free port and yield its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DEFTX_HOME": str(home)}
    app = subprocess.Popen([sys.executable, APP, "--port", str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/"
        for _ in range(240):
            try:
                urlopen(url, timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        app.terminate()
        app.wait()


class Camera:
    """Takes pictures in all themes and widths, with a given storage state of the browser."""

    def __init__(self, browser: Browser, url: str, folder: Path, looks: list[str]) -> None:
        self.browser, self.url, self.folder, self.looks = browser, url, folder, looks
        self.too_wide: list[str] = []

    def take(self, name: str, memory: dict, prepare=lambda page: None, path: str = "") -> None:
        """Open the page (``path`` "es" for Spanish) in every look, call ``prepare``, and take the picture."""
        for look in self.looks:
            size, theme = look.split("-")
            width, height = WIDTHS[size]
            context = self.browser.new_context(viewport={"width": width, "height": height}, storage_state=memory)
            page = context.new_page()
            page.goto(f"{self.url}{path}?__theme={theme}")
            page.wait_for_selector("html[data-opened]", state="attached", timeout=60_000)
            page.wait_for_timeout(1_500)
            prepare(page)
            page.wait_for_timeout(600)
            page.evaluate("scrollTo(0, 0)")  # so that the sticky status strip is at its place
            file = self.folder / f"{name}-{look}.png"
            page.screenshot(path=file, full_page=True)
            if page.evaluate("document.documentElement.scrollWidth") > width:
                self.too_wide.append(file.name)
            context.close()


def open_section(page: Page, name: str) -> None:
    """Open the section whose tab contains this word."""
    tab = page.get_by_role("tab", name=name).first
    if tab.is_visible():
        tab.click()
    else:  # on a narrow screen, later tabs are in a menu
        page.locator(".overflow-menu button").first.click()
        page.locator(".overflow-dropdown button", has_text=name).first.click()


def choose(page: Page, field: str, word: str) -> None:
    """Choose the first entry of a list that contains this word."""
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=word).first.click()


def fill(page: Page, field: str, text: str) -> None:
    """Fill in a text field."""
    page.locator(f"#{field} input, #{field} textarea").first.fill(text)


def walk(camera: Camera, corpus: str | None, labelled: str | None, steps: str) -> None:
    """Use the app from the first visit to a comparison of two training runs, taking pictures."""
    context = camera.browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(camera.url)
    page.wait_for_selector("html[data-opened]", state="attached", timeout=60_000)
    camera.take("1-first-visit", context.storage_state())
    camera.take("1-ready", context.storage_state(), try_ready)
    open_section(page, "Corpus")
    bring_text(page, corpus)
    camera.take("2-corpus", context.storage_state())
    with tempfile.TemporaryDirectory() as folder:
        take_labelled(camera, page, context, Path(folder))
    open_section(page, "Train")
    camera.take("3-train", context.storage_state(), lambda p: open_section(p, "Train"))
    camera.take("3-train-task", context.storage_state(), show_task_form)
    train(page, "Minangkabau" if corpus else "Indonesian", "min" if corpus else "ind", steps)
    page.wait_for_selector("#loss .js-plotly-plot", timeout=120_000)
    page.wait_for_timeout(4_000)
    camera.take("4-training", context.storage_state())
    finish(page)
    camera.take("5-trained", context.storage_state())
    page.locator("#use").click()
    page.wait_for_timeout(1_000)
    camera.take("6-test", context.storage_state(), lambda p: classify(p, "Minang" if corpus else "Indonesian"))
    camera.take("6-check", context.storage_state(), check)
    if labelled:
        score(page, labelled)
        camera.take("6-scored", context.storage_state(), lambda p: show(p, "Test", "#intervals .js-plotly-plot"))
    open_section(page, "Train")
    train(page, "The same without denoising", "", steps, method="LT-SFT")
    finish(page)
    camera.take("7-history", context.storage_state(), compare)
    camera.take("8-spectra", context.storage_state(), lambda p: show(p, "Spectra", ".js-plotly-plot"))
    camera.take("9-overlap", context.storage_state(), lambda p: show(p, "Overlap", ".js-plotly-plot"))
    camera.take("10-library", context.storage_state(), show_vector)
    camera.take("11-spanish", context.storage_state(), lambda p: open_section(p, "Entrenar"), path="es")


def try_ready(page: Page) -> None:
    """Choose a ready language on the guided path, which classifies its example sentence."""
    page.locator("#guide-ready label", has_text="Indonesian").click()
    page.wait_for_selector("#guide-answer .verdict", timeout=120_000)


def bring_text(page: Page, corpus: str | None) -> None:
    """Upload the text, or choose the sample, and wait for the audit."""
    if corpus:
        page.locator("#corpus-file input[type=file]").set_input_files(corpus)
    else:
        choose(page, "corpus-choice", "Sample")
    page.wait_for_selector("#audit .figures", timeout=60_000)
    page.wait_for_timeout(1_000)


def take_labelled(camera: Camera, page: Page, context: BrowserContext, folder: Path) -> None:
    """Upload a labelled file with other column names, and take pictures of the question and of the findings."""
    table = folder / "reviews.csv"
    rows = "".join(f"Kalimat ke-{n} dari ulasan ini,{('baik', 'buruk')[n % 2]}\n" for n in range(40))
    table.write_text(f"kalimat,sentimen\n{rows}", encoding="utf-8")

    def ask(page: Page) -> None:
        page.locator("#table-file-train input[type=file]").set_input_files(table)
        page.wait_for_selector("#table-use-columns", timeout=60_000)

    def show(page: Page) -> None:
        choose(page, "table-train", table.name)
        page.wait_for_selector("#table-findings .figures", timeout=60_000)

    camera.take("2-labelled-asked", context.storage_state(), ask)
    ask(page)
    page.locator("#table-use-columns").click()
    page.wait_for_selector("#table-findings .figures", timeout=60_000)
    camera.take("2-labelled", context.storage_state(), show)


def show_task_form(page: Page) -> None:
    """Fill in the form for a task."""
    open_section(page, "Train")
    page.locator("#kind label").nth(1).click()
    page.wait_for_selector("#order-train input")
    choose(page, "order-train", "reviews.csv")
    page.wait_for_timeout(2_500)


def train(page: Page, name: str, code: str, steps: str, method: str = "DeFT-X") -> None:
    """Fill in the form for a language, start training, and wait until it runs."""
    fill(page, "language-name", name)
    fill(page, "language-code", code)
    if not page.locator("#method").is_visible():
        page.locator("#method-settings button").first.click()
    page.locator("#method label", has_text=method).click()
    if not page.locator("#setting-max-steps").is_visible():
        page.locator("#advanced button").first.click()
    fill(page, "setting-max-steps", steps)
    page.locator("#start").click()
    page.bring_to_front()
    page.wait_for_selector(f"#job h3:has-text('{name}') .state.running", timeout=600_000)


def finish(page: Page) -> None:
    """Wait until the shown training run has finished."""
    page.bring_to_front()
    page.wait_for_selector("#job .state.finished", timeout=900_000)
    page.wait_for_timeout(2_500)


def classify(page: Page, language: str) -> None:
    """Classify the example with a language vector."""
    open_section(page, "Test")
    page.wait_for_timeout(300)
    choose(page, "language", language)
    page.locator("#classify").click()
    page.wait_for_timeout(4_000)


def check(page: Page) -> None:
    """Judge the first sentences of the text by hand."""
    open_section(page, "Test")
    page.locator("#check button").first.click()
    page.locator("#check-text input").click()
    page.get_by_role("option").last.click()
    page.locator("#check-start").click()
    page.locator('#check-card [data-key="1"]').wait_for(timeout=120_000)
    for key in ("3", "3", "1", "2"):
        page.locator(f'#check-card [data-key="{key}"]').click()
        page.wait_for_timeout(1_000)


def score(page: Page, labelled: str) -> None:
    """Score the chosen vectors on labelled sentences, and wait for the result."""
    open_section(page, "Test")
    page.locator("#score-file input[type=file]").set_input_files(labelled)
    page.wait_for_timeout(3_000)
    page.locator("#score-start").click()
    page.bring_to_front()
    page.wait_for_selector("#score-lines table", timeout=600_000)


def compare(page: Page) -> None:
    """Compare the curves of the two newest training runs."""
    open_section(page, "History")
    page.wait_for_selector("#history input[type=checkbox]", timeout=60_000)
    for place in (0, 1):
        page.locator("#history input[type=checkbox]").nth(place).check()
        page.wait_for_timeout(1_000)
    page.wait_for_selector("#comparison-plot .js-plotly-plot", timeout=60_000)


def show(page: Page, section: str, drawn: str) -> None:
    """Open a section and wait until its plots are drawn."""
    open_section(page, section)
    page.locator(drawn).locator("visible=true").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)


def show_vector(page: Page) -> None:
    """Show a bundled vector in the Library."""
    open_section(page, "Library")
    page.get_by_role("button", name="Minangkabau", exact=True).last.click()
    page.wait_for_timeout(4_000)


def main() -> int:
    """Take the pictures and report pages that are too wide."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="output folder")
    parser.add_argument("--url", help="URL of a running app")
    parser.add_argument("--corpus", help="text file to use instead of the sample")
    parser.add_argument("--labelled", help="labelled sentences of the language to score")
    parser.add_argument("--steps", default="120", help="steps of each phase (120)")
    looks = [f"{size}-{theme}" for size in WIDTHS for theme in THEMES]
    parser.add_argument("--looks", nargs="+", choices=looks, default=looks, help="looks (all)")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser to use")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=arguments)
        if chosen.url:
            camera = Camera(browser, chosen.url, chosen.folder, chosen.looks)
            walk(camera, chosen.corpus, chosen.labelled, chosen.steps)
        else:
            with running_app(Path(home)) as url:
                camera = Camera(browser, url, chosen.folder, chosen.looks)
                walk(camera, chosen.corpus, chosen.labelled, chosen.steps)
        browser.close()
    print("\n".join(f"wider than the screen: {name}" for name in camera.too_wide) or "All pictures fit their screens.")
    return 1 if camera.too_wide else 0


if __name__ == "__main__":
    sys.exit(main())
