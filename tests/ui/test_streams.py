"""Whose sessions and events are whose."""

import asyncio

import pytest

from ui.access import streams
from ui.access.streams import StreamOwners, ids_of_address, ids_of_json, read_ahead


def test_an_id_is_whose_it_was_first():
    owners = StreamOwners()
    assert owners.admit(["one", "two"], "ana")
    assert not owners.admit(["three", "two"], "bob")
    assert owners.admit(["three"], "bob")  # nothing of what was refused was taken
    assert owners.admit(["one"], "ana")


def test_whoever_has_not_logged_in_owns_nothing_and_reaches_nothing_of_others():
    owners = StreamOwners()
    assert owners.admit(["one"], "")
    assert owners.admit(["one"], "ana")  # the page stays open while somebody logs in
    assert not owners.admit(["one"], "")


def test_the_number_of_ids_is_bounded(monkeypatch):
    monkeypatch.setattr(streams, "REMEMBERED", 3)
    owners = StreamOwners()
    for number in range(10):
        assert owners.admit([str(number), "kept"], "ana")
    assert len(owners._owners) == 3
    assert not owners.admit(["kept"], "bob")


@pytest.mark.parametrize(
    ("path", "query", "ids"),
    [("/gradio_api/queue/data", b"session_hash=abc", ["abc"]), ("/gradio_api/heartbeat/abc", b"", ["abc"]),
     ("/gradio_api/call/jobs/e1", b"", ["e1"]), ("/gradio_api/call/v2/jobs/e1", b"", ["e1"]),
     ("/gradio_api/stream/e1/close", b"", ["e1"]), ("/gradio_api/upload_progress", b"upload_id=u%31", ["u1"]),
     ("/gradio_api/call/jobs", b"", []), ("/config", b"", []), ("/gradio_api/queue/data", b"session_hash=a&session_hash=b", ["a", "b"])],
)  # fmt: skip
def test_ids_are_found_in_an_address(path, query, ids):
    assert ids_of_address({"query_string": query}, path) == ids


@pytest.mark.parametrize(
    ("body", "ids"),
    [(b'{"session_hash": "abc", "event_id": "e1", "data": ["x"]}', ["abc", "e1"]), (b'{"session_hash": null}', []),
     ('{"session_hash": "abc"}'.encode("utf-16"), ["abc"]), (b"[]", []), (b"", []), (b"[" * 100_000, []), (b"\xff", [])],
)  # fmt: skip
def test_ids_are_found_in_a_body(body, ids):
    assert ids_of_json(body) == ids


def test_a_body_that_was_read_ahead_is_read_again_in_full():
    parts = [{"type": "http.request", "body": b"one", "more_body": True}, {"type": "http.request", "body": b"two"},
             {"type": "http.disconnect"}]  # fmt: skip
    waiting = list(parts)

    async def receive():
        return waiting.pop(0)

    async def main():
        body, again = await read_ahead(receive)
        return body, [await again() for _ in parts]

    assert asyncio.run(main()) == (b"onetwo", parts)
