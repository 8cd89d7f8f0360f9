"""Login methods: find the person who made a request, by a password file or by a Hugging Face login."""

import logging
import math
import os
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

import anyio
from starlette.exceptions import HTTPException

from deftx.accounts.login_attempts import LoginAttempts
from deftx.accounts.people import ADMIN, MEMBER, NOBODY, VISITOR, People, Person
from deftx.core.hosting import Hosting
from deftx.core.logs import about
from ui import strings

# The client address of the current request. Only the middleware can see it, and sets it.
address: ContextVar[str] = ContextVar("address", default="")

log = logging.getLogger(__name__)


class LoginMethod(Protocol):
    """Finds the person who made a request."""

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person | None:
        """Return the person; None for somebody without access."""

    @property
    def problem(self) -> str:
        """What admins should know; empty if nothing."""


class PasswordLogin:
    """Login with a password file; see ``deftx.accounts.people``."""

    def __init__(self, people: People) -> None:
        """Check passwords against these people."""
        self._people = people
        self._looking = anyio.Semaphore(2)  # each check takes a processor and 16 MB for a fifth of a second
        self._tries = LoginAttempts()

    async def check(self, username: str, password: str) -> bool:
        """Return whether a password is right, as ``launch(auth=…)`` expects.

        Raises:
            HTTPException: there were too many wrong passwords; the text says when to try again.
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
        """Look up the name at every request, so that a person who is removed from the file loses access at once."""
        return self._people.find(username)

    def secret(self, username: str) -> str | None:
        """Return a text that another password changes; None for somebody without access."""
        return self._people.secret(username)

    @property
    def problem(self) -> str:
        """Why the file of people cannot be read; empty if it can."""
        return self._people.problem


class AccountLogin:
    """Login on a Space: everybody is a visitor, or a person once logged in with a Hub account."""

    problem = ""

    def __init__(self, hosting: Hosting, author: str = "", people: Path | None = None) -> None:
        """Make the Space's author an admin, as well as the admins in the settings; ``people`` is the folder of workspaces."""
        self._admins = {author.casefold(), *hosting.admins} - {""}
        self._members = hosting.members
        self._people = people
        self._folders: dict[str, str] = {}  # names of workspaces by the number of the account

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person | None:
        """Read the session, which is a cookie signed by the server; an expired one counts as logged out."""
        info = session.get("oauth_info") or {}
        account = info.get("userinfo") or {}
        name, number = str(account.get("preferred_username") or ""), _plain(account.get("sub"))
        if not name or not number or (info.get("expires_at") or 0) < time.time():
            return NOBODY
        known = name.casefold()
        if known in self._admins:
            return Person(name, ADMIN)
        role = VISITOR if self._members and known not in self._members else MEMBER
        return Person(name, role, self._folder(_plain(known), number))

    def _folder(self, name: str, number: str) -> str:
        """Return the workspace of an account, which keeps the name that the account had first.

        An account can be renamed and its old name taken by somebody else, so its number identifies the workspace.
        """
        if number not in self._folders:
            own = f"{name}-{number}"
            there = [path.name for path in self._people.iterdir()] if self._people and self._people.is_dir() else []
            # The part after the last hyphen is the number, whatever hyphens and digits a name has. A number with a
            # hyphen, which the Hub does not have, could also be the end of a name.
            kept = sorted(folder for folder in there if folder.rpartition("-")[2] == number)
            self._folders[number] = own if own in there or not kept else kept[0]
        return self._folders[number]


def _too_many(seconds: int) -> HTTPException:
    # 400, as for a wrong password: Gradio's login page shows no text for other codes.
    return HTTPException(400, strings.TOO_MANY_TRIES.format(seconds=seconds), {"Retry-After": str(seconds)})


def on_a_space() -> bool:
    """Return whether this is a Space with hf_oauth. Elsewhere, the secret that signs sessions is public."""
    return bool(
        os.environ.get("SPACE_ID") and os.environ.get("OAUTH_CLIENT_ID") and os.environ.get("OAUTH_CLIENT_SECRET")
    )


def _plain(text: Any) -> str:
    return re.sub(r"[^a-z0-9_-]", "-", str(text or "").casefold())[:60]
