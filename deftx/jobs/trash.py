"""The trash: jobs in it can be restored or deleted."""

import shutil
import sqlite3
import time
from typing import Any

from deftx.core.files import TRASH_KEPT
from deftx.jobs.job import Job, JobError
from deftx.jobs.process import ask_to_stop, kill
from deftx.jobs.remote.note import is_open
from deftx.jobs.rows import TRASHED, JobRows
from deftx.jobs.state import state_of, worker_of


class JobTrash(JobRows):
    """Jobs that can be moved to the trash, restored and deleted."""

    def discard(self, job_id: str) -> None:
        """Move a job to the trash; a running job is stopped at a checkpoint by a scheduler.

        It can be restored until ``remove`` is called or TRASH_KEPT has passed.
        """
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            worker = worker_of(job)
            # After ``restore``, a queued job is queued again, but a job that has run must not resume automatically.
            stop = time.time() if worker is not None or job.process is not None or is_open(job) else None
            database.execute(
                "UPDATE jobs SET trashed = ?, stop_requested = coalesce(stop_requested, ?) WHERE id = ?",
                (time.time(), stop, job.id),
            )
        if worker is not None and not job.is_remote:
            ask_to_stop(worker)

    def trash(self) -> tuple[Job, ...]:
        """Return the jobs in the trash, the last discarded first."""
        return self._select(f"{TRASHED} ORDER BY trashed DESC, id DESC")

    def being_removed(self) -> tuple[Job, ...]:
        """Return the jobs that are being deleted."""
        return self._select("discarded")

    def restore(self, job_id: str) -> None:
        """Restore a job from the trash. A job that was running is now stopped and can be resumed.

        Raises:
            DeftxError: If it would be queued again, and ``admit`` refuses another queued job.
        """
        with self._database.transaction() as database:
            job = self._get(database, job_id, TRASHED)
            if state_of(job).name == "waiting":
                self._admit(self._waiting(database))
            database.execute("UPDATE jobs SET trashed = NULL WHERE id = ?", (job.id,))

    def remove(self, job_id: str) -> None:
        """Delete a job in the trash: checkpoints, vector, log and row."""
        with self._database.transaction() as database:
            self._forget(database, "id = ?", self._get(database, job_id, TRASHED).id)
        self._remove_forgotten()

    def empty_trash(self) -> None:
        """Delete all jobs in the trash."""
        with self._database.transaction() as database:
            self._forget(database, TRASHED)
        self._remove_forgotten()

    def remove_expired(self) -> None:
        """Delete jobs that have been in the trash for TRASH_KEPT, and finish interrupted deletions."""
        expired = time.time() - TRASH_KEPT
        if any(job.trashed is not None and job.trashed < expired for job in self.trash()):
            with self._database.transaction() as database:
                self._forget(database, "trashed < ?", expired)
        self._remove_forgotten()

    def _forget(self, database: sqlite3.Connection, condition: str, *values: Any) -> None:
        database.execute(*self._scoped("UPDATE jobs SET discarded = 1 WHERE", condition, values))

    def _remove_forgotten(self) -> None:
        for job in self._select("discarded"):
            worker = worker_of(job)
            if job.is_remote and (worker is not None or is_open(job)):
                continue  # a scheduler first stops the remote machine; the job is deleted later
            if worker is not None and not kill(worker):
                raise JobError(
                    f"Process {worker.pid} of job {job.id} does not end; the job is deleted at the next start."
                )
            shutil.rmtree(job.folder, ignore_errors=True)
            # The row last, so that the next start can finish an interrupted deletion.
            with self._database.transaction() as database:
                database.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
