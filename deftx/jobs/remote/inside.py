"""The process on the other machine: ``python -m deftx.jobs.remote.inside MOUNT``.

It runs the ordinary worker on the machine's own disk, for a mounted bucket knows no locks and replaces no file at once;
events and checkpoints are copied to the mount as they come. It ends as the worker did, or with 3 where it could not begin.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deftx.jobs.job import EVENTS, SETTINGS
from deftx.jobs.places import why_not
from deftx.jobs.remote import delivery
from deftx.jobs.remote.places import poll_seconds

SENT, STOP = "sent", "stop"  # in the bucket: what the job starts from, and the wish to stop
SAVE_EVERY = "DEFTX_JOBS_SAVE"  # seconds between two copies of the checkpoints
NOT_BEGUN = 3

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def main(mount: Path) -> int:
    """Do the job whose package lies in the mounted bucket and return the exit code."""
    if (problem := why_not(mount)) is not None:
        print(f"The bucket cannot be used: {problem}", flush=True)
        return NOT_BEGUN
    if not (mount / SENT / SETTINGS).is_file():
        print(f"The bucket holds no {SENT}/{SETTINGS}: nothing was sent for this job.", flush=True)
        return NOT_BEGUN
    with tempfile.TemporaryDirectory(prefix="deftx-") as place:
        folder = Path(place) / "job"
        shutil.copytree(mount / SENT, folder)
        worker = _start(folder)
        signal.signal(signal.SIGTERM, lambda number, frame: worker.terminate())  # a machine that is taken away
        Courier(folder, mount).accompany(worker)
    return worker.returncode if worker.returncode >= 0 else 128 - worker.returncode


class Courier:
    """Carries what the worker writes to the mount, and the wish to stop to the worker."""

    def __init__(self, folder: Path, mount: Path, save_every: float | None = None) -> None:
        """``save_every``: seconds between two copies of the checkpoints; ten minutes where nobody says."""
        self._folder, self._mount, self._back = folder, mount, mount / delivery.BACK
        self._every = save_every if save_every is not None else float(os.environ.get(SAVE_EVERY) or 600)
        self._saved, self._number, self._carried, self._state = time.monotonic(), 0, -1, ""
        self._stopping = False

    def accompany(self, worker: subprocess.Popen[bytes]) -> None:
        """Look until the worker has ended, and leave all of it then."""
        while worker.poll() is None:
            self.look(worker)
            try:
                worker.wait(poll_seconds())
            except subprocess.TimeoutExpired:
                continue
        self._carry_events()
        self._leave(final=True)

    def look(self, worker: subprocess.Popen[bytes]) -> None:
        """Look once."""
        self._carry_events()
        # Listed, not asked for: what a mount once found missing it may hold for missing.
        if not self._stopping and STOP in os.listdir(self._mount):
            self._stopping = True
            worker.terminate()
        if time.monotonic() - self._saved > self._every:
            self._leave(final=False)

    def _carry_events(self) -> None:
        events = self._folder / EVENTS
        size = events.stat().st_size if events.exists() else 0
        if size and size != self._carried:
            self._back.mkdir(exist_ok=True)
            shutil.copyfile(events, self._back / EVENTS)
            self._carried = size

    def _leave(self, final: bool) -> None:
        state = _state_of(self._folder)
        if final or state != self._state:
            delivery.leave(self._folder, self._mount, self._number, final)
            self._number, self._state = self._number + 1, state
        self._saved = time.monotonic()


def _state_of(folder: Path) -> str:
    """Describe what the training has kept so far, so that any change of it is seen; empty where it is nothing."""
    found = []
    for path in delivery.training_files(folder):
        try:
            found.append(f"{path} {path.stat().st_mtime_ns}")
        except FileNotFoundError:
            continue
    return "\n".join(found)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    # The job's folder is the worker's: a base or a source in it is named relative to it.
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
