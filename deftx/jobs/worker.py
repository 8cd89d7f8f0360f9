"""The worker process of a job: ``python -m deftx.jobs.worker FOLDER``.

Its exit code is 0 (finished), 2 (an error that the user can correct), 128 + the signal's number (stopped on request; 143
for SIGTERM) or 1 (any other error). Unless it was killed, it writes result.json.
"""

import logging
import os
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deftx.core.errors import unknown_name
from deftx.core.events import Event, OnEvent
from deftx.core.files import write_json
from deftx.jobs import group
from deftx.jobs.ending import Ending, StopRequest, ending_of
from deftx.jobs.job import EVENTS, HEARTBEAT, HF_JOBS, LOCK, RESULT, SETTINGS, TRACKED, JobError, read_json
from deftx.jobs.limits import JobLimits
from deftx.jobs.process import process_id, take_lock
from deftx.training.request import TrainingRequest

# The function for each kind of job, as "module:function", imported only when needed. Its arguments are the job's
# settings, its folder, a callback for events, and a function that returns whether to stop.
WORK = {"language": "deftx.jobs.work:learn_language", "task": "deftx.jobs.work:learn_task"}

REMOTE = "deftx.jobs.remote.watcher:train_remotely"  # the function for remote jobs

HEARTBEAT_EVERY = 2.0  # seconds
_PREDECESSOR_ENDS = 30.0  # seconds for an earlier worker to end after it has written its result

log = logging.getLogger(__name__)


def main(folder: Path, work: Mapping[str, str] = WORK) -> int:
    """Run the job in ``folder`` and return the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    stop = StopRequest()
    lock = take_lock(folder / LOCK, patience=_PREDECESSOR_ENDS)
    if lock is None:
        log.error("Another process is already running this job.")
        return 1
    with lock, heartbeat(folder):
        result, code = _work(folder, work, EventLog(folder / EVENTS), stop)
        if result is None:
            return code
        log.info("%s: %s", result.outcome, result.message)
        try:
            write_json(folder / RESULT, asdict(result))
        except OSError:
            log.exception("The result could not be written; the last checkpoint is kept.")
            return 1
    return code


def _work(folder: Path, work: Mapping[str, str], events: "EventLog", stop: StopRequest) -> Ending:
    limits = JobLimits(folder)

    def should_stop() -> bool:
        return stop.requested() or limits.is_reached()

    def do() -> Ending | None:
        job = read_job(folder, work)
        log.info("Process %d starts on %s job %s.", os.getpid(), job["kind"], job["id"])
        with limits:
            if (count := group.count_of(job["settings"])) > 1 and not _is_remote(job):
                return group.run(folder, count, stop, should_stop)
            train(job, work, folder, events.write, should_stop)

    result, code = ending_of(do, stop)
    if limits.exceeded and result is not None and result.outcome == "stopped":
        result = replace(result, message=limits.exceeded)
    return result, code


def train(
    job: Mapping[str, Any], work: Mapping[str, str], folder: Path, on_event: OnEvent, should_stop: Callable[[], bool]
) -> None:
    """Run the function of the job's kind in this process, and report its events to the tracker in its settings."""
    name = REMOTE if _is_remote(job) else work[job["kind"]]
    with _tracked(job, folder, on_event) as told:
        pkgutil.resolve_name(name)(job["settings"], folder, told, should_stop)


def _tracked(job: Mapping[str, Any], folder: Path, on_event: OnEvent) -> AbstractContextManager[OnEvent]:
    if not job["settings"].get("report_to"):
        return nullcontext(on_event)
    from deftx.training import trackers  # few jobs need it

    request = TrainingRequest.from_job(job["kind"], job["settings"])
    tracked = trackers.tracked_run(request, folder / TRACKED, str(job.get("name") or ""))
    return trackers.reporting(request.report_to, tracked, on_event)


def read_job(folder: Path, work: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of job.json. Raise JobError if it cannot be read or the kind of job is unknown."""
    job = read_json(folder / SETTINGS)
    if job is None or not {"id", "kind", "settings"} <= job.keys():
        raise JobError(f"{folder / SETTINGS} is missing or damaged. Discard this job and start a new one.")
    if job["kind"] not in work:
        raise unknown_name("The kind of job", job["kind"], work, JobError)
    return job


def _is_remote(job: Mapping[str, Any]) -> bool:
    return job["settings"].get("device") == HF_JOBS


class EventLog:
    """Appends events to a file, one line each.

    A full disk does not stop training: lines that could not be written are kept and written with the next event.
    """

    def __init__(self, path: Path) -> None:
        """Write to ``path``, which may contain the events of earlier runs."""
        self._path = path
        self._unwritten = b""
        self._failing = False
        # The last line may be incomplete if an earlier run was killed.
        self._separator = b"\n" if _lacks_its_end(path) else b""

    def write(self, event: Event) -> None:
        """Append one event."""
        self._unwritten += event.to_json().encode() + b"\n"
        try:
            with open(self._path, "ab", buffering=0) as file:
                written = file.write(self._separator + self._unwritten)
                if written < len(self._separator + self._unwritten):
                    raise OSError("an event was only partly written")
        except OSError as error:
            if not self._failing:
                log.error("Events cannot be written (%s); training continues and it is tried again.", error)
            self._failing, self._separator = True, b"\n"
        else:
            self._failing, self._separator, self._unwritten = False, b"", b""


def _lacks_its_end(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


@contextmanager
def heartbeat(folder: Path) -> Iterator[None]:
    """Write the process id to the job's heartbeat, and touch it regularly, within the block."""
    path, done = folder / HEARTBEAT, threading.Event()
    with suppress(OSError):  # for example a full disk; the lock still shows that this process is running
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
