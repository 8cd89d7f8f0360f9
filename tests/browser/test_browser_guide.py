"""The guided path in headless Chromium: from an empty home to an answer in one click, and through all steps over a reload."""

import json

import pytest
from app_process import serving
from browsing import choose, expect, field, open_page

from deftx.models.bases import BUNDLED_BASE

TEXT = "\n".join(f"Ajengane jaen pisan, kaping {number}." for number in range(40))


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The page over the bundled base, with an empty home."""
    with serving(tmp_path_factory.mktemp("home"), BUNDLED_BASE) as app:
        yield app


@pytest.fixture
def visitor(app, browser):
    """A page on a first visit, as a function of the width of its window; ``page.outstanding`` holds its open requests."""
    contexts = []

    def visit(width=1280, script=""):
        contexts.append(browser.new_context(viewport={"width": width, "height": 844}))
        contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.outstanding = set()
        page.on("request", lambda request: page.outstanding.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: page.outstanding.discard(request))
        open_page(page, app, section="")
        return page

    yield visit
    for context in contexts:
        context.close()


def in_window(page, *places):
    """Whether all of these parts are in the window at the same time, without scrolling."""
    height = page.viewport_size["height"]
    boxes = [page.locator(place).first.bounding_box() for place in places]
    return all(box is not None and box["y"] >= 0 and box["y"] + min(box["height"], 40) <= height for box in boxes)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_ready_language_answers_after_one_click(visitor, width):
    page = visitor(width)
    page.locator("#guide-ready label", has_text="Balinese").click()
    expect(page.locator("#guide-answer blockquote")).to_have_text("Tongosne luung tur bersih.")
    expect(page.locator("#guide-made-of")).to_contain_text("Balinese (ban, bundled)")
    expect(page.locator("#guide-made-of")).to_contain_text("steps 2 to 4 were skipped")
    expect(page.locator("#guide-answer .verdict")).to_have_text("positive")
    expect(page.locator("#guide-answer")).to_contain_text("The place is good and clean.")


def test_the_path_leads_from_a_name_and_a_pasted_text_to_training_and_survives_a_reload(visitor):
    page = visitor()
    field(page, "guide-name").fill("Bahasa Bali")
    expect(page.locator("#guide-language")).to_contain_text("Balinese (ban) is ready")
    page.locator("#guide-to-text").click()
    page.locator("#guide-to-task").click()  # without a text there is no way on
    expect(page.locator("#guide-text [role=alert]")).to_contain_text("Please paste a text")
    field(page, "guide-paste").fill(TEXT + "\n" + TEXT)
    page.locator("#guide-use-pasted").click()
    expect(page.locator("#guide-text")).to_contain_text("80 lines")
    page.locator('#guide-text [data-pick="repeated"]').click()
    expect(page.locator("#guide-text")).to_contain_text("40 lines")
    page.locator("#guide-to-task").click()
    page.locator("#guide-to-train").click()
    expect(page.locator("#guide-outlook h3")).to_contain_text("Learn the language Bahasa Bali from ban-cleaned.txt")
    expect(field(page, "guide-paste")).to_have_value("")  # it is used; what is pasted now would be another text
    page.reload()
    expect(page.locator("#guide-outlook h3")).to_contain_text("Learn the language Bahasa Bali from ban-cleaned.txt")
    page.locator("#guide-settings").click()  # all settings, filled in
    expect(field(page, "language-name")).to_have_value("Bahasa Bali")
    expect(field(page, "language-code")).to_have_value("ban")


def test_a_little_text_that_was_not_looked_at_is_shown_before_the_path_goes_on(visitor):
    page = visitor()
    page.locator("#guide-to-text").click()
    field(page, "guide-paste").fill("Ñuqaqa kaypi kachkani.")
    page.locator("#guide-to-task").click()
    expect(page.locator("#guide-text")).to_contain_text("very little text")
    page.locator("#guide-to-task").click()
    expect(page.locator("#guide-to-train")).to_be_visible()


def test_a_text_in_a_ready_language_is_tried_without_training(visitor):
    page = visitor()
    page.locator("#guide-to-text").click()
    assert not page.locator("#guide-text-ready").is_visible()
    field(page, "guide-paste").fill(TEXT)
    page.locator("#guide-use-pasted").click()
    page.locator("#guide-text-ready", has_text="Balinese (ban)").click()
    page.locator("#guide-lines [data-pick]").first.click()
    expect(page.locator("#guide-answer blockquote")).to_contain_text("Ajengane jaen pisan, kaping")
    expect(page.locator("#guide-made-of")).to_contain_text("Balinese (ban, bundled)")


def test_a_text_is_looked_at_on_request_before_any_training(visitor):
    page = visitor()
    page.locator("#guide-to-text").click()
    field(page, "guide-paste").fill(TEXT)
    page.locator("#guide-use-pasted").click()
    expect(page.locator("#guide-text")).to_contain_text("40 lines")
    page.locator("#guide-choices button").first.click()
    page.locator("#guide-choices-look").click()
    expect(page.locator("#guide-choices-answer")).to_contain_text(f"Best on this machine: {BUNDLED_BASE}")
    expect(page.locator("#guide-choices-answer table").nth(1)).to_contain_text("Balinese (ban)")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_sentence_and_its_answer_are_in_sight_together_and_the_example_is_answered(visitor, width):
    page = visitor(width)
    page.get_by_role("tab", name="Test").first.click()
    expect(page.locator("#answer .verdict")).to_be_visible()  # nothing was pressed
    assert in_window(page, "#sentence", "#answer .verdict")


def counts(url):
    """Whether a request is one for the opening page: not a file, which is cached, nor the status line, which asks for itself."""
    return "/gradio_api/" in url and "/file=" not in url and "component_server" not in url


def test_what_was_tried_under_test_is_back_after_a_reload(visitor):
    page = visitor()
    page.get_by_role("tab", name="Test").first.click()
    expect(page.locator("#answer .verdict")).to_be_visible()
    field(page, "sentence").fill("Rancak bana hotel ko")
    expect(page.locator("#answer blockquote")).to_have_text("Rancak bana hotel ko")
    quiet(page)  # what was answered is stored
    asked = []
    page.on("request", lambda request: asked.append(request.url) if counts(request.url) else None)
    page.reload()
    expect(page.locator("html[data-opened]")).to_be_attached()
    assert 0 < len(asked) <= 12, [url.split("/gradio_api/")[1] for url in asked]
    expect(field(page, "sentence")).to_have_value("Rancak bana hotel ko")
    expect(page.locator("#answer blockquote")).to_have_text("Rancak bana hotel ko")
    choose(page, "language", "Minangkabau")
    expect(page.locator("#answer")).to_contain_text("Minangkabau (min, bundled)")
    quiet(page)
    page.reload()
    expect(page.locator("#answer blockquote")).to_have_text("Rancak bana hotel ko")
    expect(page.locator("#answer")).to_contain_text("Minangkabau (min, bundled)")
    expect(page.locator("#words")).not_to_be_empty()


def quiet(page):
    """Wait until the page has awaited nothing for a while; its own connection, the heartbeat, stays open."""
    waits = 0
    while waits < 5:
        page.wait_for_timeout(200)
        waits = 0 if [request for request in page.outstanding if "/heartbeat/" not in request.url] else waits + 1


@pytest.mark.parametrize("section", ["Start", "Library"])
def test_an_open_page_loads_anew_after_a_restart_of_the_server_and_the_path_goes_on(visitor, app, section):
    """Neither section asks the server for anything by itself, so no request fails while it is away."""
    page = visitor()
    field(page, "guide-name").fill("Bahasa Bali")
    page.locator("#guide-to-text").click()
    field(page, "guide-paste").fill(TEXT)
    page.locator("#guide-use-pasted").click()
    expect(page.locator("#guide-text")).to_contain_text("40 lines")
    page.get_by_role("tab", name=section).first.click()
    quiet(page)
    with page.expect_navigation():
        app.kill()
        app.start()
    expect(page.locator("html[data-opened]")).to_be_attached()
    page.get_by_role("tab", name="Start").first.click()
    expect(page.locator("#guide-text")).to_contain_text("40 lines")
    page.locator("#guide-to-task").click()
    page.locator("#guide-to-train").click()
    expect(page.locator("#guide-outlook h3")).to_contain_text("Learn the language Bahasa Bali")


# A field is there before it is drawn, and a slow machine draws late.
FILL_AT_ONCE = """
new MutationObserver((_, observer) => {
  const field = document.querySelector('#guide-paste textarea');
  if (!field || !field.offsetHeight) return;
  observer.disconnect();
  setTimeout(() => {
    field.value = %s;
    field.dispatchEvent(new Event('input', {bubbles: true}));
    window.filled = true;
  });
}).observe(document, {childList: true, subtree: true, attributes: true});
"""


def test_what_is_filled_in_at_the_moment_a_field_appears_stays(visitor):
    page = visitor(script=FILL_AT_ONCE % json.dumps(TEXT))
    page.locator("#guide-to-text").click()
    page.wait_for_function("window.filled")
    quiet(page)
    expect(field(page, "guide-paste")).to_have_value(TEXT)
    page.locator("#guide-use-pasted").click()
    expect(page.locator("#guide-text")).to_contain_text("40 lines")


COUNT_FRAMES = """
const draw = window.requestAnimationFrame.bind(window);
window.drawn = 0;
window.requestAnimationFrame = step => { window.drawn++; return draw(step); };
"""


def test_an_idle_page_hardly_draws(visitor):
    page = visitor(script=COUNT_FRAMES)
    quiet(page)
    page.wait_for_timeout(3_000)  # the last transitions
    before = page.evaluate("window.drawn")
    page.wait_for_timeout(3_000)  # 180 frames of a screen
    assert page.evaluate("window.drawn") - before < 20
