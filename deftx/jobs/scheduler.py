"""The scheduler: it starts queued jobs, stops jobs on request, and requeues interrupted jobs."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from deftx.core.logs import about
from deftx.jobs.job import HEARTBEAT, LOG, RESULT, STOP, Job, JobError, read_json
from deftx.jobs.process import ProcessId, ask_to_stop, kill, process_id
from deftx.jobs.progress import progress_of
from deftx.jobs.remote.note import is_open
from deftx.jobs.state import state_of, worker_of
from deftx.jobs.store import Store

# -P: do not import modules from the current folder.
WORKER = (sys.executable, "-P", "-m", "deftx.jobs.worker")
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]

# Time for a remote job to save and deliver its checkpoint. If its worker were killed, its machine would keep running.
REMOTE_GRACE = 1800.0  # seconds
REMOTE_PAUSE = 600.0  # seconds between two attempts to stop the machine of a discarded job

log = logging.getLogger(__name__)


class Scheduler:
    """A thread in the server's process. Workers continue after it ends, and the next scheduler finds them.

    Args:
        store: The jobs.
        interval: Seconds between two checks.
        grace: Seconds for a worker to save its checkpoint before it is killed.
        command: The command that starts a worker, without the job's folder as the last argument.
        limits: Returns environment variables with the limits of a job.
    """

    def __init__(
        self,
        store: Store,
        *,
        interval: float = 1.0,
        grace: float = 60.0,
        command: Sequence[str] = WORKER,
        limits: Callable[[Job], Mapping[str, str]] = lambda job: {},
    ) -> None:
        """Create the scheduler without starting it."""
        self._store, self._interval, self._grace, self._command = store, interval, grace, tuple(command)
        self._limits = limits
        self._children: list[subprocess.Popen[bytes]] = []
        self._asked: dict[ProcessId, float] = {}  # when a worker was asked to stop
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """Stop the thread, waiting at most ``patience`` seconds. Workers continue."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def alive(self) -> bool:
        """Return whether the thread is running."""
        return self._thread.is_alive() and not self._ended.is_set()

    def __enter__(self) -> "Scheduler":
        """Start, for a with statement."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, at the end of a with statement."""
        self.stop()

    def tick(self) -> None:
        """Check all jobs once: pass stop requests on, requeue interrupted jobs, start jobs, and delete expired ones."""
        self._children = [child for child in self._children if child.poll() is None]
        for job in (*self._store.list(), *self._store.trash(), *self._store.being_removed()):
            # Without a stored process, a worker may still run: the database may have been lost meanwhile.
            if (job.process is None and not job.stop_requested) or _has_ended(job):
                continue
            if job.stop_requested:
                self._end(job)
            elif state_of(job).name == "interrupted":
                self._put_back(job)
        while not self._ended.is_set() and self._store.claim(self._spawn):
            pass
        self._store.remove_expired()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            try:
                self.tick()
            except Exception:  # for example a full disk or a locked database, which are temporary
                log.exception("The scheduler failed and tries again.", extra=about("scheduler"))

    def _end(self, job: Job) -> None:
        worker = worker_of(job)
        if worker is None:
            if is_open(job):  # its watcher has ended, but the remote machine must be stopped
                (job.folder / RESULT).unlink(missing_ok=True)  # of an earlier attempt
                self._store.set_process(job.id, self._spawn(job))
            return
        if job.is_sliced:
            (job.folder / STOP).touch()  # its process is that of a call, which does not listen to signals
            return
        if job.is_remote and not _listens(job, worker):
            return  # without its signal handler, a signal would end only the watcher and not the remote job
        asked = self._asked.get(worker)
        if asked is None:
            # Time from here, not from the request: after a restart of the server, the worker has not been asked yet.
            self._asked[worker] = time.monotonic()
            ask_to_stop(worker)
        elif time.monotonic() - asked > (grace := max(self._grace, REMOTE_GRACE) if job.is_remote else self._grace):
            log.warning("Job %s did not stop within %g s and is killed.", job.id, grace,
                        extra=about("job_killed", job.id))  # fmt: skip
            kill(worker)

    def _put_back(self, job: Job) -> None:
        # Only once, and again only after further progress, because a job may always crash at the same step.
        reached = progress_of(job).reached
        # Remote jobs are always requeued, because they continue and must be monitored.
        if job.reached is not None and reached <= job.reached and not job.is_remote:
            return
        try:
            self._store.requeue(job.id, front=True, reached=reached)
            log.warning("Job %s was interrupted and resumes from its checkpoint.", job.id,
                        extra=about("job_put_back", job.id))  # fmt: skip
        except JobError as error:  # another server has requeued it
            log.info("%s", error, extra=about("scheduler", job.id))

    def _spawn(self, job: Job) -> ProcessId:
        _rotate(job.folder / LOG)
        with open(job.folder / LOG, "ab") as output:
            child = subprocess.Popen(
                [*self._command, str(job.folder)],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                close_fds=True,
                env={**_environment(), **self._limits(job)},
            )
        self._children.append(child)
        log.info("Job %s (%s) starts as process %d.", job.id, job.name, child.pid, extra=about("job_started", job.id))
        return process_id(child.pid)


def _has_ended(job: Job) -> bool:
    """Return whether nothing is left to do for a job, such as to stop the machine of a discarded job that has failed."""
    try:
        ended = (job.folder / RESULT).stat().st_mtime
    except FileNotFoundError:
        return False
    return job.trashed is None or not is_open(job) or ended > max(job.trashed, time.time() - REMOTE_PAUSE)


def _listens(job: Job, worker: ProcessId) -> bool:
    return (read_json(job.folder / HEARTBEAT) or {}).get("pid") == worker.pid


def _environment() -> dict[str, str]:
    # Workers must find the package, whatever the current folder, and log a traceback if compiled code crashes.
    paths = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def _rotate(path: Path) -> None:
    """Rename the log of an earlier run to log.1.txt, log.2.txt and so on; the highest number is the latest."""
    if not path.exists():
        return
    number = 1
    while (kept := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)
