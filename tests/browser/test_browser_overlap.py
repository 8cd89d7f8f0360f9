"""Overlap and the check by hand in headless Chromium: plots that open, a check with the keyboard, through a reload."""

import re

from browsing import choose, expect, open_tab
from tiny_base import write_corpus

from deftx.classify.self_check import load


def test_overlap_opens_with_the_bundled_vectors_and_follows_the_choice(page):
    open_tab(page, "Overlap")
    for plot in ("heatmap", "bars", "layers", "kinds"):
        expect(page.locator(f"#overlap-{plot} .js-plotly-plot")).to_be_visible()
    expect(page.locator("#overlap-all .reading")).to_contain_text("chance would give 50")
    page.locator("#overlap-measure label", has_text="Same direction").click()
    expect(page.locator("#overlap-all caption")).to_have_text(re.compile("Same direction"))
    choose(page, "overlap-second", "Madurese")
    expect(page.locator("#overlap-pair .reading")).to_contain_text("Acehnese and Madurese share")
    page.locator("#overlap-pair summary").click()
    expect(page.locator("#overlap-pair table").last).to_contain_text("Attention output")
    page.locator("#overlap-vectors .remove-all").click()
    expect(page.locator("#overlap-refused")).to_contain_text("two or more")
    expect(page.locator("#overlap-heatmap .js-plotly-plot")).to_be_hidden()
    assert page.foreign == []


def test_a_check_goes_by_keyboard_survives_a_reload_and_is_kept(page, app, tmp_path):
    corpus = write_corpus(tmp_path / "three.txt", lines=3)
    page.locator("#corpus-file input[type=file]").set_input_files(corpus)
    expect(page.locator("#audit h3")).to_have_text("three.txt")
    open_tab(page, "Test")
    choose(page, "task", "Mood")
    page.locator("#check button").first.click()
    choose(page, "check-text", "three.txt")
    page.locator("#check-start").click()
    card = page.locator("#check-card")
    expect(card).to_contain_text("Sentence 1 of 3")
    expect(page.locator("#check-area")).to_be_focused()
    first = card.locator("blockquote").inner_text()
    assert not any(word in card.inner_text() for word in ("classifier", "answered"))
    page.keyboard.press("1")
    expect(card).to_contain_text("Sentence 2 of 3")
    expect(card.locator(".last")).to_contain_text(first)
    expect(card.locator(".last")).to_contain_text("The classifier answered")
    page.keyboard.press("u")
    expect(card.locator("blockquote")).to_have_text(first)
    page.keyboard.press("2")
    expect(card).to_contain_text("Sentence 2 of 3")
    second = card.locator("blockquote").inner_text()
    page.reload()
    expect(page.locator("html[data-opened]")).to_be_attached()
    expect(card.locator("blockquote")).to_have_text(second)
    card.get_by_role("button", name="positive").click()
    expect(card).to_contain_text("Sentence 3 of 3")
    page.keyboard.press("0")
    expect(card).to_contain_text("All sentences are judged")
    expect(page.locator("#check-result")).to_contain_text("95 % interval")
    page.locator("#check-save").click()
    expect(page.locator("#check-earlier")).to_contain_text("three.txt")
    (kept,) = load(app.home)
    assert (kept["judged"], kept["unsure"]) == (2, 1)
