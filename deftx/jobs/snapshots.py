"""Copies of the queue's database in a persistent folder on which SQLite itself is not safe.

A bucket mounted into a container does not support locks and fsync as SQLite needs them. So the database is on the machine's
own disk, and after every change a complete copy is written to the persistent folder.
"""

import logging
import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

from deftx.core.files import copy, move, sync_folder
from deftx.core.logs import about

INTERVAL = 2.0  # seconds between two checks; changes since the last copy are lost if the machine is lost

log = logging.getLogger(__name__)


def previous(snapshot: Path) -> Path:
    """Return the file of the second last copy."""
    return snapshot.with_name(f"{snapshot.stem}.previous{snapshot.suffix}")


def restore(database: Path, snapshot: Path) -> Path | None:
    """Restore the last valid copy if there is no database; return the copy that was used, or None.

    A damaged copy is renamed and kept.
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
        log.error("%s is damaged and was renamed to %s.", kept.name, aside.name, extra=about("snapshot_damaged"))
    return None


def take(database: Path, snapshot: Path) -> None:
    """Write a copy of a database that is in use. After OSError or sqlite3.Error, the last copy is unchanged."""
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
    """A thread that copies the database after every change and at the end."""

    def __init__(self, database: Path, snapshot: Path, interval: float = INTERVAL) -> None:
        """Create the thread without starting it."""
        self._database, self._snapshot, self._interval = database, snapshot, interval
        self._ended = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Start the thread; the database must exist."""
        self._thread.start()

    def stop(self, patience: float = 2.0) -> bool:
        """Stop the thread, waiting at most ``patience`` seconds, and make the last copy. Return whether it succeeded."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience)
        return not self._thread.is_alive() and self._take()

    def _run(self) -> None:
        seen, pause = None, 0.0
        with closing(sqlite3.connect(self._database, timeout=5.0)) as watching:
            while not self._ended.wait(pause):
                pause = self._interval
                with suppress(sqlite3.Error):  # it is read again
                    # data_version changes with every commit of another connection.
                    version = watching.execute("PRAGMA data_version").fetchone()[0]
                    if version != seen and self._take():
                        seen = version

    def _take(self) -> bool:
        try:
            take(self._database, self._snapshot)
        except (OSError, sqlite3.Error) as error:
            if not self._failing:
                log.error("The queue could not be copied to %s (%s); it is tried again.", self._snapshot.parent, error,
                          extra=about("snapshot_failed"))  # fmt: skip
            self._failing = True
            return False
        self._failing = False
        return True


def _is_whole(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            checked = connection.execute("PRAGMA quick_check").fetchone()[0]
            # An empty file is a valid database of version 0.
            return checked == "ok" and connection.execute("PRAGMA user_version").fetchone()[0] > 0
    except sqlite3.Error:
        return False
