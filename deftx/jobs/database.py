"""The SQLite database of the store: its schema, and transactions for several processes."""

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deftx.core.logs import about
from deftx.jobs.job import JobError

BUSY_SECONDS = 30.0  # how long a connection waits for another writer
_BESIDE = ("", "-wal", "-shm")  # suffixes of the files of a database
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

log = logging.getLogger(__name__)

# The n-th statement migrates from version n (PRAGMA user_version; 0 is an empty file) to version n + 1.
_STEPS = (
    """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,             -- JSON
    created REAL NOT NULL,              -- seconds since 1970, as all times
    position INTEGER NOT NULL,          -- the order in the queue
    pid INTEGER,                        -- the last worker process; NULL: not started yet
    process_created REAL,
    stop_requested REAL,
    reached INTEGER,                    -- progress at the last automatic restart
    discarded INTEGER NOT NULL DEFAULT 0 -- 1: it is being deleted
)
    """,
    "ALTER TABLE jobs ADD COLUMN trashed REAL",  # when it was moved to the trash; NULL: it is not in the trash
    "ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",  # the owner's name; empty: the host
)


class DatabaseProblem(JobError):
    """The database cannot be read or written at the moment; nothing was changed."""

    def __init__(self, error: sqlite3.Error) -> None:
        """Say what SQLite said, and what to do."""
        self.code = getattr(error, "sqlite_errorname", "")
        if self.code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            said = "Another program has locked the queue for a long time. Try again in a moment."
        elif self.code.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
            said = f"The queue cannot be written ({error}). Check that the disk is not full and can be written."
        else:
            said = f"The queue cannot be read ({error})."
        super().__init__(said)


class Database:
    """A SQLite file. Every use opens a new connection, so threads and processes share none."""

    def __init__(self, path: Path, rebuild: Callable[[sqlite3.Connection], None] = lambda database: None) -> None:
        """Open, create or migrate the file; ``rebuild`` fills a new one. A damaged file is renamed and kept.

        Raises:
            JobError: a newer version of deftx wrote the file, or it cannot be opened.
        """
        self.path = path
        opened = _inode(path)
        try:
            self._prepare(rebuild)
        except DatabaseProblem as error:
            if not error.code.startswith(_DAMAGED):
                raise
            if _inode(path) == opened:  # otherwise another process has just done so
                self._set_aside(error)
            self._prepare(rebuild)
        # While it is open, so is the index of the write-ahead log: reading then works on a full disk too.
        self._anchor = sqlite3.connect(self.path, check_same_thread=False)
        self._anchor.execute("SELECT count(*) FROM jobs").fetchone()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading or a single change; wait for another writer. Raise DatabaseProblem if it fails."""
        try:
            with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.Error as error:
            raise DatabaseProblem(error) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run an atomic transaction with the write lock, so that no other process writes meanwhile."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _prepare(self, rebuild: Callable[[sqlite3.Connection], None]) -> None:
        with self.connection() as connection:
            if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                damaged = sqlite3.DatabaseError("the file is damaged")
                damaged.sqlite_errorname = _DAMAGED[0]
                raise damaged
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != len(_STEPS):  # otherwise nothing is written, so that a full disk does not prevent a start
            with self.transaction() as connection:
                self._migrate(connection, rebuild)
        self._use_write_ahead_log()

    def _migrate(self, connection: sqlite3.Connection, rebuild: Callable[[sqlite3.Connection], None]) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_STEPS):
            raise JobError(f"{self.path} was written by a newer version of deftx. Update deftx.")
        for step in _STEPS[version:]:
            connection.execute(step)
        if version == 0:
            rebuild(connection)
        connection.execute(f"PRAGMA user_version = {len(_STEPS)}")

    def _set_aside(self, error: DatabaseProblem) -> None:
        name = f"{self.path.name}.damaged-{time.time_ns()}"
        for suffix in _BESIDE:
            if (file := self.path.with_name(self.path.name + suffix)).exists():
                os.replace(file, self.path.with_name(name + suffix))
        log.error("%s It was renamed to %s, and the queue is rebuilt from the folders of the jobs.", error, name,
                  extra=about("database_damaged"))  # fmt: skip

    def _use_write_ahead_log(self) -> None:
        # With it, readers do not wait for a writer. SQLite cannot enable it while others use the file; then the next start
        # tries again. The setting is stored in the file.
        with self.connection() as connection:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                return
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None
