"""Jobs in the trash: they come back as they were, or are removed for good."""

import shutil
import sqlite3
import time
from typing import Any

from deftx.jobs.job import Job, JobError
from deftx.jobs.process import ask_to_stop, kill
from deftx.jobs.remote.note import is_open
from deftx.jobs.rows import TRASHED, JobRows
from deftx.jobs.state import worker_of

TRASH_KEPT = 7 * 86_400.0  # seconds after which what is in the trash is removed for good


class JobTrash(JobRows):
    """Jobs that can be discarded, brought back, and removed for good."""

    def discard(self, job_id: str) -> None:
        """Put a job into the trash, from where ``restore`` brings it back; one that runs is stopped at a checkpoint.

        A scheduler sees to it that the process ends. Nothing of the job is removed before ``remove`` or TRASH_KEPT.
        """
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            worker = worker_of(job)
            # What waits comes back to its place in the queue; what has run must not go on by itself.
            stop = time.time() if worker is not None or job.process is not None or is_open(job) else None
            database.execute(
                "UPDATE jobs SET trashed = ?, stop_requested = coalesce(stop_requested, ?) WHERE id = ?",
                (time.time(), stop, job.id),
            )
        if worker is not None and not job.is_remote:
            ask_to_stop(worker)

    def trash(self) -> tuple[Job, ...]:
        """Return the jobs in the trash, the one discarded last first."""
        return self._select(f"{TRASHED} ORDER BY trashed DESC, id DESC")

    def leaving(self) -> tuple[Job, ...]:
        """Return the jobs that are being removed for good."""
        return self._select("discarded")

    def restore(self, job_id: str) -> None:
        """Bring a job back from the trash as it was; one that ran is now stopped and can be resumed."""
        with self._database.transaction() as database:
            job = self._get(database, job_id, TRASHED)
            database.execute("UPDATE jobs SET trashed = NULL WHERE id = ?", (job.id,))

    def remove(self, job_id: str) -> None:
        """Remove a job in the trash for good: checkpoints, vector, log and row."""
        with self._database.transaction() as database:
            self._forget(database, "id = ?", self._get(database, job_id, TRASHED).id)
        self._remove_forgotten()

    def empty_trash(self) -> None:
        """Remove all that is in the trash for good."""
        with self._database.transaction() as database:
            self._forget(database, TRASHED)
        self._remove_forgotten()

    def remove_expired(self) -> None:
        """Remove what has been in the trash for TRASH_KEPT, and what an earlier removal left behind."""
        expired = time.time() - TRASH_KEPT
        if any(job.trashed < expired for job in self.trash()):
            with self._database.transaction() as database:
                self._forget(database, "trashed < ?", expired)
        self._remove_forgotten()

    def _forget(self, database: sqlite3.Connection, condition: str, *values: Any) -> None:
        database.execute(*self._scoped("UPDATE jobs SET discarded = 1 WHERE", condition, values))

    def _remove_forgotten(self) -> None:
        for job in self._select("discarded"):
            worker = worker_of(job)
            if job.is_remote and (worker is not None or is_open(job)):
                continue  # a scheduler has the machine elsewhere switched off first, and a later look removes the job
            if worker is not None and not kill(worker):
                raise JobError(f"Process {worker.pid} of job {job.id} does not end; the next start removes the job.")
            shutil.rmtree(job.folder, ignore_errors=True)
            # The row last: as long as it is there, the next start of a store finishes what was cut short.
            with self._database.transaction() as database:
                database.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
