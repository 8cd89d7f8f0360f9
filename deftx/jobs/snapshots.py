"""Copies of the queue's database in a folder that outlives this machine, for disks on which SQLite itself is not safe.

A bucket mounted into a container is such a disk: locks and fsync do not mean there what SQLite needs. So the file
lies on the machine's own disk; whenever it has changed, a whole copy is written beside the last one and moved there.
"""

import logging
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from deftx.core.files import copy, move, sync_folder
from deftx.core.logs import about

INTERVAL = 2.0  # seconds between two looks; what happened since the last copy is lost where a machine dies

log = logging.getLogger(__name__)


def previous(snapshot: Path) -> Path:
    """Where the copy before the last one is kept."""
    return snapshot.with_name(f"{snapshot.stem}.previous{snapshot.suffix}")


def restore(database: Path, snapshot: Path) -> Path | None:
    """Bring the last whole copy back where there is no database yet; return the copy that was used, or None.

    A damaged copy is set aside under another name, never overwritten and never used.
    """
    if database.exists():
        return None
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = database.with_name(database.name + ".restoring")
    for kept in (snapshot, previous(snapshot)):
        if not kept.is_file():
            continue
        shutil.copyfile(kept, draft)
        if _is_whole(draft):
            move(draft, database)
            return kept
        draft.unlink()
        aside = kept.with_name(kept.name + ".damaged")
        os.replace(kept, aside)
        log.error("%s is damaged and was set aside as %s.", kept.name, aside.name, extra=about("snapshot_damaged"))
    return None


def take(database: Path, snapshot: Path) -> None:
    """Write a copy of a database that others use; OSError or sqlite3.Error leaves the last copy as it was."""
    local, beside = database.with_name(database.name + ".copy"), snapshot.with_name(snapshot.name + ".new")
    local.unlink(missing_ok=True)
    with closing(sqlite3.connect(database, timeout=5.0)) as source, closing(sqlite3.connect(local)) as sink:
        source.backup(sink)
    copy(local, beside)
    if snapshot.exists():
        os.replace(snapshot, previous(snapshot))
    os.replace(beside, snapshot)
    sync_folder(snapshot.parent)
    local.unlink()


class Snapshots:
    """A thread that takes a copy whenever the database has changed, and one at the end."""

    def __init__(self, database: Path, snapshot: Path, interval: float = INTERVAL) -> None:
        """Prepare; nothing happens before ``start``."""
        self._database, self._snapshot, self._interval = database, snapshot, interval
        self._ended = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Copy from now on; the database must be there."""
        self._thread.start()

    def stop(self, patience: float = 2.0) -> bool:
        """Take the last copy, within ``patience`` seconds for the one under way; say whether it is there."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience)
        return not self._thread.is_alive() and self._take()

    def _run(self) -> None:
        seen = None
        with closing(sqlite3.connect(self._database, timeout=5.0)) as watching:
            while not self._ended.wait(self._interval if seen is not None else 0):
                # It changes with every commit of any other connection.
                version = watching.execute("PRAGMA data_version").fetchone()[0]
                if version != seen and self._take():
                    seen = version

    def _take(self) -> bool:
        try:
            take(self._database, self._snapshot)
        except (OSError, sqlite3.Error) as error:
            if not self._failing:
                log.error("The queue could not be copied to %s (%s); this is tried again.", self._snapshot.parent, error,
                          extra=about("snapshot_failed"))  # fmt: skip
            self._failing = True
            return False
        self._failing = False
        return True


def _is_whole(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    except sqlite3.Error:
        return False
