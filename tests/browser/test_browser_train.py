"""The training form in headless Chromium: nothing that was typed is lost, and a start is refused by the field's name."""

import re

from browsing import expect, field, open_tab
from tiny import labelled_rows, write_csv

from deftx.jobs import Store


def test_a_task_is_ordered_and_an_error_or_a_reload_loses_nothing(page, app, tmp_path):
    open_tab(page, "Train")
    page.get_by_label(re.compile("A task vector")).check()
    expect(page.locator("#language-name")).to_contain_text("Name of the task")
    page.locator("input[type=file]:has(+ #upload-train)").set_input_files(
        write_csv(tmp_path / "moods.csv", ("text", "label"), labelled_rows())
    )
    expect(page.locator("#order-train input")).to_have_value("moods.csv")
    expect(page.locator("#outlook dl")).to_be_visible()
    field(page, "language-name").fill("Moods")
    page.locator("#advanced button").first.click()
    before = page.evaluate("localStorage.getItem('deftx-studio-form')")  # encrypted by the page itself
    field(page, "setting-learning-rate").fill("fast")
    expect(page.locator("#outlook")).to_contain_text("Learning rate:")
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("is not a number")
    expect(page.locator("#language-name input, #language-name textarea")).to_have_value("Moods")
    page.wait_for_function("before => localStorage.getItem('deftx-studio-form') !== before", arg=before)
    page.reload()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible()
    expect(page.locator("#language-name input, #language-name textarea")).to_have_value("Moods")
    expect(page.locator("#order-train input")).to_have_value("moods.csv")
    page.locator("#advanced button").first.click()
    expect(field(page, "setting-learning-rate")).to_have_value("fast")
    field(page, "setting-learning-rate").fill("0.002")
    expect(page.locator("#outlook dl")).to_be_visible()
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("in the queue")
    job = Store(app.home).list()[0]
    assert (job.kind, job.name, job.settings["recipe"]) == ("task", "Moods", {"learning_rate": 0.002})
    Store(app.home).discard(job.id)
