"""A Space over HTTPS in a real browser: its proxy ends TLS, people log in at the provider, and a restart leaves them logged in."""

import openid_server
import pytest
import tls_proxy
from app_process import serving
from browsing import LONG, expect, upload
from tiny_base import write_corpus

NAME = "author-studio.hf.space"


@pytest.fixture(scope="module")
def space(page_base, tmp_path_factory):
    """The app, and the port of its proxy."""
    folder = tmp_path_factory.mktemp("space")
    (folder / "home").mkdir()
    with openid_server.serving() as provider:
        environment = openid_server.space(provider) | {"SPACE_HOST": NAME}
        with serving(folder / "home", page_base, **environment) as app, \
             tls_proxy.serving(app.url, folder, NAME) as port:  # fmt: skip
            yield app, port


@pytest.fixture(scope="module")
def browser_arguments(space):
    """Let the browser find the Space's name at the proxy."""
    return [f"--host-resolver-rules=MAP {NAME} 127.0.0.1:{space[1]}"]


def test_an_account_logs_in_over_https_and_stays_logged_in_over_a_restart(space, browser, tmp_path):
    app, _ = space
    page = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(LONG)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"https://{NAME}/")
    expect(page.locator("html[data-opened]")).to_be_attached()
    assert [url for url in asked if url.startswith("http:")] == []
    page.get_by_role("button", name="Sign in with Hugging Face").click()
    page.get_by_role("link", name="ana").click()
    expect(page.get_by_role("button", name="Logout (ana)")).to_be_visible()
    assert page.url.startswith(f"https://{NAME}/")
    assert all(url.startswith(f"https://{NAME}/") for url in asked if "/login/callback" in url and "code=" in url)
    session = next(one for one in page.context.cookies() if one["name"] == "session")
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "None")
    assert session["partitionKey"]
    with page.expect_navigation():  # the page loads anew by itself
        app.kill()
        app.start()
    expect(page.get_by_role("button", name="Logout (ana)")).to_be_visible()
    expect(page.locator("html[data-opened]")).to_be_attached()
    page.get_by_role("tab", name="Corpus").first.click()
    upload(page, write_corpus(tmp_path / "over-https.txt"))
    expect(page.locator("#audit")).to_contain_text("400")
    page.get_by_role("button", name="Logout (ana)").click()
    expect(page.get_by_role("button", name="Sign in with Hugging Face")).to_be_visible()
    expect(page.locator("html[data-opened]")).to_be_attached()
