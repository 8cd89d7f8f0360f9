"""When waiting jobs are likely to start, from what similar jobs took in the same home."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median

from deftx.jobs.job import LOG, RESULT, Job, conflict, read_json
from deftx.jobs.progress import progress_of
from deftx.jobs.state import State, state_of

LATEST = 5  # finished jobs that an estimate rests on
# What a training's duration depends on most; jobs with equal recipes as well are preferred.
_ALIKE = ("preset", "base", "device", "processes", "delta_of")


@dataclass(frozen=True)
class Turn:
    """A place in the queue, 1 being the next, and the seconds until it starts; None where they cannot be told."""

    place: int
    seconds: float | None


def turns(jobs: Sequence[Job], queue: Sequence[Job], now: float | None = None) -> dict[str, Turn]:
    """Return the turn of every job of ``queue`` by its id, where ``jobs`` are all jobs of the store, the newest first.

    A job waits for all that comes before it and could not run beside it.
    """
    if not queue:
        return {}
    now = time.time() if now is None else now
    states = [(job, state_of(job)) for job in jobs]
    before = [(job.device, seconds_left(job, states, now)) for job, state in states if state.active]
    found = {}
    for place, job in enumerate(queue, start=1):
        waits = [seconds for device, seconds in before if conflict(device, job.device)]
        found[job.id] = Turn(place, None if None in waits else sum(waits))
        before.append((job.device, seconds_left(job, states, now)))
    return found


def seconds_left(job: Job, states: Sequence[tuple[Job, State]], now: float) -> float | None:
    """Estimate how long a running or waiting job still needs: by its own pace, else by that of finished ones."""
    progress = progress_of(job)
    running = job.process is not None
    if progress.seconds_left is not None:
        # Of a job that waits to go on, no time has passed since it was measured.
        passed = now - (progress.updated or now) if running else 0.0
        return max(0.0, progress.seconds_left - passed)
    typical = typical_seconds(job, states)
    if typical is None or not running:
        return typical
    return max(0.0, typical - (now - job.process.created))


def typical_seconds(job: Job, states: Sequence[tuple[Job, State]]) -> float | None:
    """Return the median duration of the latest finished jobs like this one; None where there is none."""
    alike = [
        (other, seconds)
        for other, state in states
        if state.name == "finished" and _alike(job, other) and (seconds := duration(other)) is not None
    ]
    same = [seconds for other, seconds in alike if other.settings.get("recipe") == job.settings.get("recipe")]
    durations = (same or [seconds for _, seconds in alike])[:LATEST]
    return median(durations) if durations else None


def duration(job: Job) -> float | None:
    """Return the seconds that a job took from start to end; None for one that has not ended or ran in several parts."""
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
