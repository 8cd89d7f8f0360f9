"""Limits of bodies and of requests at a time, without an app."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from ui.access import bodies
from ui.access.bodies import LARGEST_BODY, BodyMiddleware

UPLOAD, OTHER = "/gradio_api/upload", "/gradio_api/reset"


class Logins:
    """The part of the app that says whose cookie it is: nobody's, unless a test says so."""

    cookie_id, tokens = "id", {"anas": "ana"}


async def reading(scope, receive, send):
    """An app that reads the whole body, and answers with its size."""
    size = len(await Request(scope, receive).body())
    await PlainTextResponse(str(size))(scope, receive, send)


async def careless(scope, receive, send):
    """An app that takes a broken connection for a mistake in the body, as Gradio's framework does."""
    try:
        await reading(scope, receive, send)
    except ClientDisconnect:
        await PlainTextResponse("There was an error parsing the body", 400)(scope, receive, send)


def scope_of(path, **headers):
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "app": Logins, "client": ("192.0.2.1", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip


def post(path, parts, app=reading, pause=0.0, uploaded=10**7, **headers):
    """Send a body in parts through the limits; return the code and how many parts were taken from the connection."""
    waiting, sent = list(parts), []

    async def receive():
        await asyncio.sleep(pause)
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    asyncio.run(BodyMiddleware(app, uploaded, 0)(scope_of(path, **headers), receive, send))
    assert [message["type"] for message in sent].count("http.response.start") == 1
    return sent[0]["status"], len(parts) - len(waiting)


MEGABYTE = [bytes(1_000_000)]


@pytest.mark.parametrize("path", [OTHER, "/login", "/gradio_api/run/jobs", "/gradio_api/uploads", "/no/such/place"])
def test_a_body_of_anything_but_an_upload_is_a_megabyte_at_most(path):
    assert post(path, [bytes(LARGEST_BODY)]) == (200, 1)
    assert post(path, [bytes(LARGEST_BODY), b"x"])[0] == 413


@pytest.mark.parametrize("app", [reading, careless])
def test_a_body_that_announces_no_size_is_cut_off_where_it_is_too_large(app):
    code, taken = post(OTHER, MEGABYTE * 400, app)
    assert code == 413
    assert taken < 30  # of 400 MB


def test_a_size_that_is_announced_is_refused_before_the_app_is_asked():
    async def never(scope, receive, send):
        raise AssertionError

    assert post(OTHER, MEGABYTE, never, content_length="1000001")[0] == 413


def test_an_upload_may_have_its_own_size():
    assert post(UPLOAD, MEGABYTE * 10) == (200, 10)
    assert post(UPLOAD, MEGABYTE * 12)[0] == 413
    assert post(UPLOAD, MEGABYTE * 12, uploaded=0) == (200, 12)


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    assert post(OTHER, [b"x"] * 1_000, pause=0.05)[0] == 408
    assert post(OTHER, [bytes(10_000)] * 10, pause=0.05) == (200, 10)  # slow, but not too slow for its size


def test_the_time_that_the_app_takes_is_not_the_senders(monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)

    async def slow(scope, receive, send):
        while (await receive())["more_body"]:
            await asyncio.sleep(0.2)
        await PlainTextResponse("read")(scope, receive, send)

    assert post(OTHER, [b"x"] * 4, slow) == (200, 4)


def test_an_error_of_the_app_stays_one():
    async def broken(scope, receive, send):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post(OTHER, [b"x"], broken)


def test_a_client_that_leaves_within_its_body_is_no_error_and_holds_no_place():
    async def main():
        limits, sent = BodyMiddleware(reading, 0, 1), []

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        for _ in range(2):
            messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
            await limits(scope_of(UPLOAD), receive, send)
        messages = [{"type": "http.request", "body": b"x"}]
        await limits(scope_of(UPLOAD), receive, send)
        return [message["status"] for message in sent if "status" in message]

    assert asyncio.run(main()) == [200]


def test_requests_of_one_visitor_at_the_same_time_are_counted():
    async def main():
        go, codes = asyncio.Event(), []

        async def waiting(scope, receive, send):
            await go.wait()
            await PlainTextResponse("done")(scope, receive, send)

        async def send(message):
            codes.extend([message["status"]] if "status" in message else [])

        limits = BodyMiddleware(waiting, 0, 3)

        def ask(client="192.0.2.1", **headers):
            return asyncio.create_task(limits({**scope_of("/", **headers), "client": (client, 1)}, None, send))

        held = [ask() for _ in range(3)]
        await asyncio.sleep(0)
        await ask()
        assert codes == [429]
        # Another address, and somebody who has logged in at the same one.
        held += [ask("192.0.2.2"), ask(cookie="access-token-id=anas")]
        go.set()
        await asyncio.gather(*held)
        await ask()
        assert codes == [429] + [200] * 6

    asyncio.run(main())
