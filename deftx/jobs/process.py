"""Which process works on a job, whether it lives, and how it is ended."""

import fcntl
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import psutil

# Creation times are derived from the boot time, which the kernel rounds to seconds and the clock's corrections move.
_CLOCK_TOLERANCE = 2.0


class ProcessId(NamedTuple):
    """A process: its number and, since numbers are used again, when it was created (seconds since 1970)."""

    pid: int
    created: float


def process_id(pid: int | None = None) -> ProcessId:
    """Identify a process, by default this one; raises psutil.NoSuchProcess if there is none."""
    process = psutil.Process(pid)
    return ProcessId(process.pid, process.create_time())


def lives(process: ProcessId | None) -> bool:
    """Tell whether the process still runs; one that ended and was not yet collected (a zombie) does not."""
    if process is None:
        return False
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.created) < _CLOCK_TOLERANCE
        ended = found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        # Until its last thread has ended too, its files stay open, and with them the lock of its job.
        return same and not (ended and found.num_threads() < 2)
    except psutil.NoSuchProcess:
        return False


def ask_to_stop(process: ProcessId) -> None:
    """Send SIGTERM: the worker saves a checkpoint and ends."""
    if lives(process):
        _signal(process.pid, signal.SIGTERM, group=False)


def kill(process: ProcessId, patience: float = 10.0) -> bool:
    """Send SIGKILL to the process and all that it started, wait up to ``patience`` seconds, tell whether it is gone."""
    deadline = time.monotonic() + patience
    while lives(process):
        _signal(process.pid, signal.SIGKILL, group=True)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _signal(pid: int, number: int, group: bool) -> None:
    try:
        # A worker leads a group of its own; where it does not, the group is somebody else's and stays untouched.
        if group and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself in the meantime


def take_lock(path: Path, patience: float = 0.0, shared: bool = False) -> IO[bytes] | None:
    """Lock a file for as long as the returned handle stays open, trying for ``patience`` seconds; None if it is taken.

    A shared lock keeps out only those that are not.

    The kernel releases the lock when the process dies, however it dies. So the lock is right where process numbers
    cannot be: after the clock was set, and for a worker whose number was not yet written down when the server died.
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
    """Tell whether some process holds the lock on ``path``, without creating the file."""
    try:
        with open(path, "rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def wait_until_unlocked(path: Path) -> None:
    """Wait until no process holds the lock on ``path``, or the file is gone."""
    with suppress(FileNotFoundError), open(path, "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
