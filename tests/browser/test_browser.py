"""The real app in headless Chromium, from a text file to a classified sentence, through reloads and kills."""

import re

import pytest
from browsing import choose, expect, field, held, open_tab, probabilities, start_training, step, upload

from deftx.jobs import Store, state_of


def test_from_a_text_file_to_a_classified_sentence_through_a_reload(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000")
    start_training(page, "Minangkabau", 300)
    with held(app, "Minangkabau"):
        expect(page.locator("#job .phases .active")).to_contain_text(re.compile("Dense|Sparse"))
        expect(page.locator("#job .bar")).to_be_visible()
        expect(page.locator("#strip")).to_contain_text("Minangkabau")
    page.reload()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible()
    expect(page.locator("#job h3")).to_contain_text("Minangkabau")
    expect(page.locator("#train-text input")).to_have_value("sentences.txt")
    expect(page.locator("#loss .js-plotly-plot")).to_be_visible()
    expect(page.locator("#job .state.finished")).to_be_visible()
    expect(page.locator("#evidence")).to_contain_text("Base model alone")
    page.locator("#use").click()
    expect(page.locator("#language input")).to_have_value(re.compile("Minangkabau"))
    field(page, "sentence").fill("the food is good")
    field(page, "sentence").press("Enter")
    expect(page.locator("#answer table")).to_be_visible()
    assert len(probabilities(page)) == 2
    assert sum(probabilities(page)) == pytest.approx(100, abs=0.11)
    expect(page.locator("#answer")).to_contain_text("Minangkabau")
    assert page.foreign == []  # everything comes from this machine


def test_a_bad_upload_says_why_and_keeps_what_was_chosen(page, tmp_path):
    choose(page, "corpus-choice", "Sample")
    expect(page.locator("#audit")).to_contain_text("60")
    bad = tmp_path / "picture.txt"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")
    upload(page, bad)
    expect(page.locator("#corpus-refused")).to_contain_text("is a picture")
    expect(page.locator("#corpus-choice input")).to_have_value(re.compile("Sample"))
    open_tab(page, "Train")
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("enter a name for the language")


def test_a_text_in_an_old_encoding_is_shown_and_used_when_it_reads_right(page, tmp_path):
    old = tmp_path / "old.txt"
    old.write_bytes("l’été est chaud\n".encode("cp1252") * 60)
    upload(page, old)
    expect(page.locator("#corpus-encodings")).to_contain_text("l’été est chaud")
    expect(page.locator("#corpus-choice input")).not_to_have_value("old.txt")
    page.locator("#corpus-use-encoding").click()
    expect(page.locator("#corpus-choice input")).to_have_value("old.txt")
    expect(page.locator("#corpus-encodings")).to_be_hidden()


def test_stop_keeps_resume_goes_on_and_discard_can_be_undone(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000")
    start_training(page, "Bugis", 20_000)
    expect(page.locator("#job .under-bar")).to_contain_text("left")
    page.locator("#stop").click()
    expect(page.locator("#job .state.stopped")).to_be_visible()
    _, reached = step(page)
    page.locator("#resume").click()
    expect(page.locator("#job .under-bar")).to_contain_text("left")
    assert step(page)[1] >= reached > 0
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis")
    assert all(job.name != "Bugis" for job in Store(app.home).list())
    page.locator("#undo").click()
    expect(page.locator("#job h3")).to_contain_text("Bugis")
    expect(page.locator("#job .state.stopped")).to_be_visible()
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis")


def test_a_killed_server_costs_nothing_and_the_open_page_recovers(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000")
    start_training(page, "Madurese", 400)
    with held(app, "Madurese") as job:
        expect(page.locator("#job .under-bar")).to_contain_text("left")
        app.kill()
        assert state_of(Store(app.home).get(job.id)).name == "running"
    app.start()
    expect(page.locator("#job .state.finished")).to_be_visible()  # without a reload
    expect(page.locator("#job h3")).to_contain_text("Madurese")
    assert Store(app.home).get(job.id).process == job.process  # it was never started again
    open_tab(page, "Test")
    choose(page, "language", "Madurese")
    page.locator("#classify").click()
    expect(page.locator("#answer table")).to_be_visible()
