"""Labelling in headless Chromium: fifty Balinese sentences are judged with keys, with the labels that NusaX gives them."""

import csv
import os
import re
from pathlib import Path

import pytest
from app_process import serving
from browsing import choose, expect, field, open_page, open_tab

from deftx.data.tables import read_table
from deftx.models.bases import BUNDLED_BASE

# The classifiers answer all sentences before the first one is shown, on whatever cores the other tests leave.
WHILE_CLASSIFYING = 900_000
COUNT = 50
SENTENCES = 75  # of the text: 25 are drawn at random for the score, and the 25 least sure ones of the other 50


@pytest.fixture(scope="module")
def truth():
    """The label of each sentence; a sentence is one line, as in a text that somebody uploads."""
    table = read_table(Path(os.environ["DEFTX_DATA"]) / "nusax" / "ban" / "train.csv")
    return {
        " ".join(text.split()): label for text, label in list(zip(table.texts, table.labels, strict=True))[:SENTENCES]
    }


@pytest.fixture
def app(tmp_path, truth):
    """The page over the bundled base, with the sentences as a text."""
    home = tmp_path / "home"
    (home / "corpora").mkdir(parents=True)
    (home / "corpora" / "balinese.txt").write_text("\n".join(truth), encoding="utf-8")
    with serving(home, BUNDLED_BASE) as app:
        yield app


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, app, section="")
    yield page
    context.close()


def sentence(page):
    return page.locator("#label-card blockquote").inner_text()


def done(page, count):
    expect(page.locator("#label-card .under-bar")).to_contain_text(f"{count} of {COUNT} done")


def key_of(page, label):
    return page.locator("#label-card .marks button", has_text=label).get_attribute("data-key")


@pytest.mark.data
def test_a_session_that_starts_has_the_focus_and_a_refused_one_does_not_take_it(page):
    open_tab(page, "Test")
    page.locator("#labelling button").first.click()
    choose(page, "label-text", "balinese.txt")
    field(page, "label-own").fill("a, b")  # needs no classifier
    page.locator("#label-start").click()
    expect(page.locator("#label-area")).to_be_focused()
    page.keyboard.press("1")
    done(page, 1)
    field(page, "label-own").fill("alone")
    page.locator("#label-start").click()
    expect(page.locator("#label-said")).to_contain_text("2 to 50 labels")
    page.wait_for_timeout(500)  # the focus would move after 0.1 s
    expect(page.locator("#label-area")).not_to_be_focused()


@pytest.mark.data
def test_fifty_sentences_are_judged_with_keys_over_a_reload_and_become_a_score_a_file_and_a_form(page, truth):
    page.locator("#guide-ready label", has_text="Balinese").click()
    expect(page.locator("#guide-answer .verdict")).to_be_visible()
    page.locator("#guide-label").click()  # the way from the last step of the guided path
    choose(page, "label-text", "balinese.txt")
    page.locator("#label-start").click()
    expect(page.locator("#label-card blockquote")).to_be_visible(timeout=WHILE_CLASSIFYING)
    expect(page.locator("#label-card .under-bar")).to_contain_text("Balinese")
    assert page.locator("#label-card .last").count() == 0  # nothing tells the classifier's answer
    expect(page.locator("#label-area")).to_be_focused()  # from here on, keys press the buttons
    judged = {}
    for count in range(COUNT):
        if count == COUNT // 2:
            page.reload()
            done(page, count)
            page.locator("#label-card blockquote").click()
        text = sentence(page)
        judged[text] = truth[text]
        if count == 3:  # a mistake, taken back
            page.keyboard.press("s")
            done(page, count + 1)
            page.keyboard.press("u")
            done(page, count)
            assert sentence(page) == text
        page.keyboard.press(key_of(page, truth[text]))
        done(page, count + 1)
        expect(page.locator("#label-card .last")).to_contain_text(f"You: {truth[text]}. Classifier: ")
    expect(page.locator("#label-card")).to_contain_text("All sentences are done.")
    assert len(judged) == COUNT

    with page.expect_download() as taken:
        page.locator("#label-takecsv").click()
    with open(taken.value.path(), encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["text"].removeprefix("'"): row["label"] for row in rows} == judged
    drawn = [row for row in rows if row["part"] == "random"]
    right = sum(row["label"] == row["classifier"] for row in drawn)
    assert len(drawn) == COUNT // 2
    expect(page.locator("#label-result .in-words").first).to_have_text(f"{right} of {len(drawn)} are right.")
    expect(page.locator("#label-result dl")).to_contain_text(f"{right / len(drawn):.0%}")

    page.locator("#label-improve").click()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible(timeout=WHILE_CLASSIFYING)
    expect(field(page, "order-train")).to_have_value("balinese-judged.csv")
    expect(field(page, "language-name")).to_have_value("balinese, judged")
    expect(field(page, "source")).to_have_value(re.compile("Balinese"))
    expect(field(page, "train-start")).to_have_value(re.compile("entiment"))
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("is in the queue")
    expect(page.locator("#use")).to_be_visible(timeout=WHILE_CLASSIFYING)
    page.locator("#use").click()  # the new task vector, with the language vector that was chosen before
    expect(field(page, "task")).to_have_value(re.compile("balinese, judged"))
    done(page, COUNT)  # nothing of it is lost
    page.locator("#label-rescore").click()
    expect(page.locator("#label-compared table")).to_be_visible(timeout=WHILE_CLASSIFYING)
    rights = [int(one) for one in re.findall(r"(\d+) / 25", page.locator("#label-compared table").inner_text())]
    assert rights[0] == right
    said = page.locator("#label-compared .in-words").first.inner_text()
    verdict = "better" if rights[1] > right else "worse" if rights[1] < right else "equally often"
    assert verdict in said
    if "LABELLING_PICTURE" in os.environ:  # docs/labelling.md
        page.locator("#label-result").scroll_into_view_if_needed()
        page.screenshot(path=os.environ["LABELLING_PICTURE"])
