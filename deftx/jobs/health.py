"""Whether the studio can work, in numbers: for whoever watches a container from outside."""

import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from deftx import __version__
from deftx.core.files import SPARE, free_space
from deftx.jobs.scheduler import Scheduler
from deftx.jobs.state import state_of
from deftx.jobs.store import Store


@dataclass(frozen=True)
class Health:
    """The answer to "how are you?": ``disk_free`` in bytes, ``problems`` in words; no name of a job or a person."""

    status: str  # "ok" or "unavailable"
    version: str
    base: str
    base_loaded: bool
    running: int
    queue: int
    disk_free: int
    lasting: bool | None  # whether the data outlives a container; None outside of one
    problems: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The HTTP status: 200 or 503."""
        return 200 if self.status == "ok" else 503

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return asdict(self)


def health(store: Store, scheduler: Scheduler, base: str, loaded: bool, lasting: bool | None = None) -> Health:
    """Look at the base, the queue, the one who looks after it, and the disk of ``store``."""
    problems = [] if loaded else ["The base model is not loaded (yet)."]
    if not scheduler.alive():
        problems.append("Nobody looks after the jobs.")
    free = free_space(store.root)
    if free < SPARE:
        problems.append("The disk is full.")
    running = queue = 0
    try:
        running, queue = sum(state_of(job).active for job in store.list()), len(store.queue())
    except sqlite3.Error as error:
        problems.append(f"The queue cannot be read ({error}).")
    status = "unavailable" if problems else "ok"
    return Health(status, __version__, base, loaded, running, queue, free, lasting, problems)
