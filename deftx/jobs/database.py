"""The SQLite database of the store: its schema, and transactions for several processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deftx.jobs.job import JobError

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


class Database:
    """A SQLite file. Every use opens a new connection, so threads and processes share none."""

    def __init__(self, path: Path) -> None:
        """Open, create or migrate the file. Raise JobError if a newer version of deftx wrote it."""
        self.path = path
        with self.transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(_STEPS):
                raise JobError(f"{path} was written by a newer version of deftx. Update deftx.")
            for step in _STEPS[version:]:
                connection.execute(step)
            connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
        self._use_write_ahead_log()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading or a single change; wait up to 30 s for another writer."""
        with closing(sqlite3.connect(self.path, timeout=30.0, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

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
