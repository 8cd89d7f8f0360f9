"""The process on the remote machine: ``python -m deftx.jobs.remote.inside MOUNT``.

It runs the usual worker on the machine's own disk, because a mounted bucket supports neither locks nor atomic replacement.
Events and checkpoints are copied to the mount regularly. The exit code is that of the worker, or 3 if it could not start.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deftx.jobs.job import EVENTS, SETTINGS
from deftx.jobs.places import why_not
from deftx.jobs.remote import delivery
from deftx.jobs.remote.places import poll_seconds

SENT, STOP = "sent", "stop"  # in the bucket: the job's package, and a file that requests a stop
SAVE_EVERY = "DEFTX_JOBS_SAVE"  # seconds between two copies of the checkpoints
NOT_BEGUN = 3
LAST_TRIES = 10  # attempts to write the final delivery

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def main(mount: Path) -> int:
    """Run the job whose package is in the mounted bucket and return the exit code."""
    if (problem := why_not(mount)) is not None:
        print(f"The bucket cannot be used: {problem}", flush=True)
        return NOT_BEGUN
    if not (mount / SENT / SETTINGS).is_file():
        print(f"The bucket has no {SENT}/{SETTINGS}: no package was uploaded for this job.", flush=True)
        return NOT_BEGUN
    with tempfile.TemporaryDirectory(prefix="deftx-") as place:
        folder = Path(place) / "job"
        shutil.copytree(mount / SENT, folder)
        worker = _start(folder)
        signal.signal(signal.SIGTERM, lambda number, frame: worker.terminate())  # when the machine is shut down
        Mirror(folder, mount).run(worker)
    return worker.returncode if worker.returncode >= 0 else 128 - worker.returncode


class Mirror:
    """Copies the worker's files to the mount, and passes stop requests on to the worker."""

    def __init__(self, folder: Path, mount: Path, save_every: float | None = None) -> None:
        """``save_every`` is the time between two copies of the checkpoints in seconds; ten minutes by default."""
        self._folder, self._mount, self._back = folder, mount, mount / delivery.BACK
        self._every = save_every if save_every is not None else float(os.environ.get(SAVE_EVERY) or 600)
        self._saved, self._number, self._copied, self._state = time.monotonic(), 0, -1, ""
        self._stopping = False

    def run(self, worker: subprocess.Popen[bytes]) -> None:
        """Copy until the worker has ended, then write the final delivery."""
        while worker.poll() is None:
            self.look_once(worker)
            try:
                worker.wait(poll_seconds())
            except subprocess.TimeoutExpired:
                continue
        for left in reversed(range(LAST_TRIES)):
            with _errors_printed(raised=not left):
                self._copy_events()
                self._deliver(final=True)
                return
            time.sleep(poll_seconds())

    def look_once(self, worker: subprocess.Popen[bytes]) -> None:
        """Copy new events, check for a stop request, and deliver checkpoints if it is time.

        What fails is tried again by the next call.
        """
        with _errors_printed():
            self._copy_events()
        with _errors_printed():
            # List the folder, because a mount may cache that a file does not exist.
            if not self._stopping and STOP in os.listdir(self._mount):
                self._stopping = True
                worker.terminate()
        with _errors_printed():
            if time.monotonic() - self._saved > self._every:
                self._deliver(final=False)

    def _copy_events(self) -> None:
        events = self._folder / EVENTS
        size = events.stat().st_size if events.exists() else 0
        if size and size != self._copied:
            self._back.mkdir(exist_ok=True)
            shutil.copyfile(events, self._back / EVENTS)
            self._copied = size

    def _deliver(self, final: bool) -> None:
        state = _state_of(self._folder)
        if final or state != self._state:
            delivery.write(self._folder, self._mount, self._number, final)
            self._number, self._state = self._number + 1, state
        self._saved = time.monotonic()


@contextmanager
def _errors_printed(raised: bool = False) -> Iterator[None]:
    """Print an error of the mount, which may be a passing one, and go on unless it is to be ``raised``."""
    try:
        yield
    except OSError as error:
        if raised:
            raise
        print(f"The bucket does not answer and is tried again: {error}", flush=True)


def _state_of(folder: Path) -> str:
    """Return the names and modification times of the files to deliver, to detect changes."""
    found = []
    for path in delivery.training_files(folder):
        try:
            found.append(f"{path} {path.stat().st_mtime_ns}")
        except FileNotFoundError:
            continue
    return "\n".join(found)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    # The current folder is the job's, because its settings contain relative paths.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "deftx.jobs.worker", str(folder)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(_PACKAGE_ROOT), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"},
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deftx.jobs.remote.inside MOUNT")
    sys.exit(main(Path(sys.argv[1])))
