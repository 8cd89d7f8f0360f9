"""Ids of sessions and events: each belongs to the login that used it first, because Gradio gives a stream to whoever names it."""

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope

REMEMBERED = 50_000  # ids; the oldest are forgotten first
_IN_PATH = re.compile(r"(?:/gradio_api)?/+(?:call/+(?:v2/+)?[^/]+|heartbeat|stream)/+([^/]+).*", re.DOTALL)
_NAMES = ("session_hash", "event_id", "upload_id")


class StreamOwners:
    """The owners of ids, in memory; safe for any thread."""

    def __init__(self) -> None:
        """Create an empty table."""
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()

    def admit(self, ids: Iterable[str], owner: str) -> bool:
        """Return whether ``owner`` may use ids, and make ids that nobody has used theirs.

        The empty owner is everybody without a login: their ids are known to them alone, and protect nothing else.
        """
        ids = list(ids)
        with self._lock:
            if any(self._owners.get(one, owner) != owner for one in ids):
                return False
            for one in ids if owner else ():
                self._owners[one] = owner
                self._owners.move_to_end(one)
            while len(self._owners) > REMEMBERED:
                self._owners.popitem(last=False)
        return True


def ids_of_address(scope: Scope, path: str) -> list[str]:
    """Return the ids in the path and the query of a request."""
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
    found = _IN_PATH.fullmatch(path)
    return [*([found[1]] if found else []), *(value for name, value in query if name in _NAMES)]


def ids_of_json(body: bytes) -> list[str]:
    """Return the ids in the body of a request or an answer."""
    content: Any = None
    with suppress(ValueError, RecursionError):
        content = json.loads(body)
    if not isinstance(content, dict):
        return []
    return [content[name] for name in _NAMES if isinstance(content.get(name), str)]


async def read_ahead(receive: Receive) -> tuple[bytes, Receive]:
    """Read a whole body, whose size was limited before; return it, and a ``receive`` that begins with it."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    body, waiting = b"".join(message.get("body", b"") for message in messages), messages[::-1]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return body, again
