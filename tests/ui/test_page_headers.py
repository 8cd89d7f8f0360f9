"""The headers of answers, without an app: what a page may run, and to which requests cookies belong."""

import asyncio
import base64
import hashlib
from types import SimpleNamespace

import gradio.routes
import jinja2
import pytest
from starlette.responses import HTMLResponse, JSONResponse

from ui.access.page_headers import PageHeadersMiddleware
from ui.shared.browser_store import FORGET
from ui.shared.page_scripts import STARTED_HEADER, started


def headers_of(answer, in_space, scheme="http", path="/"):
    """Return the headers of an answer as (name, value)."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "scheme": scheme}
    asyncio.run(PageHeadersMiddleware(answer, in_space)(scope, None, send))
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def test_the_page_is_framed_by_the_hub_alone_and_only_on_a_space():
    for in_space, framed in ((False, "frame-ancestors 'none'"), (True, "frame-ancestors https://huggingface.co")):
        policy = dict(headers_of(HTMLResponse("page"), in_space))["content-security-policy"]
        assert policy.split("; ")[-1] == framed


def test_what_is_not_the_page_can_run_nothing():
    found = dict(headers_of(JSONResponse({}), in_space=False))
    assert "sandbox" in found["content-security-policy"]
    assert "script-src" not in found["content-security-policy"]
    assert (found["x-content-type-options"], found["referrer-policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize(
    ("given", "here", "in_space"),
    [("a=1; HttpOnly; Path=/; SameSite=none; Secure", "a=1; HttpOnly; Path=/; Secure; SameSite=Lax",
      "a=1; HttpOnly; Path=/; Secure; SameSite=None; Partitioned"),
     ("a=1; HttpOnly; Path=/; SameSite=lax", "a=1; HttpOnly; Path=/; SameSite=Lax",
      "a=1; HttpOnly; Path=/; Secure; SameSite=None; Partitioned"),
     ("a=samesite; path=/; httponly; samesite=strict; secure; partitioned", "a=samesite; path=/; httponly; secure; SameSite=Lax",
      "a=samesite; path=/; httponly; secure; SameSite=None; Partitioned")],
)  # fmt: skip
def test_cookies_belong_to_the_pages_own_requests(given, here, in_space):
    for space, expected in ((False, here), (True, in_space)):
        answer = HTMLResponse("page")
        answer.headers.append("set-cookie", given)
        answer.headers.append("set-cookie", given)
        assert [value for name, value in headers_of(answer, space) if name == "set-cookie"] == [expected] * 2


def test_over_https_every_cookie_is_sent_over_https_alone():
    for given in ("token=1; HttpOnly", "token=1; HttpOnly; Secure"):
        answer = HTMLResponse("page")
        answer.headers.append("set-cookie", given)
        for in_space, rest in ((False, "SameSite=Lax"), (True, "SameSite=None; Partitioned")):
            assert dict(headers_of(answer, in_space, "https"))["set-cookie"] == f"token=1; HttpOnly; Secure; {rest}"


def test_only_the_scripts_of_the_template_get_the_nonce(monkeypatch):
    templates = {"page.html": "<script>one</script><script type=module src=x></script>{{ text }}"}
    monkeypatch.setattr(gradio.routes.templates.env, "loader", jinja2.DictLoader(templates))
    monkeypatch.setattr(gradio.routes.templates.env, "cache", None)
    for _ in range(2):  # made twice, it marks once
        PageHeadersMiddleware(None, in_space=False)

    class Asked:
        scope = {"nonce": "n1"}  # noqa: RUF012

    made = gradio.routes.templates.env.get_template("page.html").render(request=Asked, text="<script>two</script>")
    assert made.startswith('<script nonce="n1">one</script><script nonce="n1" type=module src=x></script>')
    assert made.count("nonce") == 2


def test_the_handler_that_empties_the_browsers_store_may_run():
    digest = base64.b64encode(hashlib.sha256(FORGET.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in dict(headers_of(HTMLResponse("page"), in_space=False))["content-security-policy"]


def test_every_answer_says_which_start_of_the_server_gave_it_and_the_page_compares_it_before_gradio_runs():
    for answer in (HTMLResponse("page"), JSONResponse({}, 401)):
        assert dict(headers_of(answer, in_space=False))[STARTED_HEADER.lower()] == started()
    template = gradio.routes.templates.env.get_template("frontend/index.html")
    page = template.render(request=SimpleNamespace(scope={"nonce": "n"}), config={}, gradio_api_info={})
    first = page.index("<script")
    assert f"const started = '{started()}'" in page[first : page.index("</script>", first)]
    assert page.startswith('<script nonce="n">', first)


@pytest.mark.parametrize(
    ("path", "code", "kept"),
    [("/assets/index-DphvyggB.js", 200, True), ("/assets/Blocks-x_-YZdr1.css", 200, True),
     ("/assets/Index-Akn07EZk2.js", 200, True), ("/assets/index-DphvyggB.js", 404, False), ("/", 200, False), ("/theme.css", 200, False),
     ("/gradio_api/file=/assets/index-DphvyggB.js", 200, False)],
)  # fmt: skip
def test_a_browser_keeps_only_the_files_whose_name_changes_with_their_content(path, code, kept):
    headers = dict(headers_of(JSONResponse({}, code), in_space=False, path=path))
    assert ("immutable" in headers.get("cache-control", "")) is kept
