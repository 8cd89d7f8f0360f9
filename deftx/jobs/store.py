"""The jobs of a home: a row in SQLite and a folder for each. It can be used by several processes and threads.

Several people share one queue, but each has their own workspace folder. A store that is opened for a person gives access
only to their rows.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deftx.core.files import write_json
from deftx.jobs.database import DatabaseProblem
from deftx.jobs.home import home
from deftx.jobs.job import RESULT, SETTINGS, Job, JobError, check_id, conflict, read_json
from deftx.jobs.process import ProcessId, kill
from deftx.jobs.rows import QUEUED, Admit
from deftx.jobs.state import state_of, worker_of
from deftx.jobs.trash import JobTrash

DATABASE_VARIABLE = "DEFTX_DATABASE"  # path of the queue's database, if it must not be in the home


class Store(JobTrash):
    """The jobs below ``root`` (default: ``home()``), of all people or of one ``owner``."""

    def __init__(self, root: Path | None = None) -> None:
        """Open or create the store, finish interrupted deletions, and delete expired jobs in the trash."""
        folder = Path(root) if root is not None else home()
        # DEFTX_DATABASE applies only to the default home.
        named = os.environ.get(DATABASE_VARIABLE) if root is None else None
        super().__init__(folder, Path(named) if named else folder / "jobs.sqlite")
        self.remove_expired()

    def of(self, owner: str, admit: Admit = lambda waiting: None) -> "Store":
        """Return a store of one owner's jobs in the same queue; ``owner`` must be a valid folder name.

        ``admit`` is called with the owner's queued jobs before another one is added, and may raise to refuse it.
        """
        other = copy(self)
        other._set_owner(owner)
        other._admit = admit
        return other

    def add(
        self, kind: str, name: str, settings: Mapping[str, Any], prepare: Callable[[Path], None] = lambda folder: None
    ) -> Job:
        """Add a job at the end of the queue; ``settings`` must be valid JSON.

        ``prepare`` is called with the job's folder before the job is added; if it raises, no job is added.
        """
        try:
            text = json.dumps(dict(settings), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise JobError(f"The settings of {name!r} cannot be written as JSON: {error}.") from error
        job_id, created = self._new_folder()
        content = {"id": job_id, "kind": kind, "name": name, "created": created, "settings": json.loads(text)}
        # The folder before the row, because with the row any server may start the job.
        try:
            prepare(self.folder / job_id)
            write_json(self.folder / job_id / SETTINGS, content)
            with self._database.transaction() as database:
                self._admit(self._waiting(database))
                database.execute(
                    "INSERT INTO jobs (id, kind, name, settings, created, owner, position)"
                    " SELECT ?, ?, ?, ?, ?, ?, coalesce(max(position), 0) + 1 FROM jobs",
                    (job_id, kind, name, text, created, self.owner or ""),
                )
        except BaseException as error:
            shutil.rmtree(self.folder / job_id, ignore_errors=True)
            if isinstance(error, OSError):
                raise _not_stored(error) from error
            raise
        return self.get(job_id)

    def queue(self) -> tuple[Job, ...]:
        """Return the jobs that wait for a worker, the next one first; sliced jobs wait for calls instead."""
        return tuple(job for job in self._select(QUEUED) if not job.is_sliced and state_of(job).name == "waiting")

    def claim(self, start: Callable[[Job], ProcessId]) -> Job | None:
        """Start the first queued job whose device is free and store its process; return None if there is none.

        This runs in a transaction with the write lock, so two servers cannot start the same job. If the server ends during
        it, the row stays unchanged and the worker's lock prevents a second worker.
        """
        if not self.queue():
            return None
        process = None
        try:
            with self._database.transaction() as database:
                job = self._next(database)
                if job is None:
                    return None
                process = start(job)
                self._set_process(database, job.id, process)
        except DatabaseProblem:
            if process is not None:  # its id could not be stored
                kill(process)
            raise
        return self.get(job.id)

    def set_process(self, job_id: str, process: ProcessId) -> None:
        """Store the worker process of a job."""
        with self._database.transaction() as database:
            self._set_process(database, self._get(database, job_id, "1").id, process)

    def move(self, job_id: str, position: int) -> None:
        """Move a queued job to another place, where 0 is the next and large numbers mean the end.

        In the store of an owner, places count only their jobs, and the places of other people's jobs do not change.
        """
        with self._database.transaction() as database:
            own = [job.id for job in self._rows(database, QUEUED)]
            if check_id(job_id) not in own:
                raise JobError(f"Job {job_id} is not in the queue, so it cannot be moved.")
            everyone = [row["id"] for row in database.execute(f"SELECT id FROM jobs WHERE {QUEUED}")]  # noqa: S608 (a constant)
            turns = [everyone.index(one) for one in own]
            own.remove(job_id)
            own.insert(max(0, position), job_id)
            order = list(everyone)
            for turn, one in zip(turns, own, strict=True):
                order[turn] = one
            database.executemany("UPDATE jobs SET position = ? WHERE id = ?", list(enumerate(order)))

    def request_stop(self, job_id: str) -> None:
        """Request that a job stops at a checkpoint; a scheduler passes it on. It has no effect on a job that has ended."""
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            database.execute(
                "UPDATE jobs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ?", (time.time(), job.id)
            )

    def requeue(self, job_id: str, *, front: bool = False, reached: int | None = None) -> None:
        """Put a failed, stopped or interrupted job back into the queue; it continues from its checkpoint.

        ``reached`` is set by a scheduler for automatic restarts; a user's request resets it.
        """
        place = "(SELECT min(position) - 1 FROM jobs)" if front else "(SELECT max(position) + 1 FROM jobs)"
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            state = state_of(job)
            if not state.resumable:
                raise JobError(f"Job {job.id} cannot be resumed: it is {state.name}.")
            if worker_of(job) is not None:
                raise JobError(f"The process of job {job.id} has not ended yet. Try again in a moment.")
            if not front:  # requested by a user
                self._admit(self._waiting(database))
            (job.folder / RESULT).unlink(missing_ok=True)
            database.execute(
                f"UPDATE jobs SET pid = NULL, process_created = NULL, stop_requested = NULL, reached = ?,"  # noqa: S608 (two constants)
                f" position = {place} WHERE id = ?",
                (reached, job.id),
            )

    def change_device(self, job_id: str, device: str) -> None:
        """Have a job continue on another device, such as "cpu" after calls to a GPU; it waits in the queue for it.

        Raises:
            JobError: If it is running or has ended.
        """
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            if state_of(job).name != "waiting":
                raise JobError(f"Job {job.id} cannot change its device: it is {state_of(job).name}.")
            settings = {**job.settings, "device": device}
            write_json(job.folder / SETTINGS, {**(read_json(job.folder / SETTINGS) or {}), "settings": settings})
            text = json.dumps(settings, ensure_ascii=False)
            database.execute("UPDATE jobs SET settings = ? WHERE id = ?", (text, job.id))

    def _next(self, database: sqlite3.Connection) -> Job | None:
        if self.owner is not None:
            raise ValueError("Only a store of all people's jobs can find a free device.")
        waiting = [job for job in self._waiting(database) if not job.is_sliced]
        others = self._rows(database, "1 ORDER BY id DESC")
        for device in dict.fromkeys(job.device for job in waiting):
            if not any(conflict(device, job.device) and _holds_device(job) for job in others):
                return next(job for job in waiting if job.device == device)
        return None

    def _set_process(self, database: sqlite3.Connection, job_id: str, process: ProcessId) -> None:
        database.execute("UPDATE jobs SET pid = ?, process_created = ? WHERE id = ?", (*process, job_id))

    def _new_folder(self) -> tuple[str, float]:
        while True:
            created = time.time()
            job_id = datetime.fromtimestamp(created, UTC).strftime("%Y%m%d-%H%M%S-%f")
            try:
                (self.folder / job_id).mkdir(mode=0o700)
                return job_id, created
            except FileExistsError:
                continue  # another job has this microsecond
            except OSError as error:
                raise _not_stored(error) from error


def _not_stored(error: OSError) -> JobError:
    return JobError(f"The training run cannot be stored: {error.strerror or error}.")


def _holds_device(job: Job) -> bool:
    # A process that has written its result may still use the device until it ends.
    if worker_of(job) is not None:
        return True
    # A job that was interrupted for the first time will be requeued at the front; until then its device stays reserved.
    return job.reached is None and state_of(job).name == "interrupted"
