"""The content security policy in a real browser: the page works under it, and markup that would run does not."""

from browsing import LONG, expect, open_page, open_tab, upload
from tiny_base import write_corpus


def test_the_page_works_in_every_section_without_a_violation(app, browser, tmp_path):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    open_page(page, app)
    upload(page, write_corpus(tmp_path / "policy.txt"))
    expect(page.locator("#audit")).to_contain_text("400")
    expect(
        page.locator("#panel-corpus .js-plotly-plot, .js-plotly-plot").first
    ).to_be_visible()  # a script that a component loads
    for section in ("Train", "Test", "Spectra", "Overlap", "Library", "History"):
        open_tab(page, section)
    page.get_by_role("link", name="Español").click()  # the handler of the link has a hash
    page.wait_for_url("**/es")
    assert page.evaluate("localStorage.getItem('deftx-studio-language')") == "es"
    expect(page.locator("html[data-opened]")).to_be_attached()
    assert [text for text in said if "Content Security Policy" in text or "Refused" in text] == []


def test_markup_that_reached_the_page_would_not_run(app, page):
    """Were anything not escaped, these would be the ways in; each is tried on the open page itself.

    What a script of the page makes with createElement is trusted as the script itself is: plots are loaded in this way.
    """
    page.evaluate(
        """() => {
          window.ran = [];
          const place = document.createElement('div');
          document.body.append(place);
          place.innerHTML = `<img src="data:," onerror="ran.push('onerror')"><a id="way" href="javascript:ran.push('link')">x</a>
            <iframe srcdoc="<script>parent.ran.push('frame')</script>"></iframe><svg onload="ran.push('svg')"></svg>`;
          place.querySelector('#way').click();
        }"""
    )
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.ran") == []


def test_no_other_page_may_frame_it(app, browser):
    page = browser.new_page()
    page.set_default_timeout(LONG)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.set_content(f'<iframe src="{app.url}"></iframe>')
    assert all("gradio_config" not in frame.content() for frame in page.frames)
