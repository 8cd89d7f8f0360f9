"""The SQLite file behind the store: its schema, and transactions that several processes can share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deftx.jobs.job import JobError

# The statement at place n leads from version n (PRAGMA user_version; 0 is an empty file) to version n + 1.
_STEPS = (
    """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,             -- JSON
    created REAL NOT NULL,              -- seconds since 1970, as all times
    position INTEGER NOT NULL,          -- the order of those that wait
    pid INTEGER,                        -- the process started last; NULL: it waits to be started
    process_created REAL,
    stop_requested REAL,
    reached INTEGER,                    -- progress at the last automatic restart
    discarded INTEGER NOT NULL DEFAULT 0 -- 1: it is being removed for good
)
    """,
    "ALTER TABLE jobs ADD COLUMN trashed REAL",  # when it was put into the trash; NULL: it is not there
    "ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT ''",  # the person whose it is; empty: the host's own
)


class Database:
    """One SQLite file; every use opens a connection of its own, so threads and processes share none."""

    def __init__(self, path: Path) -> None:
        """Open, create or bring up to date the file; JobError if a newer version of deftx wrote it."""
        self.path = path
        with self.transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(_STEPS):
                raise JobError(f"{path} was written by a newer version of deftx; please update deftx.")
            for step in _STEPS[version:]:
                connection.execute(step)
            connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
        self._use_write_ahead_log()

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading or for one change; waits up to 30 s for another writer."""
        with closing(sqlite3.connect(self.path, timeout=30.0, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the one write lock: what is read in it still holds when it is written, and all is written or nothing."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _use_write_ahead_log(self) -> None:
        # Readers then never wait for a writer. SQLite refuses the switch while others use the file; all works without
        # it, and the next start tries again. The setting stays in the file.
        with self.connection() as connection:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                return
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
