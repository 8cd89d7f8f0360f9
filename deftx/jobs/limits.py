"""Limits on the time and disk space of a job, resumed runs included. A job that exceeds them is stopped at a checkpoint."""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from deftx.core.events import read_duration
from deftx.core.files import folder_size, write_json
from deftx.core.hosting import Hosting
from deftx.core.sizes import read_size
from deftx.jobs.job import Job, read_json

# In a worker's environment; unset: no limit. Both are totals over all runs of a job.
SECONDS, BYTES = "DEFTX_JOB_SECONDS", "DEFTX_JOB_BYTES"
SPENT = "spent.json"  # in the job's folder: the total seconds of its runs
LOOK_EVERY = 5.0  # seconds between two measurements


def limits_for(hosting: Hosting, job: Job) -> dict[str, str]:
    """Return the limits as environment variables of a job's worker. The host's own jobs have no limits."""
    limits = {SECONDS: hosting.job_hours * 3600, BYTES: hosting.job_megabytes * 1_000_000}
    return {name: str(limit) for name, limit in limits.items() if limit} if job.owner else {}


class JobLimits:
    """The limits on time and disk space of the job in a folder, as a context manager around its run."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, every: float = LOOK_EVERY) -> None:
        """Read the limits from the environment, and the time of earlier runs from the folder."""
        environment = os.environ if environment is None else environment
        self._folder, self._every = folder, every
        self._seconds = float(environment.get(SECONDS) or 0)
        self._bytes = float(environment.get(BYTES) or 0)
        self._before = float((read_json(folder / SPENT) or {}).get("seconds", 0.0))
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="limits", daemon=True)
        self.exceeded = ""  # the message, after a limit was reached

    @property
    def spent(self) -> float:
        """The total seconds of all runs so far."""
        return self._before + time.monotonic() - self._began

    def is_reached(self) -> bool:
        """Return whether a limit is reached. It is fast enough to be called at every step."""
        if self._seconds and not self.exceeded and self.spent > self._seconds:
            self.exceeded = (
                f"It was stopped at the limit of {read_duration(self._seconds)} for a training run. The best checkpoint is "
                "kept. An admin of this studio can raise the limit (DEFTX_JOB_HOURS); then resume."
            )
        return bool(self.exceeded)

    def __enter__(self) -> "JobLimits":
        """Start a thread that measures the disk usage and records the time."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop measuring, and record the time once more."""
        self._done.set()
        self._thread.join()  # two threads must not write the same file at the same time
        self._note()

    def _look(self) -> None:
        while not self._done.is_set():
            taken = folder_size(self._folder) if self._bytes else 0
            if self._bytes and not self.exceeded and taken > self._bytes:
                self.exceeded = (
                    f"It was stopped because it used {read_size(taken)} of disk space; the limit for a training run is "
                    f"{read_size(self._bytes)}. The best checkpoint is kept. Choose a smaller base, or ask an admin of this "
                    "studio to raise the limit (DEFTX_JOB_MB)."
                )
            self._note()
            self._done.wait(self._every)

    def _note(self) -> None:
        with suppress(OSError):  # for example a full disk; it is tried again later
            write_json(self._folder / SPENT, {"seconds": self.spent})
