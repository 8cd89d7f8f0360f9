"""Starts what waits, ends what was asked to stop, and puts back what was interrupted."""

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
from deftx.jobs.job import HEARTBEAT, LOG, RESULT, Job, JobError, read_json
from deftx.jobs.process import ProcessId, ask_to_stop, kill, process_id
from deftx.jobs.progress import progress_of
from deftx.jobs.remote.note import is_open
from deftx.jobs.state import state_of, worker_of
from deftx.jobs.store import Store

# -P: whatever lies in the folder from which the server was started is not imported.
WORKER = (sys.executable, "-P", "-m", "deftx.jobs.worker")
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]

# What a job elsewhere has to save its checkpoint and to bring it here: nobody would end its machine after a kill.
REMOTE_GRACE = 1800.0  # seconds

log = logging.getLogger(__name__)


class Scheduler:
    """A thread in the server's process; the workers outlive it, and the next scheduler finds them again.

    ``interval`` is the time between two looks in seconds, ``grace`` the seconds that a worker has to save its
    checkpoint before it is killed, ``command`` what starts a worker when the job's folder is appended, ``limits`` what
    a worker's environment says about how much a job may take.
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
        """Prepare; nothing happens before ``start`` or ``tick``."""
        self._store, self._interval, self._grace, self._command = store, interval, grace, tuple(command)
        self._limits = limits
        self._children: list[subprocess.Popen[bytes]] = []
        self._asked: dict[ProcessId, float] = {}  # when a worker was told to stop, by this scheduler's own clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Look after the jobs from now on."""
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """Look no longer; workers go on. A look under way is waited for, at most ``patience`` seconds."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(patience)

    def alive(self) -> bool:
        """Say whether somebody looks after the jobs."""
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
        """Look once: collect the dead, pass on stops, put back the interrupted, start what can start, clear the trash."""
        self._children = [child for child in self._children if child.poll() is None]
        for job in (*self._store.list(), *self._store.trash(), *self._store.leaving()):
            ending = job.stop_requested and is_open(job)
            if (job.process is None and not ending) or (job.folder / RESULT).exists():
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
            except Exception:  # a full disk or a locked database pass; the queue must go on when they have
                log.exception("The scheduler could not look after the jobs; it tries again.", extra=about("scheduler"))

    def _end(self, job: Job) -> None:
        worker = worker_of(job)
        if worker is None:
            if is_open(job):  # its watcher died: the machine elsewhere is not told to stop by anybody else
                self._store.set_process(job.id, self._spawn(job))
            return
        if job.is_remote and not _listens(job, worker):
            return  # a signal before it can take one would end it, and nothing elsewhere
        asked = self._asked.get(worker)
        if asked is None:
            # Counted from here, not from the row: a server that was down must not kill what it never asked.
            self._asked[worker] = time.monotonic()
            ask_to_stop(worker)
        elif time.monotonic() - asked > (grace := max(self._grace, REMOTE_GRACE) if job.is_remote else self._grace):
            log.warning("Job %s did not stop within %g s and is killed.", job.id, grace,
                        extra=about("job_killed", job.id))  # fmt: skip
            kill(worker)

    def _put_back(self, job: Job) -> None:
        # Once, and again only after new ground was covered: what dies twice at one point would die for ever.
        reached = progress_of(job).reached
        # One elsewhere goes on all the same: it must be watched again, however often the watching is interrupted.
        if job.reached is not None and reached <= job.reached and not job.is_remote:
            return
        try:
            self._store.requeue(job.id, front=True, reached=reached)
            log.warning("Job %s was interrupted and goes on from its checkpoint.", job.id,
                        extra=about("job_put_back", job.id))  # fmt: skip
        except JobError as error:  # another server was faster
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


def _listens(job: Job, worker: ProcessId) -> bool:
    return (read_json(job.folder / HEARTBEAT) or {}).get("pid") == worker.pid


def _environment() -> dict[str, str]:
    # The package must be found wherever the server was started; a crash in compiled code leaves its trace in the log.
    paths = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def _rotate(path: Path) -> None:
    """Keep the log of an earlier run as log.1.txt, log.2.txt and so on: the highest number is the latest."""
    if not path.exists():
        return
    number = 1
    while (kept := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)
