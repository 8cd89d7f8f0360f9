"""Jobs in slices: a function that trains a job for some seconds and returns, so that the next call continues.

A Space on ZeroGPU lends its GPU for one call at a time. A sliced job has no worker: whoever started it makes the calls, one
after the other. A slice that is killed loses at most its own work. On a CPU, the vector is the one of a single run, bit for
bit.
"""

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deftx.core.files import write_json
from deftx.jobs.ending import Result, ending_of
from deftx.jobs.job import EVENTS, LOCK, LOG, OUT, RESULT, SETTINGS, STOP, JobError, read_json
from deftx.jobs.limits import JobLimits
from deftx.jobs.process import is_locked, take_lock
from deftx.jobs.slice_pace import SliceClock, SliceTimes
from deftx.jobs.worker import WORK, EventLog, heartbeat, read_job, train
from deftx.training.finish import RUN
from deftx.training.parts import on_each_part
from deftx.training.position import Position, position_of


@dataclass(frozen=True)
class SliceStatus:
    """Where a job stands.

    ``outcome`` is that of the job's result, empty while more slices are needed; ``message`` says how it ended. ``shortest``
    is the shortest slice that advances the job, and ``seconds_left`` a slice that would finish it (None: unknown).
    """

    phase: str
    step: int  # saved optimiser steps of the phase
    steps: int  # all steps of the phase; 0 if unknown
    shortest: float
    seconds_left: float | None
    outcome: str = ""
    message: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether no slice is needed any more."""
        return bool(self.outcome)

    def ask(self, longest: float) -> float:
        """Return the seconds to ask for: enough to finish, at most ``longest``, but never too few to advance."""
        wanted = longest if self.seconds_left is None else self.seconds_left
        return max(self.shortest, min(longest, wanted))


def slice_status(folder: Path) -> SliceStatus:
    """Return where the job in ``folder`` stands, from its files."""
    times, position = SliceTimes.read(folder), _position(folder)
    if not is_locked(folder / LOCK):
        times.end_killed(position)
    result = read_json(folder / RESULT) or {}
    return SliceStatus(
        phase=position.phase,
        step=position.step,
        steps=times.steps.get(position.phase, 0),
        shortest=times.shortest(position),
        seconds_left=times.remaining(position),
        outcome=str(result.get("outcome", "")),
        message=str(result.get("message", "")),
    )


def run_slice(
    folder: Path,
    seconds: float,
    limits: Mapping[str, str] | None = None,
    *,
    now: Callable[[], float] = time.monotonic,
    work: Mapping[str, str] = WORK,
) -> SliceStatus:
    """Train the job in ``folder`` for at most ``seconds`` and return where it stands.

    A slice shorter than ``SliceStatus.shortest`` does nothing.

    Args:
        folder: The folder of the job.
        seconds: The time of the slice, checkpoint included.
        limits: The limits of the job, by environment variable (``deftx.jobs.limits``).
        now: The clock, in seconds.
        work: The function of each kind of job.

    Raises:
        JobError: If another slice of this job is running.
    """
    lock = take_lock(folder / LOCK)
    if lock is None:
        raise JobError(
            "This training run is already running, perhaps from another page. Wait until its slice has ended."
        )
    with lock, heartbeat(folder), _logged(folder / LOG):
        times, position = SliceTimes.read(folder), _position(folder)
        times.end_killed(position)
        if not (folder / RESULT).exists() and seconds >= times.shortest(position):
            times.begin(seconds, position)
            times.write(folder)
            _train(folder, seconds, times, JobLimits(folder, limits or {}), now, work)
            times.end(_position(folder))
            times.write(folder)
    return slice_status(folder)


def _train(
    folder: Path,
    seconds: float,
    times: SliceTimes,
    limits: JobLimits,
    now: Callable[[], float],
    work: Mapping[str, str],
) -> None:
    (folder / STOP).unlink(missing_ok=True)
    clock, events = SliceClock(times, seconds, now), EventLog(folder / EVENTS)

    def on_event(event: Any) -> None:
        clock.take(event)
        events.write(event)

    def should_stop() -> bool:
        return clock.must_stop() or limits.is_reached() or (folder / STOP).exists()

    def do() -> None:
        use_one_thread()
        with limits, on_each_part(clock.part):
            train(_on_device_here(read_job(folder, work)), work, folder, on_event, should_stop)

    result, _ = ending_of(do, None)
    clock.stop()
    if result.outcome == "stopped" and limits.exceeded:
        result = Result("stopped", limits.exceeded)
    if result.outcome != "stopped" or limits.exceeded or (folder / STOP).exists():
        write_json(folder / RESULT, asdict(result))


def _position(folder: Path) -> Position:
    settings = (read_json(folder / SETTINGS) or {}).get("settings", {})
    return position_of(folder / OUT / RUN, folder / settings["delta"] if settings.get("delta") else None)


def _on_device_here(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job with the device of the process that runs the slice, which is a GPU only within the call."""
    import torch  # not by whoever only asks where a job stands

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {**job, "settings": {**job["settings"], "device": device}}


def use_one_thread() -> None:
    """Use one thread in a process that was forked from another, such as that of a call to a GPU."""
    if multiprocessing.parent_process() is not None:
        import torch

        # A forked process lacks the threads of its parent, for which torch would wait.
        torch.set_num_threads(1)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Append the messages of the library to the job's log."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    library = logging.getLogger("deftx")
    library.addHandler(handler)
    try:
        yield
    finally:
        library.removeHandler(handler)
        handler.close()
