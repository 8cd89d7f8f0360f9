"""Benchmark: response times of the page during training on all cores, with ten open browsers.

    python benchmarks/page.py [--quick]

The real app with the bundled base, a real training run, and real browsers (headless Chromium on the same cores, which slows the
page down). An eleventh visitor clicks; the time is measured in the page, from the click until the result is shown.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from gradio_client import Client
from playwright.sync_api import Browser, Page, sync_playwright
from sides import ROOT

from deftx.jobs import Store

sys.path.insert(0, str(ROOT / "scripts"))
from screenshots import open_section, running_app

# Click, and resolve with the milliseconds until the target has changed (and two frames have passed).
CLICKED = """([button, target]) => new Promise((resolve, reject) => {
  const place = document.querySelector(target), before = place.innerHTML, began = performance.now();
  const seen = new MutationObserver(() => {
    if (place.innerHTML === before) return;
    seen.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
  });
  seen.observe(place, {childList: true, subtree: true, characterData: true, attributes: true});
  setTimeout(() => { seen.disconnect(); reject(new Error(`${target} did not change within 30 s`)); }, 30000);
  document.querySelector(button).click();
})"""
SENTENCES = ("Pelayannya ramah.", "Makanannya dingin dan mahal.")


def classified(page: Page, number: int) -> float:
    """Classify one of two sentences alternately."""
    page.locator("#sentence textarea, #sentence input").fill(f"{SENTENCES[number % 2]} {number}")
    return page.evaluate(CLICKED, ["#classify", "#answer"])


def looked_at(page: Page, number: int) -> float:
    """Switch between two training runs."""
    return page.evaluate(CLICKED, [f"#jobs [data-job]:nth-of-type({number % 2 + 1})", "#job"])


def timed(page: Page, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each kind of click."""
    found: dict[str, list[float]] = {"classify a sentence": [], "look at another training": []}
    for number in range(rounds):
        open_section(page, "Test")
        page.wait_for_timeout(200)
        found["classify a sentence"].append(classified(page, number))
        open_section(page, "Train")
        page.wait_for_timeout(200)
        found["look at another training"].append(looked_at(page, number))
    return found


def visit(browser: Browser, url: str) -> Page:
    """Open the page as a new visitor."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(url)
    page.wait_for_selector("#strip .strip", timeout=120_000)
    open_section(page, "Train")
    return page


def start_trainings(url: str) -> None:
    """Queue two long training runs, of which the first one runs on all cores."""
    client = Client(url, verbose=False)
    for name in ("First", "Second"):
        client.predict("sample:indonesian", name, "ind", "quick", {"max_steps": 10**6, "min_steps": 10**6},
                       api_name="/train_language")  # fmt: skip


def say(title: str, found: dict[str, list[float]]) -> None:
    """Print medians and 95th percentiles."""
    for name, times in found.items():
        late = statistics.quantiles(times, n=20)[-1]
        print(f"{title}: {name}: {statistics.median(times):.0f} ms at the median, {late:.0f} ms at the 95th percentile")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few clicks and one open browser: only check that it runs")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser to use")
    given = parser.parse_args()
    rounds, onlookers = (3, 1) if given.quick else (40, 10)
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=given.chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = visit(browser, url)
        start_trainings(url)
        page.wait_for_selector("#job .state.running", timeout=600_000)
        for _ in range(onlookers):
            visit(browser, url)
        page.bring_to_front()
        say(f"training, {onlookers} onlookers", timed(page, rounds))
        browser.close()
        store = Store(Path(home))
        for job in store.list():  # they would continue after the app ends
            store.discard(job.id)
            store.remove(job.id)


if __name__ == "__main__":
    main()
