"""Disk usage of a job, and deleting its checkpoints without its vector."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deftx.jobs.job import LOCK, Job, JobError
from deftx.jobs.process import take_lock
from deftx.jobs.state import state_of, worker_of
from deftx.training.finish import RUN
from deftx.vectors.vector_files import CARD, INFO, TENSORS

VECTOR = (TENSORS, INFO, CARD)


@dataclass(frozen=True)
class Usage:
    """Sizes in bytes: of the vector; of checkpoints and δ; of settings, events and log."""

    vector: int = 0
    training: int = 0
    record: int = 0

    @property
    def total(self) -> int:
        """The total size."""
        return self.vector + self.training + self.record


def usage_of(job: Job) -> Usage:
    """Return the disk usage of a job's folder. A δ that several jobs share is divided among them."""
    training = set(_training_files(job))
    vector = sum(map(_size, _vector_files(job)))
    trained = sum(map(_size, training))
    everything = sum(map(_size, _files_below(job.folder)))
    return Usage(vector, trained, max(0, everything - vector - trained))


def can_free(job: Job) -> bool:
    """Return whether the job has checkpoints or a δ and is neither running nor queued."""
    state = state_of(job)
    idle = state.resumable or state.name == "finished"
    return idle and worker_of(job) is None and any(True for _ in _training_files(job))


def free_checkpoints(job: Job) -> int:
    """Delete checkpoints and δ; return the freed size in bytes. An unfinished job then restarts from the beginning.

    Raises:
        JobError: If the job is running or queued, or has no checkpoints.
    """
    lock = take_lock(job.folder / LOCK) if can_free(job) else None  # prevents a worker from starting
    if lock is None:
        raise JobError(f"Job {job.id} has no checkpoints to delete, or still uses them. Stop it first.")
    with lock:
        before = _only_here(job)
        # vector.json first: without checkpoints, an incomplete vector would look complete.
        for path in sorted(_training_files(job), key=lambda path: path.name != INFO):
            path.unlink(missing_ok=True)
        for folder in _training_folders(job):
            shutil.rmtree(folder, ignore_errors=True)
    return before - _only_here(job)


def has_vector(job: Job) -> bool:
    """Return whether the vector is complete; it may be incomplete while checkpoints exist."""
    return (job.out / INFO).is_file() and not (job.out / RUN).exists()


def _vector_files(job: Job) -> list[Path]:
    return [path for name in VECTOR if (path := job.out / name).is_file()] if has_vector(job) else []


def _only_here(job: Job) -> int:
    """Return the size that deleting the checkpoints would free, without a δ that another job shares."""
    return sum(map(_size, (path for path in _training_files(job) if _link_count(path) == 1)))


def _training_files(job: Job) -> Iterator[Path]:
    vector = set(_vector_files(job))
    delta = _own_delta(job)
    yield from (path for path in _files_below(job.out) if path not in vector)
    if delta is not None:
        yield from _files_below(delta)


def _training_folders(job: Job) -> list[Path]:
    folders = [path for path in job.out.iterdir() if path.is_dir()] if job.out.is_dir() else []
    delta = _own_delta(job)
    return [*folders, delta] if delta is not None else folders


def _own_delta(job: Job) -> Path | None:
    """Return the folder of δ if it is in the job's folder; other folders may be used by other jobs."""
    name = job.settings.get("delta")
    if not name:
        return None
    path = (job.folder / str(name)).resolve()
    inside = path != job.folder.resolve() and path.is_relative_to(job.folder.resolve())
    return path if inside and not path.is_relative_to(job.out.resolve()) else None


def _files_below(folder: Path) -> list[Path]:
    # os.walk ignores folders that vanish meanwhile.
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return [path for path in found if not path.is_symlink()]


def _size(path: Path) -> int:
    """Return the size of a file, divided by the number of jobs that share it."""
    try:
        return path.stat().st_size // _link_count(path)
    except OSError:
        return 0


def _link_count(path: Path) -> int:
    try:
        return max(1, path.stat().st_nlink)
    except OSError:
        return 1
