"""The jobs' rows in the database, of all people or of one owner. This module decides who sees and changes which job."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deftx.jobs.database import Database
from deftx.jobs.home import workspace
from deftx.jobs.job import Job, JobError, check_id
from deftx.jobs.process import ProcessId
from deftx.jobs.rebuilding import rebuild
from deftx.jobs.state import state_of

# Conditions on rows.
THERE = "trashed IS NULL AND NOT discarded"
TRASHED = "trashed IS NOT NULL AND NOT discarded"
QUEUED = f"pid IS NULL AND stop_requested IS NULL AND {THERE} ORDER BY position, id"

Admit = Callable[[Sequence[Job]], None]


class JobRows:
    """The jobs below ``home``, of one ``owner``, or of all people if ``owner`` is None."""

    def __init__(self, home: Path, database: Path) -> None:
        """Open the jobs of all people; create their folder and the database if they are missing."""
        self.home = home
        self._admit: Admit = lambda waiting: None
        self._set_owner(None)
        self._database = Database(database, lambda connection: rebuild(connection, home))

    def _set_owner(self, owner: str | None) -> None:
        self.owner = owner
        self.root = workspace(self.home, owner or "")
        self.folder = self.root / "jobs"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, job_id: str) -> Job:
        """Return a job by its id. Raise JobError if it does not exist or is in the trash."""
        with self._database.connection() as database:
            return self._get(database, job_id)

    def list(self) -> tuple[Job, ...]:
        """Return all jobs that are not in the trash, the newest first."""
        return self._select(f"{THERE} ORDER BY id DESC")

    def rename(self, job_id: str, name: str) -> None:
        """Change the name of a job. Its id stays."""
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            database.execute("UPDATE jobs SET name = ? WHERE id = ?", (name, job.id))

    def _waiting(self, database: sqlite3.Connection) -> tuple[Job, ...]:
        return tuple(job for job in self._rows(database, QUEUED) if state_of(job).name == "waiting")

    def _get(self, database: sqlite3.Connection, job_id: str, condition: str = THERE) -> Job:
        for job in self._rows(database, f"id = ? AND {condition}", check_id(job_id)):
            return job
        if condition == TRASHED:
            raise JobError(f"Job {job_id} is not in the trash: it was restored or deleted.")
        if self._rows(database, f"id = ? AND {TRASHED}", job_id):
            raise JobError(f"Job {job_id} is in the trash. Restore it first.")
        raise JobError(f"There is no job {job_id}: it was deleted, or belongs to another DEFTX_HOME.")

    def _select(self, condition: str) -> tuple[Job, ...]:
        with self._database.connection() as database:
            return self._rows(database, condition)

    def _rows(self, database: sqlite3.Connection, condition: str, *values: Any) -> tuple[Job, ...]:
        return tuple(map(self._job, database.execute(*self._scoped("SELECT * FROM jobs WHERE", condition, values))))

    def _scoped(self, statement: str, condition: str, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """Restrict a statement to the owner's rows. All statements go through this function."""
        if self.owner is None:
            return f"{statement} {condition}", values
        return f"{statement} owner = ? AND {condition}", (self.owner, *values)

    def _job(self, row: sqlite3.Row) -> Job:
        columns = dict(row)
        pid, created = columns.pop("pid"), columns.pop("process_created")
        del columns["discarded"]
        columns["settings"] = json.loads(columns["settings"])
        process = None if pid is None else ProcessId(pid, created)
        folder = workspace(self.home, columns["owner"]) / "jobs" / columns["id"]
        return Job(**columns, folder=folder, process=process)
