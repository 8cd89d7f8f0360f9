"""The jobs of one home: a row in SQLite and a folder each, safe to be used by several processes and threads.

Several people share one queue, but not one folder: what is a person's lies in a workspace of their own, and a store that was
opened for a person finds no row but theirs, whoever asks it and for what.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deftx.core.files import write_json
from deftx.jobs.database import Database
from deftx.jobs.job import RESULT, SETTINGS, Job, JobError, check_id, conflict
from deftx.jobs.process import ProcessId, ask_to_stop, kill
from deftx.jobs.remote.note import is_open
from deftx.jobs.state import state_of, worker_of

Admit = Callable[[Sequence[Job]], None]

_THERE = "trashed IS NULL AND NOT discarded"
_TRASHED = "trashed IS NOT NULL AND NOT discarded"
_QUEUED = f"pid IS NULL AND stop_requested IS NULL AND {_THERE} ORDER BY position, id"

DATABASE_VARIABLE = "DEFTX_DATABASE"  # the queue's file, where it must not lie in the home itself

PEOPLE = "people"  # the folder of the workspaces below a home
TRASH_KEPT = 7 * 86_400.0  # seconds after which what is in the trash is removed for good


def home() -> Path:
    """Return the folder of all data, DEFTX_HOME or ~/.deftx, created so that only its owner can read it."""
    folder = Path(os.environ.get("DEFTX_HOME") or "~/.deftx").expanduser().absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def workspace(root: Path, owner: str) -> Path:
    """Return the folder of all that is a person's; of the host's own, where ``owner`` is empty."""
    return root / PEOPLE / owner if owner else root


class Store:
    """The jobs below ``root`` (default: ``home()``): everybody's, or those of one ``owner`` and no other."""

    def __init__(self, root: Path | None = None) -> None:
        """Open or create the store, finish removals that were cut short, and remove what is long in the trash."""
        self.home = Path(root) if root is not None else home()
        # Elsewhere for the one home of this process alone: a store that is given its folder keeps all of it there.
        elsewhere = os.environ.get(DATABASE_VARIABLE) if root is None else None
        self._furnish(None, lambda waiting: None)
        self._database = Database(Path(elsewhere) if elsewhere else self.home / "jobs.sqlite")
        self.remove_expired()

    def of(self, owner: str, admit: Admit = lambda waiting: None) -> "Store":
        """Give the store of one owner's jobs in the same queue; ``owner`` is a name that can be a folder's.

        ``admit`` is called with the owner's jobs that wait before one more is put into the queue; what it raises refuses
        that.
        """
        other = copy(self)
        other._furnish(owner, admit)
        return other

    def _furnish(self, owner: str | None, admit: Admit) -> None:
        self.owner, self._admit = owner, admit
        self.root = workspace(self.home, owner or "")
        self.folder = self.root / "jobs"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(
        self, kind: str, name: str, settings: Mapping[str, Any], prepare: Callable[[Path], None] = lambda folder: None
    ) -> Job:
        """Put a new job at the end of the queue; ``settings`` must be what JSON can hold.

        ``prepare`` puts into the job's folder what it starts from; where that fails, there is no job.
        """
        try:
            text = json.dumps(dict(settings), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise JobError(f"The settings of {name!r} cannot be kept as JSON: {error}.") from error
        job_id, created = self._new_folder()
        content = {"id": job_id, "kind": kind, "name": name, "created": created, "settings": json.loads(text)}
        # The folder first: as soon as the row is there, any server may start the job.
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
        except BaseException:
            shutil.rmtree(self.folder / job_id, ignore_errors=True)
            raise
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return one job; JobError if there is none of that name, or it is in the trash."""
        with self._database.connection() as database:
            return self._get(database, job_id)

    def list(self) -> tuple[Job, ...]:
        """Return every job that is not in the trash, the newest first."""
        return self._select(f"{_THERE} ORDER BY id DESC")

    def rename(self, job_id: str, name: str) -> None:
        """Call a job otherwise; its id, by which everything finds it, stays."""
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            database.execute("UPDATE jobs SET name = ? WHERE id = ?", (name, job.id))

    def queue(self) -> tuple[Job, ...]:
        """Return the jobs that wait, the next one first."""
        return tuple(job for job in self._select(_QUEUED) if state_of(job).name == "waiting")

    def claim(self, start: Callable[[Job], ProcessId]) -> Job | None:
        """Start the first waiting job whose device is free and write its process down; None if there is nothing to do.

        All of it happens under the database's one write lock: two servers never start two jobs. A server that dies
        within leaves the row as it was, and the worker's own lock keeps a second worker out.
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
        except sqlite3.Error:
            if process is not None:  # nobody would know of it
                kill(process)
            raise
        return self.get(job.id)

    def set_process(self, job_id: str, process: ProcessId) -> None:
        """Write down which process works on the job."""
        with self._database.transaction() as database:
            self._set_process(database, self._get(database, job_id, "1").id, process)

    def move(self, job_id: str, position: int) -> None:
        """Give a waiting job another place in the queue, 0 being the next; places beyond the end are the end.

        In the store of one owner places are counted among theirs, and the turns of all others stay as they are.
        """
        with self._database.transaction() as database:
            own = [job.id for job in self._rows(database, _QUEUED)]
            if check_id(job_id) not in own:
                raise JobError(f"Job {job_id} does not wait, so it cannot be moved.")
            everyone = [row["id"] for row in database.execute(f"SELECT id FROM jobs WHERE {_QUEUED}")]
            turns = [everyone.index(one) for one in own]
            own.remove(job_id)
            own.insert(max(0, position), job_id)
            order = list(everyone)
            for turn, one in zip(turns, own, strict=True):
                order[turn] = one
            database.executemany("UPDATE jobs SET position = ? WHERE id = ?", list(enumerate(order)))

    def request_stop(self, job_id: str) -> None:
        """Ask a job to stop and keep its checkpoint; a scheduler passes it on. What has ended stays as it is."""
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            database.execute(
                "UPDATE jobs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ?", (time.time(), job.id)
            )

    def requeue(self, job_id: str, *, front: bool = False, reached: int | None = None) -> None:
        """Put a failed, stopped or interrupted job back into the queue: it goes on from its checkpoint.

        ``reached`` is given by a scheduler that does so by itself; a person's wish starts that count afresh.
        """
        place = "(SELECT min(position) - 1 FROM jobs)" if front else "(SELECT max(position) + 1 FROM jobs)"
        with self._database.transaction() as database:
            job = self._get(database, job_id)
            state = state_of(job)
            if not state.resumable:
                raise JobError(f"Job {job.id} cannot be resumed: it is {state.name}.")
            if worker_of(job) is not None:
                raise JobError(f"The process of job {job.id} is still ending; try again in a moment.")
            if not front:  # a person's wish
                self._admit(self._waiting(database))
            (job.folder / RESULT).unlink(missing_ok=True)
            database.execute(
                f"UPDATE jobs SET pid = NULL, process_created = NULL, stop_requested = NULL, reached = ?,"
                f" position = {place} WHERE id = ?",
                (reached, job.id),
            )

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
        return self._select(f"{_TRASHED} ORDER BY trashed DESC, id DESC")

    def leaving(self) -> tuple[Job, ...]:
        """Return the jobs that are being removed for good."""
        return self._select("discarded")

    def restore(self, job_id: str) -> None:
        """Bring a job back from the trash as it was; one that ran is now stopped and can be resumed."""
        with self._database.transaction() as database:
            job = self._get(database, job_id, _TRASHED)
            database.execute("UPDATE jobs SET trashed = NULL WHERE id = ?", (job.id,))

    def remove(self, job_id: str) -> None:
        """Remove a job in the trash for good: checkpoints, vector, log and row."""
        with self._database.transaction() as database:
            self._forget(database, "id = ?", self._get(database, job_id, _TRASHED).id)
        self._remove_forgotten()

    def empty_trash(self) -> None:
        """Remove all that is in the trash for good."""
        with self._database.transaction() as database:
            self._forget(database, _TRASHED)
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

    def _waiting(self, database: sqlite3.Connection) -> tuple[Job, ...]:
        return tuple(job for job in self._rows(database, _QUEUED) if state_of(job).name == "waiting")

    def _next(self, database: sqlite3.Connection) -> Job | None:
        if self.owner is not None:
            raise ValueError("Only a store of everybody's jobs knows which device is free.")
        waiting = self._waiting(database)
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
                continue  # another job of this very microsecond

    def _get(self, database: sqlite3.Connection, job_id: str, condition: str = _THERE) -> Job:
        for job in self._rows(database, f"id = ? AND {condition}", check_id(job_id)):
            return job
        if condition == _TRASHED:
            raise JobError(f"Job {job_id} is not in the trash: it was brought back, or removed for good.")
        if self._rows(database, f"id = ? AND {_TRASHED}", job_id):
            raise JobError(f"Job {job_id} was discarded and is in the trash; bring it back first.")
        raise JobError(f"There is no job {job_id}: it was removed, or belongs to another DEFTX_HOME.")

    def _select(self, condition: str) -> tuple[Job, ...]:
        with self._database.connection() as database:
            return self._rows(database, condition)

    def _rows(self, database: sqlite3.Connection, condition: str, *values: Any) -> tuple[Job, ...]:
        return tuple(map(self._job, database.execute(*self._scoped("SELECT * FROM jobs WHERE", condition, values))))

    def _scoped(self, statement: str, condition: str, values: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """Narrow a statement to the owner's rows: the one place where it is decided whose jobs are seen and changed."""
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


def _holds_device(job: Job) -> bool:
    # A process that has written its result may still hold the device: what counts is that it lives.
    if worker_of(job) is not None:
        return True
    # A job that was interrupted for the first time comes back to the front: it keeps its turn until it does.
    return job.reached is None and state_of(job).name == "interrupted"
