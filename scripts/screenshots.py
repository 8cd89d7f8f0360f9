"""Takes pictures of every section, light and dark, on a wide and on a narrow screen: ``scripts/screenshots.py FOLDER``.

Starts the app with a fresh DEFTX_HOME unless ``--url`` names one that runs, learns a small vector from the sample (or
from ``--corpus``), and looks at the page before, while and after. Exits with 1 if a picture is wider than its screen.
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

from playwright.sync_api import Browser, Page, sync_playwright

APP = Path(__file__).resolve().parent.parent / "app.py"
WIDTHS = {"wide": (1280, 800), "narrow": (390, 844)}
THEMES = ("light", "dark")


@contextmanager
def running_app(home: Path) -> Iterator[str]:
    """Start the app on a free port and give its address."""
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
    """Takes one picture in both themes and both widths, as a visitor with the given memory of earlier visits."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder
        self.too_wide: list[str] = []

    def take(self, name: str, memory: dict, prepare=lambda page: None) -> None:
        """Open the page in every look, bring it to the state that is wanted, and take the picture."""
        for size, (width, height) in WIDTHS.items():
            for theme in THEMES:
                context = self.browser.new_context(viewport={"width": width, "height": height}, storage_state=memory)
                page = context.new_page()
                page.goto(f"{self.url}?__theme={theme}")
                page.wait_for_selector("#strip .strip")
                page.wait_for_timeout(2_500)
                prepare(page)
                page.wait_for_timeout(600)
                file = self.folder / f"{name}-{size}-{theme}.png"
                page.screenshot(path=file, full_page=True)
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    self.too_wide.append(file.name)
                context.close()


def open_section(page: Page, name: str) -> None:
    """Go to the section whose tab holds this word."""
    page.get_by_role("tab", name=name).click()


def choose(page: Page, field: str, word: str) -> None:
    """Choose from a list the first entry that holds this word."""
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=word).first.click()


def walk(camera: Camera, corpus: str | None, steps: str) -> None:
    """Go from nothing to a classified sentence, taking pictures on the way."""
    context = camera.browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(camera.url)
    page.wait_for_selector("#strip .strip")
    camera.take("1-first-visit", context.storage_state())
    if corpus:
        page.locator("#corpus-file input[type=file]").set_input_files(corpus)
    else:
        choose(page, "corpus-choice", "Sample")
    page.wait_for_selector("#audit .figures", timeout=60_000)
    page.wait_for_timeout(1_000)
    camera.take("2-corpus", context.storage_state())
    open_section(page, "Train")
    camera.take("3-train", context.storage_state(), lambda p: open_section(p, "Train"))
    page.locator("#language-name input, #language-name textarea").fill("Minangkabau" if corpus else "Indonesian")
    page.locator("#language-code input, #language-code textarea").fill("min" if corpus else "ind")
    page.locator("#advanced button").first.click()
    page.locator("#setting-max-steps input, #setting-max-steps textarea").fill(steps)
    page.locator("#start").click()
    page.bring_to_front()
    page.wait_for_selector("#job .state.running", timeout=600_000)
    page.wait_for_selector("#loss .js-plotly-plot", timeout=120_000)
    page.wait_for_timeout(4_000)
    camera.take("4-training", context.storage_state())
    page.bring_to_front()
    page.wait_for_selector("#job .state.finished", timeout=900_000)
    page.wait_for_timeout(2_500)
    camera.take("5-trained", context.storage_state())
    page.locator("#use").click()
    page.wait_for_timeout(1_000)

    def classify(page: Page) -> None:
        open_section(page, "Compose")
        page.wait_for_timeout(300)
        choose(page, "language", "Minang" if corpus else "Indonesian")
        page.locator("#classify").click()
        page.wait_for_timeout(4_000)

    camera.take("6-test", context.storage_state(), classify)


def main() -> int:
    """Read the command line, take the pictures, report what is too wide."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--url", help="an app that runs already")
    parser.add_argument("--corpus", help="a text to learn from instead of the sample")
    parser.add_argument("--steps", default="120", help="steps of each phase (120)")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser to use")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=arguments)
        if chosen.url:
            camera = Camera(browser, chosen.url, chosen.folder)
            walk(camera, chosen.corpus, chosen.steps)
        else:
            with running_app(Path(home)) as url:
                camera = Camera(browser, url, chosen.folder)
                walk(camera, chosen.corpus, chosen.steps)
        browser.close()
    print("\n".join(f"wider than the screen: {name}" for name in camera.too_wide) or "All pictures fit their screens.")
    return 1 if camera.too_wide else 0


if __name__ == "__main__":
    sys.exit(main())
