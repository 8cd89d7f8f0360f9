"""What a job takes on disk, and what of it can be freed without losing its vector."""

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
    """Bytes: of the vector, of checkpoints and δ, and of settings, events and log."""

    vector: int = 0
    training: int = 0
    record: int = 0

    @property
    def total(self) -> int:
        """All together."""
        return self.vector + self.training + self.record


def usage_of(job: Job) -> Usage:
    """Measure the folder of a job; what vanishes meanwhile counts nothing, a δ shared with other jobs in part."""
    training = set(_training_files(job))
    vector = sum(map(_size, _vector_files(job)))
    trained = sum(map(_size, training))
    everything = sum(map(_size, _files_below(job.folder)))
    return Usage(vector, trained, max(0, everything - vector - trained))


def can_free(job: Job) -> bool:
    """Say whether the job has checkpoints or a δ, and neither works nor waits to go on from them."""
    state = state_of(job)
    idle = state.resumable or state.name == "finished"
    return idle and worker_of(job) is None and any(True for _ in _training_files(job))


def free_checkpoints(job: Job) -> int:
    """Delete checkpoints and δ and return the bytes freed; without its vector, a job then begins anew when resumed.

    Raises:
        JobError: the job runs, or waits and may need them.
    """
    lock = take_lock(job.folder / LOCK) if can_free(job) else None  # no worker starts while it is held
    if lock is None:
        raise JobError(f"Job {job.id} has no checkpoints to free, or still works with them; stop it first.")
    with lock:
        before = _only_here(job)
        # vector.json first: a vector half written must not be taken for a whole one when the checkpoints are gone.
        for path in sorted(_training_files(job), key=lambda path: path.name != INFO):
            path.unlink(missing_ok=True)
        for folder in _training_folders(job):
            shutil.rmtree(folder, ignore_errors=True)
    return before - _only_here(job)


def has_vector(job: Job) -> bool:
    """Say whether the vector is whole: as long as the checkpoints are there, it may be half written."""
    return (job.out / INFO).is_file() and not (job.out / RUN).exists()


def _vector_files(job: Job) -> list[Path]:
    return [path for name in VECTOR if (path := job.out / name).is_file()] if has_vector(job) else []


def _only_here(job: Job) -> int:
    """Bytes that go with the checkpoints: of a δ that another job holds as well, none do."""
    return sum(map(_size, (path for path in _training_files(job) if _holders(path) == 1)))


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
    """The folder that keeps δ where it lies in the job's own folder; one elsewhere may serve other jobs."""
    name = job.settings.get("delta")
    path = (job.folder / str(name)).resolve() if name else None
    inside = path is not None and path != job.folder.resolve() and path.is_relative_to(job.folder.resolve())
    return path if inside and not path.is_relative_to(job.out.resolve()) else None


def _files_below(folder: Path) -> list[Path]:
    # os.walk passes over folders that a training removes meanwhile.
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return [path for path in found if not path.is_symlink()]


def _size(path: Path) -> int:
    """The bytes of a file; of one that several jobs hold, this one's part, so that the parts add up to it."""
    try:
        return path.stat().st_size // _holders(path)
    except OSError:
        return 0


def _holders(path: Path) -> int:
    try:
        return max(1, path.stat().st_nlink)
    except OSError:
        return 1
