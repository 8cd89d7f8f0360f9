"""Estimated start times of queued jobs, from the durations of similar jobs in the same home."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median

from deftx.jobs.job import LOG, RESULT, Job, conflict, read_json
from deftx.jobs.progress import progress_of
from deftx.jobs.state import State, state_of

LATEST = 5  # number of finished jobs used for an estimate
# The settings with the largest effect on the duration. Jobs with the same recipe are preferred.
_ALIKE = ("preset", "base", "device", "processes", "delta_of")


@dataclass(frozen=True)
class Turn:
    """A place in the queue, from 1, and the estimated seconds until the start; None if unknown."""

    place: int
    seconds: float | None


def turns(jobs: Sequence[Job], queue: Sequence[Job], now: float | None = None) -> dict[str, Turn]:
    """Return the turn of every queued job by its id; ``jobs`` are all jobs of the store, the newest first.

    A job waits for all earlier jobs that cannot run at the same time.
    """
    if not queue:
        return {}
    now = time.time() if now is None else now
    states = [(job, state_of(job)) for job in jobs]
    before = [(job.device, seconds_left(job, states, now)) for job, state in states if state.active]
    found = {}
    for place, job in enumerate(queue, start=1):
        waits = [seconds for device, seconds in before if conflict(device, job.device)]
        known = [seconds for seconds in waits if seconds is not None]
        found[job.id] = Turn(place, sum(known) if len(known) == len(waits) else None)
        before.append((job.device, seconds_left(job, states, now)))
    return found


def seconds_left(job: Job, states: Sequence[tuple[Job, State]], now: float) -> float | None:
    """Estimate the time left of a running or queued job, from its own progress or from finished jobs."""
    progress, process = progress_of(job), job.process
    if progress.seconds_left is not None:
        # For a queued job, the time since the measurement does not count.
        passed = now - (progress.updated or now) if process is not None else 0.0
        return max(0.0, progress.seconds_left - passed)
    typical = typical_seconds(job, states)
    if typical is None or process is None:
        return typical
    return max(0.0, typical - (now - process.created))


def typical_seconds(job: Job, states: Sequence[tuple[Job, State]]) -> float | None:
    """Return the median duration of the latest similar finished jobs, or None if there are none."""
    alike = [
        (other, seconds)
        for other, state in states
        if state.name == "finished" and _alike(job, other) and (seconds := duration(other)) is not None
    ]
    same = [seconds for other, seconds in alike if other.settings.get("recipe") == job.settings.get("recipe")]
    durations = (same or [seconds for _, seconds in alike])[:LATEST]
    return median(durations) if durations else None


def duration(job: Job) -> float | None:
    """Return the duration of a job in seconds; None if it has not ended or was resumed."""
    if job.process is None or any(job.folder.glob(f"{Path(LOG).stem}.*{Path(LOG).suffix}")):
        return None
    result = job.folder / RESULT
    try:
        ended = _ended(result, result.stat().st_mtime_ns)
    except OSError:
        return None
    return None if ended is None else max(0.0, ended - job.process.created)


@lru_cache(maxsize=1024)
def _ended(result: Path, _changed: int) -> float | None:
    ended = (read_json(result) or {}).get("time")
    return float(ended) if isinstance(ended, int | float) else None


def _alike(one: Job, other: Job) -> bool:
    return one.kind == other.kind and all(one.settings.get(name) == other.settings.get(name) for name in _ALIKE)
