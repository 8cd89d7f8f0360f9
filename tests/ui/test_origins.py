"""Which hosts and origins are accepted, without an app: a request goes through the check to an answer that says "in"."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from ui.access.origins import OriginMiddleware

HERE = {"host": "localhost:7860"}
NAMED = {"host": "studio.example"}


def ask(headers, method="POST", path="/gradio_api/queue/join", kind="http", hosts=("studio.example",), at="127.0.0.1"):
    """Send one request through the check; return the code, or None for a websocket that was closed."""
    scope = {"type": kind, "method": method, "path": path, "query_string": b"", "http_version": "1.1",
             "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(OriginMiddleware(PlainTextResponse("in"), hosts, at)(scope, receive, send))
    return sent[0].get("status")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:7860", "LOCALHOST", "127.0.0.1:1", "127.9.9.9", "[::1]:7860", "studio.example:443"]
)
def test_this_machine_and_the_named_hosts_are_known(host):
    assert ask({"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "studio.example.evil", "192.168.1.5:7860", "", "[", "127.0.0.1.nip.io"],
)
def test_any_other_host_is_refused_on_every_path(host):
    for path in ("/", "/config", "/gradio_api/queue/join", "/health"):
        assert ask({"host": host}, "GET", path) == 421


def test_a_server_for_other_machines_is_reached_by_its_address_and_never_by_a_strange_name():
    for at in ("0.0.0.0", "::"):
        assert ask({"host": "192.168.1.5:7860"}, at=at) == ask({"host": "[fe80::1]:7860"}, at=at) == 200
        assert ask({"host": "evil.example"}, at=at) == 421
    assert ask({"host": "lab.example"}, at="lab.example") == 200


def test_the_host_before_a_proxy_is_checked_too():
    assert ask({**HERE, "x-forwarded-host": "evil.example"}) == 421
    assert ask({**HERE, "x-forwarded-host": "studio.example", "origin": "https://studio.example"}) == 200


@pytest.mark.parametrize(
    ("forwarded", "host"), [({}, "localhost:7860"), ({"x-forwarded-host": "studio.example, x"}, "studio.example")]
)
def test_addresses_are_made_from_the_host_before_the_proxy(forwarded, host):
    scope = {"type": "http", "method": "GET", "path": "/login/huggingface", "server": ("127.0.0.1", 7860), "scheme": "https",
             "headers": [(name.encode(), value.encode()) for name, value in {**HERE, **forwarded}.items()]}  # fmt: skip
    found = []

    async def app(scope, receive, send):
        found.append(str(Request(scope).url))

    asyncio.run(OriginMiddleware(app, ("studio.example",), "127.0.0.1")(scope, None, None))
    assert found == [f"https://{host}/login/huggingface"]


def test_a_program_without_a_browser_is_let_in():
    for method in ("GET", "POST"):
        assert ask(HERE, method) == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [("localhost:7860", "http://localhost:7860"), ("studio.example", "https://studio.example"),
     ("studio.example", "https://studio.example:443"), ("studio.example:80", "http://STUDIO.example"),
     ("[::1]:7860", "http://[::1]:7860")],
)  # fmt: skip
def test_the_pages_own_origin_is_let_in(host, origin):
    assert ask({"host": host, "origin": origin}) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:8000", "http://127.0.0.1:7860", "http://a.localhost:7860", "null", "",
               "http://localhost:7860.evil.example", "http://[", "localhost:7860"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/gradio_api/upload"), ("GET", "/config"), ("GET", "/"), ("OPTIONS", "/config")]
)
def test_any_other_origin_is_refused(origin, method, path):
    assert ask({**HERE, "origin": origin}, method, path) == 403


def test_a_sibling_subdomain_and_another_port_are_foreign():
    assert ask({**NAMED, "origin": "https://other.studio.example"}) == 403
    assert ask({**NAMED, "origin": "https://studio.example:8443"}) == 403


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_without_an_origin_what_the_browser_says_about_the_site_counts(site):
    for path in ("/gradio_api/queue/data", "/gradio_api/heartbeat/x", "/config", "/gradio_api/file=/tmp/x", "/logout"):
        assert ask({**HERE, "sec-fetch-site": site}, "GET", path) == 403
    assert ask({**HERE, "sec-fetch-site": site}, "POST", "/") == 403
    for path in ("/", "/id", "/es/", "/login/callback"):  # a link may open the page
        assert ask({**HERE, "sec-fetch-site": site}, "GET", path) == 200
    for own in ("same-origin", "none"):
        assert ask({**HERE, "sec-fetch-site": own}, "GET", "/config") == 200


def test_where_the_browser_says_nothing_else_the_referer_counts():
    assert ask({**HERE, "referer": "http://evil.example/page"}, "GET", "/config") == 403
    assert ask({**HERE, "referer": "http://evil.example/page"}, "GET", "/") == 200
    assert ask({**HERE, "referer": "http://localhost:7860/es"}, "GET", "/config") == 200


def test_websockets_are_checked_and_closed():
    assert ask({**HERE, "origin": "https://evil.example"}, kind="websocket") is None
