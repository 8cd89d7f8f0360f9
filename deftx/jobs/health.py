"""Health status of the studio, for monitoring a container."""

from dataclasses import asdict, dataclass, field
from typing import Any

from deftx import __version__
from deftx.core.files import SPARE, free_space
from deftx.jobs.database import DatabaseProblem
from deftx.jobs.scheduler import Scheduler
from deftx.jobs.state import state_of
from deftx.jobs.store import Store


@dataclass(frozen=True)
class Health:
    """The health status; ``disk_free`` is in bytes. It contains no names of jobs or people."""

    status: str  # "ok" or "unavailable"
    version: str
    base: str
    base_loaded: bool
    running: int
    queue: int
    disk_free: int
    lasting: bool | None  # whether the data is kept after the container ends; None outside of a container
    problems: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The HTTP status code: 200 or 503."""
        return 200 if self.status == "ok" else 503

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary that can be written as JSON."""
        return asdict(self)


def health(store: Store, scheduler: Scheduler, base: str, loaded: bool, lasting: bool | None = None) -> Health:
    """Check the base, the queue, the scheduler, and the disk of ``store``."""
    problems = [] if loaded else ["The base model is not loaded (yet)."]
    if not scheduler.alive():
        problems.append("The scheduler is not running.")
    free = free_space(store.root)
    if free < SPARE:
        problems.append("The disk is full.")
    running = queue = 0
    try:
        running, queue = sum(state_of(job).active for job in store.list()), len(store.queue())
    except DatabaseProblem as error:
        problems.append(str(error))
    status = "unavailable" if problems else "ok"
    return Health(status, __version__, base, loaded, running, queue, free, lasting, problems)
