"""The page in its languages, in a real browser."""

from browsing import LONG, expect, open_page, open_tab, pytestmark  # noqa: F401 (marks)
from test_browser import app, base  # noqa: F401 (fixtures)

from ui import strings


def test_a_browser_in_spanish_gets_the_spanish_page_until_its_owner_chooses_another(app, browser):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="es-MX")
    page = context.new_page()
    open_page(page, app)
    assert page.url == f"{app.url}es"
    assert page.evaluate("document.documentElement.lang") == "es"
    open_tab(page, strings.table("es")["TABS"]["test"].split()[-1])
    page.get_by_role("button", name=strings.table("es")["CLASSIFY"], exact=True).click()
    made = page.locator("#answer")
    expect(made).to_contain_text(strings.table("es")["NO_LANGUAGE"], timeout=LONG)  # said by a handler
    page.get_by_role("link", name="English").click()
    expect(page.locator("html[data-opened]")).to_be_attached(timeout=LONG)
    open_page(page, app)
    assert page.url == app.url
    expect(page.get_by_role("tab", name=strings.TABS["train"].split()[-1])).to_be_visible()
    context.close()
