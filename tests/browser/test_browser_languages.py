"""The page in its languages, in a real browser."""

from browsing import expect, open_page, open_tab

from ui import strings


def test_a_browser_in_spanish_gets_the_spanish_page_until_its_owner_chooses_another(app, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="es-MX")
    page = context.new_page()
    open_page(page, app)
    assert page.url == f"{app.url}es"
    assert page.evaluate("document.documentElement.lang") == "es"
    open_tab(page, strings.table("es")["TABS"]["test"].split()[-1])
    page.get_by_role("button", name=strings.table("es")["CLASSIFY"], exact=True).click()
    made = page.locator("#answer")
    expect(made).to_contain_text(strings.table("es")["NO_LANGUAGE"])  # said by a handler
    page.get_by_role("link", name="English").click()
    expect(page.locator("html[data-opened]")).to_be_attached()
    open_page(page, app)
    assert page.url == app.url
    expect(page.get_by_role("tab", name=strings.TABS["train"].split()[-1]).first).to_be_visible()
    context.close()
