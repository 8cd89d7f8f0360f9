"""Workspaces: everybody who logs in has one, and a handler runs in the workspace of its caller alone (``ui.current``)."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradio.context import LocalContext

from deftx.accounts.people import ADMIN, EMPTY, NOBODY, VISITOR, Person
from deftx.core.errors import DeftxError
from deftx.core.files import folder_size
from deftx.core.hosting import Hosting
from deftx.data.reading import Amount
from deftx.jobs import Job, JobError
from deftx.jobs.home import PEOPLE, workspace
from ui import strings
from ui.access.identity import LoginMethod
from ui.access.visitors import username
from ui.library import vector_index
from ui.studio import Studio

WORKSPACES_KEPT = 64  # open at the same time; the content of a workspace is on disk
MEGABYTE = 1_000_000


class Workspaces:
    """The people who log in, and the studio of each."""

    def __init__(self, host: Studio, hosting: Hosting, login_method: LoginMethod) -> None:
        """Share the base, the training queue and the background tasks of ``host`` among everybody who logs in."""
        self.host, self.hosting, self.login_method = host, hosting, login_method
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Studio] = OrderedDict()
        self._visits: dict[str, str] = {}  # the workspace that each admin has chosen, by the admin's name

    def asking(self) -> Person:
        """Return the current request's person, or nobody outside of a request; DeftxError if that person no longer has access."""
        request = LocalContext.request.get(None)
        if request is None:
            return NOBODY
        raw = getattr(request, "request", None) or request
        scope = getattr(raw, "scope", {})
        # A function that a script calls without an event receives the server's own request, which has no name of a person.
        server_own = request is raw and "headers" in scope
        name = username(scope) if server_own else getattr(request, "username", None)
        return self.person(name, scope.get("session") or {})

    def person(self, username: str | None, session: Mapping[str, Any]) -> Person:
        """Return the person of a request, by the login name or by the session of a Hub login."""
        person = self.login_method.person(username, session)
        if person is None:
            raise DeftxError(strings.LOG_IN_AGAIN)
        return person

    def of(self, person: Person) -> Studio:
        """Return the studio of a person; for an admin, the host's or the workspace that the admin has chosen."""
        visited = self._visits.get(person.name, "") if person.is_admin else ""
        if person.is_admin and not visited:
            return self.host
        return self._enter(visited or person.workspace, person.role)

    def workspace(self, name: str) -> Studio:
        """Return the studio of a workspace as an admin sees it."""
        return self._enter(name, ADMIN)

    def close(self, name: str) -> None:
        """Forget an empty workspace; it is created again when it is needed."""
        with self._lock:
            for key in [key for key in self._open if key[0] == name]:
                del self._open[key]

    def names(self) -> list[str]:
        """List the workspaces that have ever held anything."""
        folder = self.host.store.home / PEOPLE
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    def visit(self, name: str) -> None:
        """Choose a workspace for the admin who asks, or the host's (empty); DeftxError for other people."""
        person = self.asking()
        if not person.is_admin:
            raise DeftxError(strings.ADMINS_ONLY)
        if name and name not in self.names():
            raise DeftxError(strings.NO_SUCH_WORKSPACE)
        self._visits[person.name] = name

    def visited(self) -> str:
        """Return the workspace that the admin who asks has chosen; empty for the host's, and for other people."""
        person = self.asking()
        return self._visits.get(person.name, "") if person.is_admin else ""

    def names_for_admin(self) -> list[str]:
        """List the workspaces; DeftxError for people who are not admins."""
        if not self.asking().is_admin:
            raise DeftxError(strings.ADMINS_ONLY)
        return self.names()

    def _enter(self, name: str, role: str) -> Studio:
        with self._lock:
            studio = self._open.pop((name, role), None) or self._create(name, role)
            self._open[name, role] = studio
            while len(self._open) > WORKSPACES_KEPT:
                self._open.popitem(last=False)
        return studio

    def _create(self, name: str, role: str) -> Studio:
        limited = role != ADMIN
        admit = self._admit_file(name, role) if limited else lambda size: None
        queue = self._admit_job(name, role) if limited else lambda waiting: None
        unpacked = Amount(self.hosting.corpus_lines or math.inf, self.hosting.corpus_megabytes * MEGABYTE or math.inf)
        store, most = self.host.store.of(name, queue), unpacked if limited else None
        return Studio(self.host.base_name, store, host=self.host, admit=admit, most=most)

    def _admit_file(self, name: str, role: str) -> Callable[[int], None]:
        def admit(size: int) -> None:
            most, whole = self.hosting.corpus_megabytes, self.hosting.workspace_megabytes
            if name == EMPTY:
                raise DeftxError(strings.VISITORS_KEEP_NOTHING)
            if most and size > most * MEGABYTE:
                raise DeftxError(strings.FILE_OVER_LIMIT.format(size=f"{size / MEGABYTE:,.1f}", most=f"{most:,}"))
            self._check_limit(name, size, whole)

        return admit

    def _admit_job(self, name: str, role: str) -> Callable[[Sequence[Job]], None]:
        def admit(waiting: Sequence[Job]) -> None:
            if name == EMPTY or (role == VISITOR and not self.hosting.visitors_train):
                raise JobError(strings.VISITORS_DO_NOT_TRAIN)
            most = self.hosting.waiting_jobs
            if most and len(waiting) >= most:
                raise JobError(strings.QUEUE_OVER_LIMIT.format(most=most))
            self._check_limit(name, 0, self.hosting.workspace_megabytes)

        return admit

    def _check_limit(self, name: str, size: int, most: int) -> None:
        if not most:
            return
        public = vector_index.public(self.host.store)
        copies = (one.folder for one in (*public.list(), *public.trash()) if one.origin == name)
        there = sum(map(folder_size, (workspace(self.host.store.home, name), *copies)))
        if there + size > most * MEGABYTE:
            raise DeftxError(strings.WORKSPACE_OVER_LIMIT.format(there=f"{there / MEGABYTE:,.0f}", most=f"{most:,}"))
