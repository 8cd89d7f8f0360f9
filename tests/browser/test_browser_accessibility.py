"""axe-core's rules for accessibility on every section: a laptop in the light theme, a phone in the dark one."""

import pytest
from browsing import expect, open_page, open_tab, upload
from tiny_base import write_corpus

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
SECTIONS = ("Corpus", "Train", "Test", "Spectra", "Overlap", "Library", "History")
SERIOUS = ("serious", "critical")


def violations(page):
    """Return the serious violations of the page as it is, one line each: rule, element, and what to mend."""
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


# The colours of a theme do not depend on the width, so the other two pairs would find nothing new.
@pytest.mark.parametrize(
    ("theme", "size"), [("light", (1280, 900)), ("dark", (390, 844))], ids=["laptop-light", "phone-dark"]
)
def test_axe_finds_nothing_serious(app, browser, tmp_path, theme, size):
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme).new_page()
    open_page(page, app, section="")
    found = {"guide": violations(page)}
    open_tab(page, "Corpus")
    upload(page, write_corpus(tmp_path / "sentences.txt"))
    expect(page.locator("#audit")).to_contain_text("400")
    for section in SECTIONS:
        open_tab(page, section)
        page.wait_for_timeout(1_500)  # plots and lists arrive after the section is shown
        found[section] = violations(page)
    assert {section: lines for section, lines in found.items() if lines} == {}


def test_a_planted_fault_is_found(page):
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\"><p style=\"color:#ddd;background:#fff\">pale text</p>')"
    )
    assert sorted(line.split(":")[0] for line in violations(page)) == ["color-contrast", "image-alt"]
