"""Words with tags in headless Chromium: names are marked in the text, and an uploaded file of words is trained on."""

import re

import pytest
import tiny_base
import tiny_tokens
from app_process import serving
from browsing import choose, expect, field, open_page, open_tab

from deftx.jobs import Store
from deftx.models.bases import load_base
from deftx.training.task import learn_task

NOUNS = ("day", "night", "food", "house")
LONGER = {"max_steps": 60, "epochs": 60, "evaluate_every": 20, "learning_rate": 5e-3, "k": 3000}


def rows(noun, other):
    return [
        {"tokens": ["the", word, verb, mood], "tags": [other, noun, other, other]}
        for word in NOUNS for verb in ("is", "was") for mood in ("good", "bad", "fine", "awful")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """An app with a finished task that finds names."""
    home = tmp_path_factory.mktemp("home")
    file = tiny_tokens.write_jsonl(tmp_path_factory.mktemp("rows") / "rows.jsonl", rows("B-THING", "O"))

    def learn(recipe, job):
        learn_task(file, load_base(page_base), recipe.changed(LONGER), out=job.out)

    tiny_base._finish(Store(home), "task", "Things", page_base, learn)
    with serving(home, page_base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, app)
    yield page
    context.close()


def test_names_are_marked_in_the_text_and_in_a_file(page, tmp_path):
    open_tab(page, "Test")
    choose(page, "task", "Things")
    field(page, "sentence").fill("the food is good")
    expect(page.locator("#marked")).to_contain_text("THING")
    expect(page.locator("#answer")).to_contain_text("Found: 1")
    texts = tmp_path / "texts.txt"
    texts.write_text("the night was bad\nis\n", encoding="utf-8")
    page.locator("#texts-file input[type=file]").set_input_files(texts)
    page.locator("#classify-file").click()
    expect(page.locator("#file-rows .for")).to_have_count(1)
    expect(page.locator("#file-rows .for")).to_contain_text("night")
    expect(page.locator("#file-others")).to_contain_text("texts-tagged")
    with page.expect_download() as download:
        page.locator("#file-download").click()
    assert download.value.suggested_filename == "texts-tagged.csv"


def test_an_uploaded_file_of_words_is_trained_on_and_its_tags_are_seen(page, app, tmp_path):
    file = tiny_tokens.write_conll(tmp_path / "parts.conll", rows("NOUN", "OTHER"))
    page.locator("#table-file-train input[type=file]").set_input_files(file)
    expect(page.locator("#table-findings")).to_contain_text("NOUN: 32")
    page.locator("#to-train-task").click()
    expect(page.locator("#order-train input")).to_have_value("parts.conll")
    field(page, "language-name").fill("Parts")
    page.locator("#advanced button").first.click()
    field(page, "setting-max-steps").fill("4")
    expect(page.locator("#outlook dl")).to_be_visible()
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("in the queue")
    expect(page.locator("#job .state.finished")).to_be_visible()
    open_tab(page, "Test")
    choose(page, "task", "Parts")
    field(page, "sentence").fill("the food is good")
    expect(page.locator("#marked")).to_contain_text(re.compile("NOUN|OTHER"))
    (job,) = [job for job in Store(app.home).list() if job.name == "Parts"]
    assert job.settings["train"].endswith("parts.conll")


def test_a_mark_is_corrected_with_a_click_and_kept_over_a_reload(page, app, tmp_path):
    text = tmp_path / "town.txt"
    text.write_text(
        "\n".join(f"the {noun} is {mood}" for noun in NOUNS for mood in ("good", "awful")), encoding="utf-8"
    )
    page.locator("#corpus-file input[type=file]").set_input_files(text)
    expect(page.locator("#corpus-choice input")).to_have_value("town.txt")
    open_tab(page, "Test")
    choose(page, "task", "Things")
    page.locator("#word-labelling button").first.click()
    choose(page, "words-text", "town.txt")
    field(page, "words-count").fill("4")
    page.locator("#words-start").click()
    marks = page.locator("#words-card .for")
    expect(marks).to_have_count(1)
    heard = page.locator("#words-card [aria-live]")
    expect(heard).to_have_text(re.compile(r"^the \w+ is (good|awful)$"))
    first = heard.text_content()
    marked = marks.first.get_attribute("data-pick")
    marks.first.click()
    expect(marks).to_have_count(0)
    expect(page.locator(f'#words-card [data-pick="{marked}"]')).to_be_focused()  # so keys go on from there
    page.locator("#words-card .words button").last.click()
    expect(marks).to_contain_text("THING")
    assert heard.text_content() == first  # it is not read again at every click
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#words-result")).to_contain_text("F1 of names: 0.0000")
    expect(page.locator('#words-card [data-pick="1:next"]')).to_be_focused()
    assert heard.text_content() == page.locator("#words-card .words button").evaluate_all(
        "words => words.map(word => word.firstChild.textContent).join(' ')") != first  # fmt: skip
    page.reload()
    open_tab(page, "Test")
    page.locator("#word-labelling button").first.click()
    choose(page, "words-sessions", "town.txt")
    expect(page.locator("#words-card .under-bar")).to_contain_text("1 of 4 done")
    with page.expect_download() as download:
        page.locator("#words-takeconll").click()
    assert download.value.suggested_filename == "town-corrected.conll"
