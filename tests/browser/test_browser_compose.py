"""Composing in headless Chromium: strengths by the keyboard, and two pages that never see each other's combination."""

import re
import shutil

import pytest
from app_process import serving
from browsing import choose, expect, field, open_page, open_tab, probabilities

from deftx.classify.composition import compose
from deftx.models.bases import BUNDLED_BASE, load_base

TEXT = "Hotelnyo rancak, tapi makanannyo indak lamak."


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The page over the bundled base: on it, strengths can be seen."""
    with serving(tmp_path_factory.mktemp("home"), BUNDLED_BASE) as app:
        yield app


@pytest.fixture(scope="module")
def bundled():
    return load_base(BUNDLED_BASE)


@pytest.fixture
def pages(app, browser):
    """Two visitors, each with a browser of their own."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        open_page(page, app)
        open_tab(page, "Test")
    yield pages
    for context in contexts:
        context.close()


def expected(base, strength):
    """The library's own answer, as the page writes it."""
    classifier = compose(base, task="sentiment", language="min", strength_language=strength)
    return [float(f"{100 * p:.1f}") for p in classifier.classify([TEXT])[0].tolist()]


def ask(page):
    choose(page, "language", "Minangkabau")
    field(page, "sentence").fill(TEXT)
    expect(page.locator("#answer blockquote")).to_have_text(TEXT)
    expect(page.locator("#answer")).to_contain_text("Minangkabau (min, bundled)")


def open_strengths(page):
    page.locator("#strengths button").first.click()


def move(page, name, key, times):
    slider = page.locator(f"#{name} input[type=range]")
    slider.focus()
    for _ in range(times):
        slider.press(key)


def shown_strength(page):
    """The strength of the language vector that the report on the page speaks of."""
    return page.locator("#merge-report tr").last.locator("td").first


def test_a_strength_moved_by_the_keyboard_is_answered_at_once_and_only_on_its_own_page(pages, bundled):
    one, other = pages
    for page in pages:
        ask(page)
        open_strengths(page)
        assert probabilities(page) == expected(bundled, 1.0)
        expect(page.locator("#words .words")).to_contain_text("lamak")
    move(one, "strength-language", "ArrowRight", 20)
    expect(one.locator("#strength-language input[type=number]")).to_have_value("2")
    one.locator("#merge-did button").first.click()
    expect(shown_strength(one)).to_have_text("2")
    move(other, "strength-language", "ArrowLeft", 20)
    other.locator("#merge-did button").first.click()
    expect(shown_strength(other)).to_have_text("0")
    assert probabilities(one) == expected(bundled, 2.0)
    assert probabilities(other) == expected(bundled, 0.0)
    assert expected(bundled, 2.0) != expected(bundled, 0.0)
    one.locator("#classify").click()  # after the other's: the page's own combination, not the last one on the machine
    expect(shown_strength(one)).to_have_text("2")
    assert probabilities(one) == expected(bundled, 2.0)


def test_a_merge_method_shows_its_parameters_and_says_what_it_did(pages):
    page, _ = pages
    ask(page)
    expect(page.locator("#sides section")).to_have_count(4)
    page.locator("#merge-advanced button").first.click()
    expect(page.locator("#merge-drop")).to_have_count(0)
    page.locator("#merge-did button").first.click()
    page.get_by_label(re.compile("DARE")).check()
    expect(page.locator("#merge-drop")).to_be_visible()
    expect(page.locator("#merge-report")).to_contain_text("dropped at random")
    page.get_by_label(re.compile("TIES")).check()
    expect(page.locator("#merge-report")).to_contain_text("their mean is used")
    expect(page.locator("#merge-drop")).to_have_count(0)
    expect(page.locator("#merge-keep")).to_be_visible()


def test_what_is_tried_is_downloaded_as_a_plain_folder(pages, tmp_path):
    transformers = pytest.importorskip("transformers")
    page = pages[0]
    choose(page, "language", "min")
    with page.expect_download() as loading:
        page.locator("#take-classifier").click()
    expect(page.locator("#take-answer")).to_contain_text("classifier-sentiment-Minangkabau.zip")
    shutil.unpack_archive(loading.value.path(), tmp_path, "zip")
    tried = transformers.pipeline("text-classification", str(tmp_path / "classifier-sentiment-Minangkabau"), top_k=None)
    scores = sorted((found["score"] for found in tried([TEXT])[0]), reverse=True)
    field(page, "sentence").fill(TEXT)
    expect(page.locator("#answer")).to_contain_text(f"{100 * scores[0]:.1f}%")
    assert sorted(probabilities(page), reverse=True) == [round(100 * score, 1) for score in scores]
