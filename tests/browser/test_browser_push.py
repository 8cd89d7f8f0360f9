"""Pushing in headless Chromium: what is shown, what arrives, and where the token is afterwards."""

import hub_server
import pytest
from app_process import serving
from browsing import expect, field, open_page, open_tab
from hub_server import WRITER
from tiny_base import finish_language_job, write_corpus

from deftx.jobs import Store


@pytest.fixture
def app(tmp_path, monkeypatch, page_base):
    """An app with one finished training, that speaks to a Hub on this machine."""
    home = tmp_path / "home"
    finish_language_job(Store(home), page_base, write_corpus(home / "text.txt"))
    with hub_server.serving() as hub:
        monkeypatch.delenv("HF_TOKEN", raising=False)
        speaking = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        with serving(home, page_base, **speaking) as app:
            app.hub = hub
            yield app


def test_a_vector_is_pushed_and_the_token_is_nowhere(app, browser):
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    open_page(page, app)
    open_tab(page, "Library")
    expect(page.locator("#vectors")).to_contain_text("Minangkabau")
    page.locator("#push button").first.click()
    field(page, "push-to").fill("ana/min")
    field(page, "push-token").fill(WRITER)
    page.locator("#push-look").click()
    expect(page.locator("#push-answer")).to_contain_text("vector.safetensors")
    expect(page.locator("#push-answer")).to_contain_text("private")
    assert app.hub.repositories == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#push-send").click()
    expect(page.locator("#push-answer")).to_contain_text("Uploaded to")
    assert "vector.safetensors" in app.hub.repositories["ana/min"].commits[-1][1]
    expect(field(page, "push-token")).to_have_value("")
    kept = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie")
    assert WRITER not in kept
    assert WRITER not in app.process.stdout + app.process.stderr
    for path in app.home.rglob("*"):
        assert not path.is_file() or WRITER.encode() not in path.read_bytes()
