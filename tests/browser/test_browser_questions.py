"""A question in headless Chromium: its answer is marked in the text, and the Library opens Test with its task."""

import pytest
import tiny_base
import tiny_questions
from app_process import serving
from browsing import choose, expect, field, open_page, open_tab

from deftx.jobs import Store
from deftx.models.bases import load_base
from deftx.training.task import learn_task

LONGER = {"max_steps": 60, "epochs": 60, "evaluate_every": 30, "learning_rate": 1e-2, "k": 3000}


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """An app with a finished task on sentences and a better one that answers questions."""
    home = tmp_path_factory.mktemp("home")
    texts = [
        (f"very the {noun} {verb} {mood} was", mood)
        for noun in ("day", "night", "food", "house") for verb in ("is", "was") for mood in ("good", "bad", "fine", "awful")
    ]  # fmt: skip
    paragraphs = [tiny_questions.paragraph(text, ("is the", mood), name=str(n)) for n, (text, mood) in enumerate(texts)]
    file = tiny_questions.write_squad(tmp_path_factory.mktemp("rows") / "rows.json", paragraphs)

    def learn(recipe, job):
        learn_task(file, load_base(page_base), recipe.changed(LONGER), out=job.out)

    tiny_base.finish_task_job(Store(home), page_base)
    tiny_base._finish(Store(home), "task", "Answers", page_base, learn)
    with serving(home, page_base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_page(page, app)
    yield page
    context.close()


def test_the_answer_is_marked_in_the_text(page):
    open_tab(page, "Test")
    expect(page.locator("#hypothesis")).to_be_hidden()
    choose(page, "task", "Answers")
    expect(page.locator("#hypothesis")).to_contain_text("Text with the answer")
    expect(page.locator("#sentence")).to_contain_text("Question")
    field(page, "sentence").fill("is the")
    expect(page.locator("#answer")).to_contain_text("Please type a question")
    field(page, "hypothesis").fill("very the food is fine was")
    expect(page.locator("#answer .verdict")).to_have_text("fine")
    expect(page.locator("#marked")).to_contain_text("Answer")
    choose(page, "task", "Mood")
    expect(page.locator("#hypothesis")).to_be_hidden()
    expect(page.locator("#marked")).to_be_hidden()


def test_the_library_opens_test_with_it(page):
    open_tab(page, "Library")
    page.locator("#vectors button[data-show]", has_text="Answers").click()
    expect(page.locator("#vector-detail")).to_contain_text("Exact match of answers")
    page.locator("#vector-use").click()
    expect(page.locator("#hypothesis")).to_contain_text("Text with the answer")
