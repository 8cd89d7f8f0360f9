"""The real app in headless Chromium: two tabs on one queue, undo, a plot that stays where it was looked at, history."""

import pytest
from app_process import serving
from browsing import choose, expect, open_page, open_tab
from tiny_base import finish_language_job, write_corpus

from deftx.jobs import Store
from ui import strings

LENGTHY = {
    "max_steps": 200_000,
    "min_steps": 200_000,
    "batch_size": 4,
    "max_length": 16,
    "evaluate_every": 200,
    "k": 50,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory, page_base):
    """An app with two finished trainings, one that runs for long and two that wait."""
    home = tmp_path_factory.mktemp("home")
    corpus = write_corpus(home / "corpus.txt")
    store = Store(home)
    for name in ("Bugis", "Madurese"):
        finish_language_job(store, page_base, corpus, name)
    settings = {"corpus": str(corpus), "base": str(page_base), "device": "cpu", "recipe": LENGTHY}
    for name in ("Long", "Second", "Third"):
        store.add("language", name, settings)
    with serving(home, page_base) as app:
        yield app


def tab(app, browser, name="Train"):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    open_page(page, app)
    open_tab(page, name)
    return page


def waiting(page):
    """The names of those that wait, in their order."""
    return page.locator("#jobs .name:has(+ .state.waiting)")


def test_two_tabs_share_one_queue_and_a_discard_can_be_undone_in_either(app, browser):
    one, other = tab(app, browser), tab(app, browser)
    expect(waiting(other)).to_have_text(["Second", "Third"])
    one.locator("#jobs button", has_text="Third").click()
    one.locator("#earlier").click()
    for page in (one, other):
        expect(waiting(page)).to_have_text(["Third", "Second"])
    one.locator("#discard").click()
    expect(waiting(other)).to_have_text(["Second"])
    other.locator("#undo").click()
    for page in (one, other):
        expect(waiting(page)).to_have_text(["Third", "Second"])


def test_the_status_line_follows_in_a_section_other_than_train(app, browser):
    page = browser.new_context().new_page()
    open_page(page, app, section="")
    now = page.locator("#strip dd").nth(2)
    expect(now).to_contain_text("Long")
    before = now.text_content()
    page.wait_for_function("before => document.querySelectorAll('#strip dd')[2].textContent !== before", arg=before)
    assert page.locator("#jobs").count() == 0


# Requests take so long that the page polls while a click is unanswered; the inputs of each request are noted.
SLOW_REQUESTS = """
const quick = window.fetch;
window.sent = [];
window.fetch = async (...request) => {
  if (String(request[0]?.url ?? request[0]).includes('queue/join')) {
    sent.push(JSON.parse(request[1].body).data);
    await new Promise(go => setTimeout(go, 3000));
  }
  return quick(...request);
};
"""


def test_no_poll_asks_for_the_old_choice_while_a_choice_is_unanswered(app, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(SLOW_REQUESTS)
    open_page(page, app)
    open_tab(page, "Train")
    expect(page.locator("#job h3")).to_contain_text("Long")
    page.evaluate("addEventListener('click', () => { sent.length = 0 }, true)")
    page.locator("#jobs button", has_text="Third").click()
    expect(page.locator("#job h3")).to_contain_text("Third")
    page.wait_for_function("sent.length > 2")
    chosen = page.locator("#jobs button", has_text="Third").get_attribute("data-job")
    polls = [sent for sent in page.evaluate("sent") if len(sent) == 4 and '"strip"' in sent[1]]
    assert polls
    assert {job for job, *_ in polls} == {chosen}


def test_a_reader_who_zoomed_in_and_unfolded_the_numbers_stays_there_while_it_trains(app, browser):
    page = tab(app, browser)
    page.locator("#jobs button", has_text="Long").click()
    plot = page.locator("#loss .js-plotly-plot")
    expect(plot).to_be_visible()
    plot.evaluate("plot => Plotly.relayout(plot, {'xaxis.range': [10, 90], 'yaxis.range': [1, 2]})")
    page.locator("#numbers button").first.click()
    expect(page.locator("#numbers table")).to_be_visible()
    points = "plot => plot.data.reduce((sum, trace) => sum + trace.x.length, 0)"
    before = plot.evaluate(points)
    page.wait_for_function(
        f"before => ({points})(document.querySelector('#loss .js-plotly-plot')) > before", arg=before
    )
    assert plot.evaluate("plot => plot.layout.xaxis.range") == [10, 90]
    assert plot.evaluate("plot => plot.layout.yaxis.range") == [1, 2]
    expect(page.locator("#numbers table")).to_be_visible()


def test_history_finds_compares_and_opens(app, browser):
    page = tab(app, browser, "History")
    page.locator("#search textarea, #search input").first.fill("finished nothing")
    expect(page.locator("#history")).to_contain_text("No training run matches")
    page.locator("#search textarea, #search input").first.fill("")
    for name in ("Bugis", "Madurese"):
        page.get_by_label(f"Compare {name}").check()
        expect(page.locator("#comparison")).to_contain_text("Select two" if name == "Bugis" else name)
    expect(page.locator("#comparison")).to_contain_text("Base model alone")
    page.get_by_role("button", name="Madurese").click()
    expect(page.locator("#job h3")).to_contain_text("Madurese")


def test_a_vector_that_is_removed_while_it_is_chosen_in_test_is_cleared(app, browser):
    page, other = tab(app, browser, "Test"), tab(app, browser)
    choose(page, "language", "Madurese")
    other.locator("#jobs button", has_text="Madurese").click()
    expect(other.locator("#job")).to_contain_text("Madurese")
    other.locator("#discard").click()
    expect(page.locator("#language input")).to_have_value(strings.NO_LANGUAGE)
    page.locator("#classify").click()
    expect(page.locator(".toast-body")).to_have_count(0)
