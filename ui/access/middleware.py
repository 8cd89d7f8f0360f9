"""Checks in front of Gradio's own routes and of every handler, so that people reach only files of their own."""

import json
import os
import re
from collections.abc import Callable, Iterable, MutableMapping
from functools import wraps
from typing import Any

import gradio as gr
from gradio.utils import is_static_file
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse

from deftx.accounts.people import Person
from deftx.core.errors import DeftxError
from ui import strings
from ui.access.file_access import comes_from_outside
from ui.access.identity import address
from ui.access.workspaces import Workspaces
from ui.shared.errors import refusals

Scope, Message = MutableMapping[str, Any], MutableMapping[str, Any]

_LOGIN = re.compile(r"/+login/*")
_FILE = re.compile(r"(?:/gradio_api)?/+file[=/](.*)", re.DOTALL)
_UPLOAD = re.compile(r"(?:/gradio_api)?/+upload/*")
# The same answer as Gradio's for a missing file, so that it does not reveal that the file exists.
_NOTHING = {"detail": "Not Found"}


class AccessMiddleware:
    """ASGI middleware that records who uploads a file, and serves a file only to its owners and to admins."""

    def __init__(self, app: Any, workspaces: Workspaces) -> None:
        """Wrap ``app``."""
        self._app, self._workspaces = app, workspaces

    async def __call__(self, scope: Scope, receive: Callable, send: Callable) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path") or "")
        if _LOGIN.fullmatch(path):
            address.set((scope.get("client") or ("",))[0])
        file, upload = _FILE.fullmatch(path), _UPLOAD.fullmatch(path)
        if not file and not upload:
            return await self._app(scope, receive, send)
        try:
            person = self._workspaces.person(_username(scope), scope.get("session") or {})
        except DeftxError:
            return await JSONResponse({"detail": "Not authenticated"}, 401)(scope, receive, send)
        if file and not _is_the_pages(file[1]) and not may_have(self._workspaces, person, file[1]):
            return await JSONResponse(_NOTHING, 404)(scope, receive, send)
        await self._app(scope, receive, self._recording(send, person) if upload else send)

    def _recording(self, send: Callable, person: Person) -> Callable:
        body = bytearray()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    for path in _paths(bytes(body)):
                        self._workspaces.host.served_files.note(path, person.workspace)
            await send(message)

        return note


def _is_the_pages(path: str) -> bool:
    """Return whether a file is part of the page itself, such as the script that draws plots; those have no owner."""
    return "\0" not in path and is_static_file(os.path.realpath(path))


def may_have(workspaces: Workspaces, person: Person, path: str) -> bool:
    """Return whether a person may read or send a file in Gradio's folder."""
    return person.is_admin or ("\0" not in path and workspaces.host.served_files.is_of(path, person.workspace))


def guard(page: gr.Blocks, workspaces: Workspaces) -> None:
    """Make every handler of a page refuse files that the caller does not own, on every route."""
    for handler in page.fns.values():
        if handler.fn is not None:
            handler.fn = _guarded(handler.fn, workspaces)


def _guarded(function: Callable, workspaces: Workspaces) -> Callable:
    @wraps(function)
    def guarded(*values: Any, **named: Any) -> Any:
        with refusals():
            person = workspaces.asking()
            for value in _flat((*values, *named.values())):
                if comes_from_outside(value) and not may_have(workspaces, person, value):
                    raise DeftxError(strings.NO_SUCH_FILE)
        return function(*values, **named)

    return guarded


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        yield from _flat(value) if isinstance(value, (list, tuple)) else (value,)


def _paths(body: bytes) -> list[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else []


def _username(scope: Scope) -> str | None:
    """Return the user name that belongs to a request's cookie, found as Gradio's own routes find it."""
    header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"), "")
    cookies, app = cookie_parser(header), scope["app"]
    token = next((cookies[name] for kind in ("", "unsecure-")
                  if cookies.get(name := f"access-token-{kind}{app.cookie_id}")), None)  # fmt: skip
    return app.tokens.get(token)
