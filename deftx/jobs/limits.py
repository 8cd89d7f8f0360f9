"""How much time and disk one job may take, all its runs together; over that it stops as if somebody had asked it to."""

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

SECONDS, BYTES = "DEFTX_JOB_SECONDS_LEFT", "DEFTX_JOB_BYTES"  # in a worker's environment; missing: no limit
SPENT = "spent.json"  # in the job's folder: the seconds that its runs have taken
LOOK_EVERY = 5.0  # seconds between two measurements of the folder, and between two notes of the time


def limits_for(hosting: Hosting, job: Job) -> dict[str, str]:
    """Give what the environment of a job's worker says; the host's own jobs have no limit."""
    limits = {SECONDS: hosting.job_hours * 3600, BYTES: hosting.job_megabytes * 1_000_000}
    return {name: str(limit) for name, limit in limits.items() if limit} if job.owner else {}


class Allowance:
    """Time and disk that the job in a folder may take; a context manager around its run."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, every: float = LOOK_EVERY) -> None:
        """Read the limits from the environment, and what earlier runs have taken from the folder."""
        environment = os.environ if environment is None else environment
        self._folder, self._every = folder, every
        self._seconds = float(environment.get(SECONDS) or 0)
        self._bytes = float(environment.get(BYTES) or 0)
        self._before = float((read_json(folder / SPENT) or {}).get("seconds", 0.0))
        self._began = time.monotonic()
        self._done = threading.Event()
        self.exceeded = ""  # what to say to the person, once a limit was reached

    @property
    def spent(self) -> float:
        """Seconds that all runs have taken so far."""
        return self._before + time.monotonic() - self._began

    def is_spent(self) -> bool:
        """Say whether a limit is reached; cheap enough for every step."""
        if self._seconds and not self.exceeded and self.spent > self._seconds:
            self.exceeded = (
                f"It reached the limit of {read_duration(self._seconds)} that a training may take here, and was stopped. The "
                "best so far is kept. Somebody who runs this studio can raise the limit (DEFTX_JOB_HOURS); resume then."
            )
        return bool(self.exceeded)

    def __enter__(self) -> "Allowance":
        """Look at the disk, and note the time, in a thread of its own from now on."""
        threading.Thread(target=self._look, name="allowance", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Look no longer."""
        self._done.set()
        self._note()

    def _look(self) -> None:
        while not self._done.is_set():
            taken = folder_size(self._folder) if self._bytes else 0
            if self._bytes and not self.exceeded and taken > self._bytes:
                self.exceeded = (
                    f"It took {read_size(taken)} of disk, more than the {read_size(self._bytes)} that a training may take "
                    "here, and was stopped. The best so far is kept. Choose a smaller base, or ask somebody who runs this "
                    "studio to raise the limit (DEFTX_JOB_MB)."
                )
            self._note()
            self._done.wait(self._every)

    def _note(self) -> None:
        with suppress(OSError):  # a full disk: the next note tries again
            write_json(self._folder / SPENT, {"seconds": self.spent})
