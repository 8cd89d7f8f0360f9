"""Files in headless Chromium: one of texts becomes a CSV that is downloaded, a labelled one a table of scores."""

import csv

import pytest
from app_process import serving
from browsing import choose, expect, open_page, open_tab
from tiny_base import finish_language_job, finish_task_job, write_corpus

from deftx.jobs import Store


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    home = tmp_path_factory.mktemp("home")
    text = write_corpus(tmp_path_factory.mktemp("text") / "text.txt")
    finish_task_job(Store(home), page_base)
    finish_language_job(Store(home), page_base, text, "Bugis")
    finish_language_job(Store(home), page_base, text, "Minangkabau")
    with serving(home, page_base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, app)
    open_tab(page, "Test")
    yield page
    context.close()


def test_a_file_of_texts_becomes_a_csv_and_its_answers_outlive_a_reload(page, tmp_path):
    texts = tmp_path / "reviews.csv"
    lines = [f"{n},the food is {'good' if n % 2 else 'not good'}" for n in range(300)]
    texts.write_text("\n".join(["n,review", *lines]), encoding="utf-8")
    choose(page, "language", "Bugis")
    page.locator("#texts-file input[type=file]").set_input_files(texts)
    expect(page.locator("#texts-column-text input")).to_have_value("review")
    page.locator("#classify-file").click()
    expect(page.locator("#file-view")).to_contain_text("300")
    expect(page.locator("#file-view")).to_contain_text("Bugis")
    expect(page.locator("#file-rows tr")).to_have_count(101)  # the first hundred, and the heads
    page.reload()
    open_tab(page, "Test")
    expect(page.locator("#file-view")).to_contain_text("300")
    label = page.locator("#file-rows td b").first.inner_text()
    choose(page, "file-label", label)
    expect(page.locator("#file-rows td b").last).to_have_text(label)
    choose(page, "file-order", "Least certain")
    with page.expect_download() as download:
        page.locator("#file-download").click()
    assert download.value.suggested_filename == "reviews-classified.csv"
    with open(download.value.path(), encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["n"] for row in rows] == [str(n) for n in range(300)]
    assert {row["label"] for row in rows} <= {"negative", "positive"}


def test_a_labelled_file_becomes_a_table_with_its_labels_mapped_by_hand(page, app, tmp_path):
    table = tmp_path / "test.csv"
    rows = [
        f"the {noun} was {word},{label}" for noun in ("day", "food") for word, label in (("fine", "pos"), ("bad", "x"))
    ]
    table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    choose(page, "language", "Minangkabau")
    page.locator("#score-file input[type=file]").set_input_files(table)
    expect(page.locator("#score-table input")).to_have_value("test.csv")
    page.locator("#score-compare input").check()
    page.locator("#score-start").click()
    expect(page.locator("#score-labels")).to_be_visible()
    expect(page.locator("#score-view")).to_contain_text("pos, x")
    expect(page.locator("#score-label-0 input")).to_have_value("positive")
    choose(page, "score-label-1", "negative")
    page.locator("#score-start").click()
    expect(page.locator("#score-lines tbody tr")).to_have_count(5)
    expect(page.locator("#score-lines")).to_contain_text("Task vector + Bugis")
    expect(page.locator("#intervals .js-plotly-plot")).to_be_visible()
    expect(page.locator("#confusion .js-plotly-plot")).to_be_visible()
    choose(page, "score-combination", "Base model as it is")
    page.locator("#score-details summary").click()
    expect(page.locator("#score-details table").first).to_be_visible()
    expect(page.locator("#score-details")).to_contain_text("The hardest mistakes")
