"""Processes of jobs: identifying, checking and ending them, and file locks."""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import psutil

# Creation times depend on the boot time, which is rounded to seconds and changes with clock corrections.
_CLOCK_TOLERANCE = 2.0


class ProcessId(NamedTuple):
    """A process id with the creation time (seconds since 1970), because process ids are reused."""

    pid: int
    created: float


def process_id(pid: int | None = None) -> ProcessId:
    """Return the id of a process, by default of this one. Raise psutil.NoSuchProcess if it does not exist."""
    process = psutil.Process(pid)
    return ProcessId(process.pid, process.create_time())


def lives(process: ProcessId | None) -> bool:
    """Return whether the process is running; a zombie is not."""
    if process is None:
        return False
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.created) < _CLOCK_TOLERANCE
        ended = found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        # A zombie whose threads are still running keeps its files open, and the lock of its job.
        return same and not (ended and found.num_threads() < 2)
    except psutil.NoSuchProcess:
        return False


def ask_to_stop(process: ProcessId) -> None:
    """Send SIGTERM, on which a worker saves a checkpoint and ends."""
    if lives(process):
        _signal(process.pid, signal.SIGTERM, group=False)


def kill(process: ProcessId, patience: float = 10.0) -> bool:
    """Send SIGKILL to the process and its group, wait up to ``patience`` seconds, and return whether it has ended."""
    deadline = time.monotonic() + patience
    while lives(process):
        _signal(process.pid, signal.SIGKILL, group=True)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _signal(pid: int, number: int, group: bool) -> None:
    try:
        # Only if the process leads its group, as workers do; other groups contain other programs.
        if group and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended meanwhile


def take_lock(path: Path, patience: float = 0.0, shared: bool = False) -> IO[bytes] | None:
    """Lock a file while the returned handle is open, trying for ``patience`` seconds; return None if it is locked.

    Shared locks exclude only exclusive ones. The kernel releases the lock when the process ends for any reason. So the lock
    is reliable where process ids are not: after a change of the clock, and if the server ended before it stored the id.
    """
    handle = open(path, "ab")  # noqa: SIM115 (the caller holds it open)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() >= deadline:
                handle.close()
                return None
            time.sleep(0.05)


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on ``path``, without creating the file."""
    try:
        with open(path, "rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def wait_until_unlocked(path: Path) -> None:
    """Wait until no process holds the lock on ``path`` or the file does not exist."""
    with suppress(FileNotFoundError), open(path, "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
