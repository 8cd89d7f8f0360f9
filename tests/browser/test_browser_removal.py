"""Removing a text as a person does it: without this, a button could be in the page and yet out of sight."""

import re

from browsing import expect, upload


def test_a_text_is_removed_and_undo_brings_it_back(page, tmp_path):
    path = tmp_path / "wrong.txt"
    path.write_text("the food is good\n" * 30, encoding="utf-8")
    expect(page.locator("#remove-text")).to_be_hidden()
    expect(page.locator("#clean")).to_be_hidden()  # there is nothing to clean yet
    upload(page, path)
    expect(page.locator("#audit .figures")).to_be_visible()
    expect(page.locator("#clean")).to_be_visible()
    page.locator("#remove-text").click()
    expect(page.locator("#removed-text")).to_contain_text("wrong.txt was removed")
    expect(page.locator("#corpus-choice input")).to_have_value("")
    expect(page.locator("#remove-text")).to_be_hidden()
    page.locator("#undo-text").click()
    expect(page.locator("#corpus-choice input")).to_have_value(re.compile("wrong"))
    expect(page.locator("#audit")).to_contain_text("wrong.txt")
