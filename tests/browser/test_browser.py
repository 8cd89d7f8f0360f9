"""The real app in headless Chromium, from a text file to a classified sentence, through reloads and kills."""

import re

import pytest
from browsing import (  # noqa: F401
    LONG,
    choose,
    expect,
    field,
    open_page,
    open_tab,
    probabilities,
    pytestmark,
    serving,
    start_training,
    step,
    upload,
)
from tiny_base import finish_task_job, make_base, write_corpus

from deftx.jobs import Store, state_of


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("text") / "sentences.txt", lines=30_000)


@pytest.fixture(scope="module")
def app(tmp_path_factory, base):
    """One app for all tests; every test starts and removes trainings of its own."""
    home = tmp_path_factory.mktemp("home")
    finish_task_job(Store(home), base)
    with serving(home, base) as app:
        yield app


@pytest.fixture
def page(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.foreign = []
    page.on(
        "request", lambda r: page.foreign.append(r.url) if r.url.startswith("http") and app.url not in r.url else None
    )
    open_page(page, app)
    yield page
    context.close()


def test_from_a_text_file_to_a_classified_sentence_through_a_reload(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Minangkabau", 1_200)  # long enough that a poll every two seconds meets both phases
    expect(page.locator("#job .phases .active")).to_contain_text(re.compile("Dense|Sparse"), timeout=LONG)
    expect(page.locator("#job .bar")).to_be_visible()
    expect(page.locator("#strip")).to_contain_text("Minangkabau")
    page.reload()
    expect(page.get_by_role("tab", name="Train", selected=True)).to_be_visible(timeout=LONG)
    expect(page.locator("#job h3")).to_contain_text("Minangkabau", timeout=LONG)
    expect(page.locator("#train-text input")).to_have_value("sentences.txt")
    expect(page.locator("#loss .js-plotly-plot")).to_be_visible(timeout=LONG)
    expect(page.locator("#job .state.finished")).to_be_visible(timeout=LONG)
    expect(page.locator("#evidence")).to_contain_text("Base model alone", timeout=LONG)
    page.locator("#use").click()
    expect(page.locator("#language input")).to_have_value(re.compile("Minangkabau"), timeout=LONG)
    field(page, "sentence").fill("the food is good")
    field(page, "sentence").press("Enter")
    expect(page.locator("#answer table")).to_be_visible(timeout=LONG)
    assert len(probabilities(page)) == 2
    assert sum(probabilities(page)) == pytest.approx(100, abs=0.11)
    expect(page.locator("#answer")).to_contain_text("Minangkabau")
    assert page.foreign == []  # everything comes from this machine


def test_a_bad_upload_says_why_and_keeps_what_was_chosen(page, tmp_path):
    choose(page, "corpus-choice", "Sample")
    expect(page.locator("#audit")).to_contain_text("60", timeout=LONG)
    bad = tmp_path / "picture.txt"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")
    upload(page, bad)
    expect(page.locator("#corpus-refused")).to_contain_text("is a picture", timeout=LONG)
    expect(page.locator("#corpus-choice input")).to_have_value(re.compile("Sample"))
    open_tab(page, "Train")
    page.locator("#start").click()
    expect(page.locator("#train-answer")).to_contain_text("enter a name for the language", timeout=LONG)


def test_a_text_in_an_old_encoding_is_shown_and_used_when_it_reads_right(page, tmp_path):
    old = tmp_path / "old.txt"
    old.write_bytes("l’été est chaud\n".encode("cp1252") * 60)
    upload(page, old)
    expect(page.locator("#corpus-encodings")).to_contain_text("l’été est chaud", timeout=LONG)
    expect(page.locator("#corpus-choice input")).not_to_have_value("old.txt")
    page.locator("#corpus-use-encoding").click()
    expect(page.locator("#corpus-choice input")).to_have_value("old.txt", timeout=LONG)
    expect(page.locator("#corpus-encodings")).to_be_hidden()


def test_stop_keeps_resume_goes_on_and_discard_can_be_undone(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Bugis", 20_000)
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    page.locator("#stop").click()
    expect(page.locator("#job .state.stopped")).to_be_visible(timeout=LONG)
    _, reached = step(page)
    page.locator("#resume").click()
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    assert step(page)[1] >= reached > 0
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis", timeout=LONG)
    assert all(job.name != "Bugis" for job in Store(app.home).list())
    page.locator("#undo").click()
    expect(page.locator("#job h3")).to_contain_text("Bugis", timeout=LONG)
    expect(page.locator("#job .state.stopped")).to_be_visible(timeout=LONG)
    page.locator("#discard").click()
    expect(page.locator("#jobs")).not_to_contain_text("Bugis", timeout=LONG)


def test_a_killed_server_costs_nothing_and_the_open_page_recovers(page, app, corpus):
    upload(page, corpus)
    expect(page.locator("#audit")).to_contain_text("30,000", timeout=LONG)
    start_training(page, "Madurese", 400)
    expect(page.locator("#job .under-bar")).to_contain_text("left", timeout=LONG)
    app.kill()
    job = Store(app.home).list()[0]
    assert state_of(job).name == "running"
    app.start()
    expect(page.locator("#job .state.finished")).to_be_visible(timeout=LONG)  # without a reload
    expect(page.locator("#job h3")).to_contain_text("Madurese")
    assert Store(app.home).get(job.id).process == job.process  # it was never started again
    open_tab(page, "Test")
    choose(page, "language", "Madurese")
    page.locator("#classify").click()
    expect(page.locator("#answer table")).to_be_visible(timeout=LONG)
