"""Benchmark: what a browser computes for the page, with Gradio's own search for components and with an index.

    python benchmarks/component_lookup.py [--rounds 3] [--quick]

The real app with the bundled base, in headless Chromium: the page is opened, and every section is shown once. The two sides differ in
one script (ui/access/component_lookup.py). The seconds are those of the page's main thread ("TaskDuration" of Chromium's performance
metrics, in processor time), so they do not depend on what else the machine does.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Route, sync_playwright
from sides import ROOT, report

sys.path.insert(0, str(ROOT / "scripts"))
from screenshots import open_section, running_app

from ui.access.component_lookup import SCRIPTS, routes

SECTIONS = ("Corpus", "Train", "Test", "Spectra", "Overlap", "Library", "History")
SETTLED = 1_000  # milliseconds after a section is shown


def answer_with(script: str, asked: Route) -> None:
    """Answer a request for a script."""
    asked.fulfill(body=script, content_type="text/javascript")


def measure(browser: Browser, url: str, searched: bool, sections: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds of the main thread for opening the page, and for that and showing the sections."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    for route in routes() if searched else ():
        script = (SCRIPTS / Path(route.path).name).read_text(encoding="utf-8")
        page.route(f"**{route.path}", partial(answer_with, script))
    metrics = context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

    def seconds() -> float:
        found = metrics.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in found if one["name"] == "TaskDuration")

    page.goto(url)
    page.wait_for_selector("html[data-opened]", state="attached", timeout=120_000)
    page.wait_for_timeout(SETTLED)
    opened = seconds()
    for section in sections:
        open_section(page, section)
        page.wait_for_timeout(SETTLED)
    shown = seconds()
    context.close()
    return opened, shown


def main() -> None:
    """Measure both sides alternately, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="once, and one section: only check that it runs")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser to use")
    given = parser.parse_args()
    rounds, sections = (1, SECTIONS[:1]) if given.quick else (given.rounds, SECTIONS)
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home, running_app(Path(home)) as url:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=["--no-sandbox"])
        for _ in range(rounds):
            for searched, sides in found.items():
                sides.append(measure(browser, url, searched, sections))
        browser.close()
    for place, what in enumerate(("open the page", "open it and show the sections")):
        search, index = (median(side[place] for side in found[searched]) for searched in (True, False))
        report(what, index, search, "s", "1")


if __name__ == "__main__":
    main()
