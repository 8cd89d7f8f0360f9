"""The Spectra section in headless Chromium: a choice, the slider, a cell of the map, and a training with another rank."""

import pytest
from app_process import serving
from browsing import choose, expect, open_page, open_tab
from tiny_base import SHORT, write_corpus

from deftx.core.files import write_json
from deftx.jobs import Store
from deftx.jobs.job import RESULT
from deftx.jobs.work import learn_language


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    home = tmp_path_factory.mktemp("home")
    corpus = write_corpus(tmp_path_factory.mktemp("text") / "words.txt")
    settings = {"base": str(page_base), "preset": "quick", "recipe": SHORT, "delta": "delta", "corpus": str(corpus)}
    job = Store(home).add("language", "Bugis", settings)
    learn_language(job.settings, job.folder, lambda event: None, lambda: False)
    write_json(job.folder / RESULT, {"outcome": "finished", "message": "Finished."})
    with serving(home, page_base) as app:
        yield app


def test_a_rank_is_tried_and_then_trained_from_the_same_delta(app, browser):
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    open_page(page, app)
    open_tab(page, "Spectra")
    expect(page.locator("#spectra-of input")).to_have_value("Bugis (trained here)")
    expect(page.locator("#spectra-summary")).to_contain_text("variance:0.9")
    for plot in ("map", "values", "shares"):
        expect(page.locator(f"#spectra-{plot} .js-plotly-plot")).to_be_visible()
    page.locator("#spectra-share input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#spectra-summary")).to_contain_text("variance:0.89")
    place = page.locator("#spectra-map .nsewdrag")
    box = place.bounding_box()
    place.click(position={"x": 0.5 * box["width"], "y": 0.5 * box["height"]})  # the fifth of nine, the second of three
    expect(page.locator("#spectra-matrix input")).to_have_value("layer 0 · attention.self.key")
    page.locator("#spectra-strategy label", has_text="uniform").click()
    page.locator("#spectra-rank input[type=number]").fill("3")
    page.keyboard.press("Tab")
    expect(page.locator("#spectra-summary")).to_contain_text("uniform:3")
    page.locator("#spectra-mask-button").click()
    expect(page.locator("#spectra-mask")).to_contain_text("already in the mask of this vector")
    page.locator("#spectra-train").click()
    expect(page.locator("#spectra-answer")).to_contain_text("Bugis, uniform:3 is in the queue")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    open_tab(page, "Train")
    expect(page.locator("#job h3")).to_contain_text("Bugis, uniform:3")
    expect(page.locator("#job .state.finished")).to_be_visible()
    open_tab(page, "Spectra")
    choose(page, "spectra-of", "Bugis, uniform:3")
    expect(page.locator("#spectra-summary")).to_contain_text("uniform:3")
