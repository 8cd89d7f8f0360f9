"""Removal of unused files and training runs: first to the trash, then permanently."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from functools import partial

from deftx.core.errors import DeftxError
from deftx.core.files import TRASH_KEPT, folder_size
from deftx.jobs import Job, Store, state_of
from deftx.labelling.store import Sessions
from deftx.labelling.word_store import WordSessions
from deftx.publish.own_vectors import OwnVector, OwnVectors
from ui.access.workspaces import Workspaces
from ui.library import vector_index
from ui.shared import removal
from ui.shared.uploads import KeptFiles
from ui.studio import Studio

DAY = 86_400.0  # seconds
EVERY = 3_600.0  # seconds between two passes
RESTING = ("finished", "failed", "stopped")

log = logging.getLogger(__name__)


class Retention:
    """Checks all workspaces every hour, in a separate thread; the host's own workspace is never changed."""

    def __init__(self, workspaces: Workspaces) -> None:
        """Prepare; nothing happens before ``start`` or ``look``."""
        self._workspaces = workspaces
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start checking every hour."""
        self._thread.start()

    def look(self, now: float | None = None) -> None:
        """Check every workspace once."""
        days, now = self._workspaces.hosting.days_kept, time.time() if now is None else now
        for name in self._workspaces.names():
            workspace = self._workspaces.workspace(name)
            if days:
                clear(workspace, now - days * DAY)
            if not folder_size(workspace.store.root) and not (workspace.store.list() or workspace.store.trash()):
                shutil.rmtree(workspace.store.root, ignore_errors=True)
                self._workspaces.close(name)
        vector_index.public(self._workspaces.host.store).remove_expired()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a full disk or a locked database can recover
                log.exception("Removing unused files failed; the next attempt is in an hour.")
            time.sleep(EVERY)


def clear(workspace: Studio, before: float) -> None:
    """Move items unused since ``before`` (seconds since 1970) to the trash, and remove old items of the trash."""
    for job in workspace.store.list():
        if _rests(job) and _changed(job) < before:
            _discard(partial(removal.discard_job, workspace.store, job.id))
    for files in (workspace.corpora, workspace.tables, workspace.lexicons):
        for name in files.names():
            if files.path(name).stat().st_mtime < before:
                _discard(partial(_discard_file, workspace.store, files, name))
        files.trash()
    own = OwnVectors(workspace.store.root)
    for vector in own.list():
        if vector.added < before:
            _discard(partial(_discard_vector, workspace.store, own, vector))
    own.remove_expired()
    for sessions in (Sessions(workspace.store.root), WordSessions(workspace.store.root)):
        for session in sessions.list():  # they have no trash, so they are kept for as long as it keeps other things
            if sessions.changed(session.id) < before - TRASH_KEPT:
                _discard(partial(sessions.remove, session.id))


def _rests(job: Job) -> bool:
    """Return whether nothing continues a job by itself; one that waits for its page may wait for ever."""
    state = state_of(job).name
    return state in RESTING or (job.is_sliced and state == "waiting")


def _changed(job: Job) -> float:
    """Return when a file of a job was last written."""
    files = [job.folder, *job.folder.iterdir()] if job.folder.is_dir() else []
    return max([job.created, *(path.stat().st_mtime for path in files)])


def _discard_file(store: Store, files: KeptFiles, name: str) -> None:
    removal.check_unused(store, files.path(name))
    files.discard(name)


def _discard_vector(store: Store, own: OwnVectors, vector: OwnVector) -> None:
    removal.check_source_unused(store, vector.folder, vector.title)
    own.discard(vector.name)


def _discard(remove: Callable[[], object]) -> None:
    try:
        remove()
    except DeftxError as error:  # a waiting or running training run still needs it
        log.info("%s", error)
