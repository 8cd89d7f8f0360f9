"""The Corpus section in headless Chromium, on a screen as wide as a phone: from files to a cleaned copy and to labels."""

import re

import pytest
from browsing import choose, expect, open_page, open_tab
from tiny_base import write_corpus


@pytest.fixture(scope="module")
def page(app, browser):
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    open_page(page, app)
    return page


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth") <= 390


def test_files_become_one_text_and_a_cleaned_copy_beside_it(page, tmp_path):
    files = [write_corpus(tmp_path / "one.txt"), tmp_path / "two.txt"]
    files[1].write_text("the food is good\n***\n" * 30, encoding="utf-8")
    page.locator("#corpus-file input[type=file]").set_input_files(files)
    expect(page.locator("#audit")).to_contain_text("430")
    expect(page.locator("#audit")).to_contain_text("one.txt, two.txt")
    expect(page.locator("#lengths .js-plotly-plot")).to_be_visible()
    expect(page.locator("#corpus-details")).to_contain_text("one-and-1-more.txt, line 402")
    page.locator("#clean button").first.click()
    repeated = page.locator("#clean-choices label", has_text="repeated lines")
    expect(repeated).to_contain_text("Lines removed: 29")  # shown before it is ticked
    repeated.click()
    expect(page.locator("#clean-effects")).to_contain_text("after cleaning: 401")
    page.locator("#clean-apply").click()
    expect(page.locator("#audit h3")).to_have_text("one-and-1-more-cleaned.txt")
    expect(page.locator("#audit")).to_contain_text("Cleaned from one-and-1-more.txt")
    choose(page, "corpus-choice", "one-and-1-more.txt")
    expect(page.locator("#audit")).to_contain_text("430")
    page.locator("#corpus-file input[type=file]").set_input_files(files[1])  # nearly every line repeats the first one
    page.locator('#audit .notes li:has-text("repeat an earlier line") [data-pick="repeated"]').click()
    expect(page.locator("#audit h3")).to_have_text("two-cleaned.txt")
    expect(page.locator("#corpus-refused [role=status]")).to_contain_text("To undo, choose two.txt again")
    assert fits(page)


def test_the_way_to_train_asks_for_a_text_in_place(page):
    page.reload()
    page.evaluate("localStorage.clear()")
    page.reload()
    open_tab(page, "Corpus")
    page.locator("#to-train").click()
    expect(page.locator("#corpus-refused [role=alert]")).to_contain_text("Please upload a text")
    assert page.locator("#corpus-file").is_visible()


def test_columns_that_are_not_recognised_are_chosen_by_hand(page, tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text("review,stars\n" + "".join(f"the food {n},{n % 2}\n" for n in range(40)), encoding="utf-8")
    page.locator("#table-file-train input[type=file]").set_input_files(table)
    expect(page.locator("#table-columns")).to_contain_text("the food 0")
    expect(page.locator("#table-column-text input")).to_have_value("review")
    choose(page, "table-column-label", "stars")
    page.locator("#table-use-columns").click()
    expect(page.locator("#table-findings")).to_contain_text("Label is “stars”")
    expect(page.locator("#table-columns")).to_be_hidden()
    assert re.search(r"0: 20", page.locator("#table-findings").inner_text())
    page.reload()
    expect(page.locator("#strip .strip")).to_be_visible()
    choose(page, "table-train", "reviews.csv")
    expect(page.locator("#table-findings")).to_contain_text("Label is “stars”")
    assert fits(page)
