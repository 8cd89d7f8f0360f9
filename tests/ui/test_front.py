"""All checks together, in front of a small app."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from deftx.core.hosting import Hosting
from ui.access.front import CheckedMiddleware, checks, in_front
from ui.access.visitors import LoginSessions


@pytest.fixture
def app(monkeypatch):
    """An app with the checks, which answers every request with the address that asks."""
    monkeypatch.delenv("SPACE_ID", raising=False)

    async def answer(request):
        body = await request.body()
        return PlainTextResponse(f"{request.client.host} {len(body)}" + " " * len(body))

    hosting = Hosting(hosts=("studio.example",), proxies=("10.0.0.0/8",), upload_megabytes=2)
    app = Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET", "POST"])],
        middleware=[Middleware(CheckedMiddleware)],
        lifespan=in_front(checks(hosting, "127.0.0.1"), sessions := LoginSessions({}.get)),
    )
    app.cookie_id, app.tokens = "id", {}
    yield app
    assert app.tokens in (sessions, {})


def ask(app, method="GET", path="/config", client="192.0.2.1", **settings):
    with TestClient(app, base_url="http://studio.example", client=(client, 1)) as browser:
        return browser.request(method, path, **settings)


def test_a_request_passes_and_its_answer_has_the_headers(app):
    answer = ask(app)
    assert answer.text == "192.0.2.1 0"
    assert "content-security-policy" in answer.headers


def test_each_check_refuses_with_the_same_headers(app):
    refused = {
        403: {"headers": {"Origin": "https://evil.example"}},
        421: {"headers": {"Host": "evil.example"}},
        413: {"method": "POST", "content": bytes(1_000_001)},
    }
    for code, settings in refused.items():
        answer = ask(app, **settings)
        assert answer.status_code == code
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert ask(app, "POST", "/gradio_api/upload", content=bytes(1_500_000)).status_code == 200


def test_only_the_page_in_each_language_is_compressed_here(app):
    compressed = {path for path in ("/", "/id", "/es", "/config", "/gradio_api/queue/data", "/theme.css")
                  if ask(app, "POST" if path == "/config" else "GET", path, content=bytes(9_000)).headers.get("content-encoding")}  # fmt: skip
    assert compressed == {"/", "/id", "/es"}


def test_a_proxy_is_believed_only_if_it_is_named(app):
    headers = {"X-Forwarded-For": "203.0.113.9"}
    assert ask(app, headers=headers).text == "192.0.2.1 0"
    assert ask(app, client="10.1.2.3", headers=headers).text == "203.0.113.9 0"
    assert ask(app, client="10.1.2.3", headers={"X-Forwarded-Host": "evil.example"}).status_code == 421


def test_without_the_checks_nothing_is_served(app):
    with pytest.raises(RuntimeError, match="serves nothing"):
        TestClient(app, base_url="http://studio.example").get("/")  # its lifespan never ran
