"""Removing a text as a person does it: without this, a button could be in the page and yet out of sight."""

import re

from browsing import LONG, expect, pytestmark, upload  # noqa: F401 (marks)
from test_browser import app, base, page  # noqa: F401 (fixtures)


def test_a_text_is_removed_and_undo_brings_it_back(page, tmp_path):  # noqa: F811
    path = tmp_path / "wrong.txt"
    path.write_text("the food is good\n" * 30, encoding="utf-8")
    expect(page.locator("#remove-text")).to_be_hidden()
    expect(page.locator("#clean")).to_be_hidden()  # there is nothing to clean yet
    upload(page, path)
    expect(page.locator("#audit .figures")).to_be_visible(timeout=LONG)
    expect(page.locator("#clean")).to_be_visible()
    page.locator("#remove-text").click(timeout=LONG)
    expect(page.locator("#removed-text")).to_contain_text("wrong.txt was removed", timeout=LONG)
    expect(page.locator("#corpus-choice input")).to_have_value("")
    expect(page.locator("#remove-text")).to_be_hidden(timeout=LONG)
    page.locator("#undo-text").click()
    expect(page.locator("#corpus-choice input")).to_have_value(re.compile("wrong"), timeout=LONG)
    expect(page.locator("#audit")).to_contain_text("wrong.txt", timeout=LONG)
