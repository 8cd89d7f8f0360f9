"""The Library in headless Chromium: bring a vector, rename it, take it away, remove it, bring it back."""

import re
import zipfile

import pytest
from app_process import serving
from browsing import choose, expect, field, open_page, open_tab
from tiny_base import finish_language_job, write_corpus

from deftx.evidence.many_report import COLUMNS
from deftx.evidence.many_results import OVERLAPS, RESULTS
from deftx.jobs import Store
from deftx.publish.own_vectors import OwnVectors
from deftx.vectors.archives import pack


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """An app with one finished training."""
    home = tmp_path_factory.mktemp("home")
    finish_language_job(Store(home), page_base, write_corpus(home / "text.txt"))
    with serving(home, page_base) as app:
        yield app


@pytest.fixture(scope="module")
def page(app, browser):
    page = browser.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True).new_page()
    open_page(page, app)
    return page


def choose_vector(page, title):
    page.locator("#vectors button", has_text=re.compile(f"^{title}$")).click()
    expect(page.locator("#vector-detail h3")).to_have_text(title)


def test_a_vector_is_brought_renamed_taken_away_removed_and_brought_back(page, app, tmp_path):
    folder = Store(app.home).list()[0].out
    packed = pack(
        ((f"v/{name}", folder / name) for name in ("vector.json", "vector.safetensors")), tmp_path / "Bugis.zip"
    )
    open_tab(page, "Library")
    expect(page.locator("#vectors")).to_contain_text("Minangkabau")
    page.locator("#bring button").first.click()
    page.locator("#bring-file input[type=file]").set_input_files(packed)
    expect(page.locator("#bring-answer")).to_contain_text("“Bugis” was imported")
    expect(page.locator("#vector-detail h3")).to_have_text("Bugis")
    expect(page.locator("#vector-overlaps")).to_contain_text("Minangkabau")
    field(page, "vector-title").fill("Buginese")
    page.locator("#vector-rename").click()
    expect(page.locator("#vectors")).to_contain_text("Buginese")
    page.locator("#push button").first.click()
    choose(page, "push-vector", "Buginese")  # at once, without leaving the section
    with page.expect_download() as taken:
        page.locator("#vector-take").click()
    assert taken.value.suggested_filename == "Buginese.zip"
    with zipfile.ZipFile(taken.value.path()) as archive:
        assert archive.read("Buginese/vector.safetensors") == (folder / "vector.safetensors").read_bytes()
    page.locator("#vector-discard").click()
    expect(page.locator("#vector-said")).to_contain_text("“Buginese” was removed")
    expect(page.locator("#vectors")).not_to_contain_text("Buginese")
    assert [own.title for own in OwnVectors(app.home).trash()] == ["Buginese"]
    page.locator("#vector-undo").click()
    expect(page.locator("#vector-detail h3")).to_have_text("Buginese")
    expect(page.locator("#vectors")).to_contain_text("Buginese")
    page.locator("#vector-use").click()
    expect(page.get_by_role("tab", name="Test", selected=True)).to_be_visible()
    expect(page.locator("#language input")).to_have_value(re.compile("Buginese"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_bad_archives_are_explained_and_leave_the_list_as_it_is(page, app, tmp_path):
    open_tab(page, "Library")
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("../vector.json", "{}")
    expect(page.locator("#vectors tr").nth(1)).to_be_visible()
    before = page.locator("#vectors tr").count()
    if not page.locator("#bring-file").is_visible():
        page.locator("#bring button").first.click()
    page.locator("#bring-file input[type=file]").set_input_files(bad)
    expect(page.locator("#bring-answer")).to_contain_text("outside of its folder")
    assert page.locator("#vectors tr").count() == before
    choose_vector(page, "Madurese")
    expect(page.locator("#vector-detail")).to_contain_text("nusantara-e5")
    expect(page.locator("#vector-discard")).to_be_hidden()


def test_the_results_of_many_languages_are_shown_from_a_folder(page, tmp_path):
    row = ("ban", "Balinese", "default", "42", "60", "900", "6.9", "5.4", "600", "12", "0.5", "")
    (tmp_path / RESULTS).write_text("\n".join(",".join(line) for line in (COLUMNS, row)), encoding="utf-8")
    (tmp_path / OVERLAPS).write_text(",ban,min\nban,1.0,0.25\nmin,0.25,1.0\n", encoding="utf-8")
    open_tab(page, "Library")
    page.locator("#many button").first.click()
    field(page, "many-folder").fill(str(tmp_path))
    page.locator("#many-open").click()
    expect(page.locator("#many-answer")).to_contain_text("1 of 1 vectors")
    expect(page.locator("#many-overlaps .heatmaplayer").first).to_be_attached()
