"""Login methods: how the person behind a request is told, from a password file or from a login at the Hugging Face Hub."""

import logging
import math
import os
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

import anyio
from starlette.exceptions import HTTPException

from deftx.accounts.login_attempts import LoginAttempts
from deftx.accounts.people import ADMIN, MEMBER, NOBODY, VISITOR, People, Person
from deftx.core.hosting import Hosting
from deftx.core.logs import about
from ui import strings

# Where the request comes from that is being answered; the gate, which alone sees it, says so.
address: ContextVar[str] = ContextVar("address", default="")

log = logging.getLogger(__name__)


class LoginMethod(Protocol):
    """Tells who a request is from."""

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person | None:
        """Return who it is; None for somebody who may not be here."""


class PasswordLogin:
    """Lets in whom a file of people names; see ``deftx.accounts.people``."""

    def __init__(self, people: People) -> None:
        """Ask these people for their passwords."""
        self._people = people
        self._looking = anyio.Semaphore(2)  # each takes a processor and 16 MB for a fifth of a second
        self._tries = LoginAttempts()

    async def check(self, username: str, password: str) -> bool:
        """Say whether somebody may come in; what launch(auth=…) asks.

        Raises:
            HTTPException: there were too many wrong passwords; the text says when the next one is looked at.
        """
        async with self._looking:
            wait = self._tries.wait(username, address.get())
            if wait:
                raise _too_many(math.ceil(wait))
            right = await anyio.to_thread.run_sync(self._people.check, username, password)
            self._tries.note(username, address.get(), right)
        if not right:
            log.warning("A wrong password was tried.", extra=about("wrong_password"))
        return right

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person | None:
        """Look the name up at every request, so that whoever was taken out of the file is out."""
        return self._people.find(username)


class AccountLogin:
    """On a Space: lets everybody in, as a visitor or, once logged in with an account of the Hub, as that person."""

    def __init__(self, hosting: Hosting, author: str = "") -> None:
        """Take the Space's author for an admin, beside those that the settings name."""
        self._admins = {author.casefold(), *hosting.admins} - {""}
        self._members = hosting.members

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person | None:
        """Read the session, a cookie that the server has signed; one that has run out counts as logged out."""
        info = session.get("oauth_info") or {}
        account = info.get("userinfo") or {}
        name, number = str(account.get("preferred_username") or ""), _plain(account.get("sub"))
        if not name or not number or (info.get("expires_at") or 0) < time.time():
            return NOBODY
        known = name.casefold()
        if known in self._admins:
            return Person(name, ADMIN)
        role = VISITOR if self._members and known not in self._members else MEMBER
        # Accounts can be renamed, and old names taken by others: the workspace is that of the account's own number.
        return Person(name, role, f"{_plain(known)}-{number}")


def _too_many(seconds: int) -> HTTPException:
    # 400 as for a wrong password: Gradio's page to log in says nothing at any other.
    return HTTPException(400, strings.TOO_MANY_TRIES.format(seconds=seconds), {"Retry-After": str(seconds)})


def on_a_space() -> bool:
    """Say whether this is a Space with hf_oauth; elsewhere sessions are signed with a secret that everybody knows."""
    return bool(
        os.environ.get("SPACE_ID") and os.environ.get("OAUTH_CLIENT_ID") and os.environ.get("OAUTH_CLIENT_SECRET")
    )


def _plain(text: Any) -> str:
    return re.sub(r"[^a-z0-9_-]", "-", str(text or "").casefold())[:60]
