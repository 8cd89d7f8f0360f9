"""The process that works on one job: ``python -m deftx.jobs.worker FOLDER``.

It ends with 0 (finished), 2 (something that a person can put right), 128 + the signal's number (stopped as asked: 143
for SIGTERM) or 1 (anything else). All but a violent death leave a result.json that says the same in words.
"""

import logging
import os
import pkgutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deftx.advice import explain_any
from deftx.errors import DeftxError, TrainingStopped, unknown_name
from deftx.events import Event
from deftx.jobs.allowance import Allowance
from deftx.jobs.job import EVENTS, HEARTBEAT, HF_JOBS, LOCK, RESULT, SETTINGS, JobError, read_json, write_json
from deftx.jobs.process import process_id, take_lock
from deftx.jobs.state import STATES

# What does the work of each kind of job: "module:function", imported only when a worker needs it. The function is
# called with the job's settings, its folder, a listener for events, and a question to ask at every step: stop?
WORK = {"language": "deftx.jobs.work:learn_language", "task": "deftx.jobs.work:learn_task"}

ELSEWHERE = "deftx.jobs.remote.watcher:train_elsewhere"  # the same for a job that runs on another machine

HEARTBEAT_EVERY = 2.0  # seconds
_PREDECESSOR_ENDS = 30.0  # seconds that a process which has written its result may take to go

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How a job ended, as result.json holds it; the traceback stands in the log alone."""

    outcome: str  # "finished", "failed" or "stopped"
    message: str  # for the person
    exception: str | None = None
    time: float = field(default_factory=time.time)


def main(folder: Path, work: Mapping[str, str] = WORK) -> int:
    """Do the work of the job in ``folder`` and return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    stop = _StopRequest()
    lock = take_lock(folder / LOCK, patience=_PREDECESSOR_ENDS)
    if lock is None:
        log.error("Another process works on this job already.")
        return 1
    with lock, _heartbeat(folder):
        result, code = _work(folder, work, EventLog(folder / EVENTS), stop)
        log.info("%s: %s", result.outcome, result.message)
        try:
            write_json(folder / RESULT, asdict(result))
        except OSError:
            log.exception("The result could not be written; the last checkpoint is kept.")
            return 1
    return code


def _work(folder: Path, work: Mapping[str, str], events: "EventLog", stop: "_StopRequest") -> tuple[Result, int]:
    allowance = Allowance(folder)
    try:
        job = _job(folder, work)
        log.info("Process %d starts on %s job %s.", os.getpid(), job["kind"], job["id"])
        with allowance:
            pkgutil.resolve_name(_work_of(job, work))(
                job["settings"], folder, events.write, lambda: stop.asked() or allowance.is_spent()
            )
    except TrainingStopped as error:
        return Result("stopped", allowance.exceeded or STATES["stopped"].meaning, type(error).__name__), 128 + (
            stop.signal or signal.SIGTERM
        )
    except DeftxError as error:
        log.exception("The job cannot go on.")
        return Result("failed", str(error), type(error).__name__), 2
    except Exception as error:
        log.exception("The job failed.")
        return Result("failed", explain_any(error), type(error).__name__), 1
    return Result("finished", "Finished."), 0


def _job(folder: Path, work: Mapping[str, str]) -> dict[str, Any]:
    job = read_json(folder / SETTINGS)
    if job is None or not {"id", "kind", "settings"} <= job.keys():
        raise JobError(f"{folder / SETTINGS} is missing or damaged; discard this job and start a new one.")
    if job["kind"] not in work:
        raise unknown_name("The kind of job", job["kind"], work, JobError)
    return job


def _work_of(job: Mapping[str, Any], work: Mapping[str, str]) -> str:
    return ELSEWHERE if job["settings"].get("device") == HF_JOBS else work[job["kind"]]


class EventLog:
    """Appends events to a file, one line each, as they come.

    A full disk does not end a training that may still hold its checkpoint: lines that could not be written are kept and
    tried again with the next event.
    """

    def __init__(self, path: Path) -> None:
        """Write to ``path``, which may hold the events of earlier runs."""
        self._path = path
        self._unwritten = b""
        self._failing = False
        # The last line of a run that was killed may lack its end.
        self._separator = b"\n" if _lacks_its_end(path) else b""

    def write(self, event: Event) -> None:
        """Append one event."""
        self._unwritten += event.to_json().encode() + b"\n"
        try:
            with open(self._path, "ab", buffering=0) as file:
                written = file.write(self._separator + self._unwritten)
                if written < len(self._separator + self._unwritten):
                    raise OSError("the disk took only a part of an event")
        except OSError as error:
            if not self._failing:
                log.error("Progress cannot be written (%s); the training goes on and this is tried again.", error)
            self._failing, self._separator = True, b"\n"
        else:
            self._failing, self._separator, self._unwritten = False, b"", b""


def _lacks_its_end(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


class _StopRequest:
    """Turns the first SIGTERM or SIGINT into a question that the training asks at every step."""

    def __init__(self) -> None:
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        self.signal = self.signal or number

    def asked(self) -> bool:
        return self.signal is not None


@contextmanager
def _heartbeat(folder: Path) -> Iterator[None]:
    path, done = folder / HEARTBEAT, threading.Event()
    with suppress(OSError):  # a full disk: the lock still tells that this process lives
        write_json(path, process_id()._asdict())

    def beat() -> None:
        while not done.wait(HEARTBEAT_EVERY):
            with suppress(OSError):
                os.utime(path)

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        done.set()
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deftx.jobs.worker FOLDER")
    sys.exit(main(Path(sys.argv[1])))
