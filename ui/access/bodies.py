"""Limits of requests, before routing and before any login: the size of a body, its speed, and the number at a time."""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.access.cut_uploads import discard_cut_uploads, make_no_empty_files
from ui.access.visitors import username

LARGEST_BODY = 1_000_000  # bytes of any request that is no upload
PARTS_OF_AN_UPLOAD = 1_000_000  # bytes around the files in the body of an upload
PATIENCE = 30.0  # seconds that a body may take ...
SLOWEST = 4_000  # ... besides a second for each of so many bytes that have arrived
DRAINED, DRAINING = 16_000_000, 5.0  # bytes and seconds of a refused body that are read, so that its sender hears why
UPLOAD = re.compile(r"(?:/gradio_api)?/+upload/*")


class BodyMiddleware:
    """ASGI middleware that refuses bodies that are too large (413) or too slow (408), and too many requests (429)."""

    def __init__(self, app: ASGIApp, most_uploaded: int, most_in_flight: int) -> None:
        """Limit an upload to ``most_uploaded`` bytes, and each visitor to ``most_in_flight`` requests; 0 is no limit."""
        self._app, self._most_uploaded, self._most_in_flight = app, most_uploaded, most_in_flight
        self._in_flight: Counter[str] = Counter()
        discard_cut_uploads()
        make_no_empty_files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # By login, because people may share an address.
        visitor = username(scope) or (scope.get("client") or ("",))[0]
        if self._most_in_flight and self._in_flight[visitor] >= self._most_in_flight:
            said = f"Too many requests at the same time: the limit is {self._most_in_flight} (DEFTX_REQUESTS)."
            return await PlainTextResponse(said, 429, {"Retry-After": "1"})(scope, receive, send)
        self._in_flight[visitor] += 1
        try:
            await self._limited(scope, receive, send)
        finally:
            self._in_flight[visitor] -= 1
            if not self._in_flight[visitor]:
                del self._in_flight[visitor]

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        most: float = LARGEST_BODY
        if UPLOAD.fullmatch(scope["path"]):
            most = self._most_uploaded + PARTS_OF_AN_UPLOAD if self._most_uploaded else float("inf")
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            return await _refuse(_too_large(most), scope, receive, send)
        body = _Body(receive, send, most)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:  # a person closed the page, which is no fault of the server
            pass
        except Exception:
            if body.refusal is None:  # otherwise the error is what reading an incomplete body led to
                raise
        if body.refusal is not None and not body.answered:
            await _refuse(body.refusal, scope, receive, send)


class _Body:
    """One body while it is read. Once it is refused, the app sees that the client is gone, and its answer is dropped."""

    def __init__(self, receive: Receive, send: Send, most: float) -> None:
        self._receive, self._send, self._most = receive, send, most
        self._size, self._waited, self._ended = 0, 0.0, False
        self.refusal: PlainTextResponse | None = None
        self.answered = False

    async def receive(self) -> Message:
        """Return the next part of the body."""
        if self._ended:  # what follows is the end of the connection, for which the app may wait
            return await self._receive()
        if self.refusal is None:
            try:
                message = await self._next()
            except TimeoutError:
                self.refusal = PlainTextResponse("The request arrived too slowly.", 408, {"Connection": "close"})
            else:
                self._size += len(message.get("body", b""))
                self._ended = not message.get("more_body", False)
                if self._size <= self._most:
                    return message
                self._ended, self.refusal = False, _too_large(self._most)
        return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        before = time.monotonic()
        try:
            return await asyncio.wait_for(self._receive(), PATIENCE + self._size / SLOWEST - self._waited)
        finally:
            self._waited += time.monotonic() - before  # the time that the app itself takes does not count

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the request is refused."""
        if self.refusal is None or self.answered:
            self.answered = True
            await self._send(message)


def _too_large(most: float) -> PlainTextResponse:
    said = f"The request exceeds the maximum allowed size of {most / 1e6:,.0f} MB."
    return PlainTextResponse(said, 413, {"Connection": "close"})


async def _refuse(refusal: PlainTextResponse, scope: Scope, receive: Receive, send: Send) -> None:
    if refusal.status_code == 413:
        with suppress(TimeoutError):
            await asyncio.wait_for(_drain(receive), DRAINING)
    await refusal(scope, receive, send)


async def _drain(receive: Receive) -> None:
    size = 0
    while size < DRAINED:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return
