"""The training form in headless Chromium: nothing that was typed is lost, and a start is refused by the field's name."""

import re

import pytest
from browsing import LONG, expect, field, open_page, open_tab, pytestmark, serving  # noqa: F401 (marks)
from tiny import labelled_rows, write_csv
from tiny_base import make_base

from deftx.jobs import Store


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("home"), make_base(tmp_path_factory.mktemp("base"))) as app:
        yield app


@pytest.fixture
def page(app, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    open_page(page, app)
    yield page
    page.close()


def test_a_task_is_ordered_and_an_error_or_a_reload_loses_nothing(page, app, tmp_path):
    open_tab(page, "Train")
    page.get_by_label(re.compile("A task vector")).check()
    expect(page.locator("#language-name")).to_contain_text("Name of the task", timeout=LONG)
    page.locator("input[type=file]:has(+ #upload-train)").set_input_files(
        write_csv(tmp_path / "reviews.csv", ("text", "label"), labelled_rows())
    )
    expect(page.locator("#order-train input")).to_have_value("reviews.csv", timeout=LONG)
    expect(page.locator("#outlook dl")).to_be_visible(timeout=LONG)
    field(page, "language-name").fill("Mood")
    page.locator("#advanced button").first.click()
    field(page, "setting-learning-rate").fill("fast")
    expect(page.locator("#outlook")).to_contain_text("Learning rate:", timeout=LONG)
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("is not a number", timeout=LONG)
    expect(page.locator("#language-name input, #language-name textarea")).to_have_value("Mood")
    page.wait_for_timeout(1_500)  # what is kept is written by the page itself
    page.reload()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible(timeout=LONG)
    expect(page.locator("#language-name input, #language-name textarea")).to_have_value("Mood", timeout=LONG)
    expect(page.locator("#order-train input")).to_have_value("reviews.csv", timeout=LONG)
    page.locator("#advanced button").first.click()
    expect(field(page, "setting-learning-rate")).to_have_value("fast")
    field(page, "setting-learning-rate").fill("0.002")
    expect(page.locator("#outlook dl")).to_be_visible(timeout=LONG)
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("in the queue", timeout=LONG)
    job = Store(app.home).list()[0]
    assert (job.kind, job.name, job.settings["recipe"]) == ("task", "Mood", {"learning_rate": 0.002})
    Store(app.home).discard(job.id)
