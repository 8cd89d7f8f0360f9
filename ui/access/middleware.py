"""Checks in front of Gradio's own routes and of every handler, so that people reach only files of their own."""

import json
import os
import re
from collections.abc import Iterable
from typing import Any

from gradio.utils import is_static_file
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from deftx.accounts.people import NOBODY, Person
from deftx.core.errors import DeftxError
from ui import strings
from ui.access.bodies import UPLOAD
from ui.access.file_access import comes_from_outside
from ui.access.identity import address
from ui.access.streams import StreamOwners, ids_of_address, ids_of_json, read_ahead
from ui.access.visitors import username
from ui.access.workspaces import Workspaces
from ui.studio import Studio

_LOGIN = re.compile(r"/+login/*")
_FILE = re.compile(r"(?:/gradio_api)?/+file[=/](.*)", re.DOTALL)
# The same answer as Gradio's for a missing file, so that it does not reveal that the file exists.
_NOTHING = {"detail": "Not Found"}


class AccessMiddleware:
    """ASGI middleware for requests about files and streams: they are only for their owners, files also for admins."""

    def __init__(self, app: Any, workspaces: Workspaces) -> None:
        """Wrap ``app``."""
        self._app, self._workspaces, self._streams = app, workspaces, StreamOwners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path") or "")
        if _LOGIN.fullmatch(path):
            address.set((scope.get("client") or ("",))[0])
            return await self._app(scope, receive, send)
        file, upload, ids = _FILE.fullmatch(path), UPLOAD.fullmatch(path), ids_of_address(scope, path)
        posted = scope["method"] == "POST" and not upload
        if not (file or upload or ids or posted):
            return await self._app(scope, receive, send)
        try:
            person = self._workspaces.person(username(scope), scope.get("session") or {})
        except DeftxError:
            return await JSONResponse({"detail": "Not authenticated"}, 401)(scope, receive, send)
        if upload and person is NOBODY:  # who can use no file
            return await JSONResponse({"detail": strings.VISITORS_KEEP_NOTHING}, 401)(scope, receive, send)
        if file and not _is_the_pages(file[1]) and not may_have(self._workspaces, person, file[1]):
            return await JSONResponse(_NOTHING, 404)(scope, receive, send)
        if posted:
            body, receive = await read_ahead(receive)
            ids += ids_of_json(body)
        if not self._streams.admit(ids, person.name):
            return await JSONResponse(_NOTHING, 404)(scope, receive, send)
        await self._app(scope, receive, self._recording(send, person, upload is not None) if upload or posted else send)

    def _recording(self, send: Send, person: Person, upload: bool) -> Send:
        """Return a ``send`` that notes the files or the event that an answer gives to a person."""
        body = bytearray()

        async def note(message: Message) -> None:
            if message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    for path in _paths(bytes(body)) if upload else ():
                        self._workspaces.host.served_files.note(path, person.workspace)
                    self._streams.admit(() if upload else ids_of_json(bytes(body)), person.name)
            await send(message)

        return note


def _is_the_pages(path: str) -> bool:
    """Return whether a file is part of the page itself, such as the script that draws plots; those have no owner."""
    return "\0" not in path and is_static_file(os.path.realpath(path))


def may_have(workspaces: Workspaces, person: Person, path: str) -> bool:
    """Return whether a person may read or send a file in Gradio's folder."""
    return person.is_admin or ("\0" not in path and workspaces.host.served_files.is_of(path, person.workspace))


def admit(workspaces: Workspaces, values: Iterable[Any]) -> Studio:
    """Return the workspace of the caller of a handler.

    Raises:
        DeftxError: the person no longer has access, or one of the ``values`` is a file that is not theirs.
    """
    person = workspaces.asking()
    for value in _flat(values):
        if comes_from_outside(value) and not may_have(workspaces, person, value):
            raise DeftxError(strings.NO_SUCH_FILE)
    return workspaces.of(person)


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        yield from _flat(value) if isinstance(value, (list, tuple)) else (value,)


def _paths(body: bytes) -> list[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else []
