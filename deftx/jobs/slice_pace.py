"""The time of a slice: what each part of its training run takes, and when to stop so that nothing is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deftx.core.errors import TrainingStopped
from deftx.core.events import Event
from deftx.core.files import write_json
from deftx.jobs.job import read_json
from deftx.training.parts import DENOISING, ENDING, EVALUATION, OPENING, SAVING
from deftx.training.position import Position

TIMES = "slices.json"  # in the job's folder
STEP = "step"  # the longest time between two looks at the clock while it trains
LEAST_MARGIN, MARGIN = 0.1, 0.05  # seconds, and share of the slice, that are kept free at its end
LONGEST_GUESS = 120.0  # seconds: a longer slice is asked for only if a part was measured that needs it
SAVINGS = 2  # a phase ends with a checkpoint and δ, without a look at the clock in between
UNSAVED = (DENOISING, ENDING)  # parts with nothing to save when they are interrupted


@dataclass
class SliceTimes:
    """What the slices of a job so far have shown, as in slices.json."""

    seconds: dict[str, float] = field(default_factory=dict)  # by part
    steps: dict[str, int] = field(default_factory=dict)  # optimiser steps of each phase
    left: float | None = None  # estimated seconds of training that remain, without the other parts
    without_progress: float = 0.0  # seconds of the last slice, if the job did not advance in it
    killed: int = 0  # number of slices that were killed
    running: dict[str, Any] | None = None  # seconds and position of a slice that has not ended

    @classmethod
    def read(cls, folder: Path) -> "SliceTimes":
        """Read the times of the job in ``folder``; empty ones if there are none."""
        try:
            return cls(**(read_json(folder / TIMES) or {}))
        except TypeError:  # of another version
            return cls()

    def write(self, folder: Path) -> None:
        """Write the times of the job in ``folder``."""
        write_json(folder / TIMES, asdict(self))

    def begin(self, seconds: float, position: Position) -> None:
        """Note the beginning of a slice."""
        self.running = {"seconds": seconds, "position": asdict(position)}

    def end(self, position: Position) -> None:
        """Note the end of a slice."""
        if self.running is not None:
            advanced = position > Position(**self.running["position"])
            self.without_progress, self.running = (0.0 if advanced else self.running["seconds"]), None

    def end_killed(self, position: Position) -> None:
        """Note that the last slice was killed, if it has not ended. Call it only while no slice is running."""
        if self.running is not None:
            self.killed += 1
            self.end(position)

    def add(self, part: str, seconds: float) -> None:
        """Note what a part took; a shorter time than before counts by half."""
        before = self.seconds.get(part, seconds)
        self.seconds[part] = max(seconds, (before + seconds) / 2)

    def expected(self, part: str, otherwise: float = 0.0) -> float:
        """Return the expected seconds of a part; those of the ending follow from an evaluation until it was measured."""
        if part == ENDING and part not in self.seconds:
            return max(otherwise, self.expected(EVALUATION) + self.expected(SAVING))
        return self.seconds.get(part, otherwise)

    def margin(self, seconds: float) -> float:
        """Return the seconds to keep free at the end of a slice; more after a slice was cut off."""
        return max(LEAST_MARGIN, MARGIN * seconds) * min(4, 1 + self.killed)

    def shortest(self, position: Position) -> float:
        """Return the shortest slice, in seconds, in which the job can advance from its position."""
        if position.phase == "denoise":
            needed = self.expected(DENOISING)
        elif position.step and position.step == self.steps.get("sparse") and position.phase == "sparse":
            needed = self.expected(ENDING)
        else:
            needed = self.expected(STEP) + self.expected(EVALUATION) + SAVINGS * self.expected(SAVING)
        known = self.expected(OPENING) + needed
        return max(known + self.margin(known) if known else 0.0, min(2 * self.without_progress, LONGEST_GUESS))

    def remaining(self, position: Position) -> float | None:
        """Return the estimated seconds to the end of the job in one slice; None if unknown."""
        if self.left is None:
            return None
        denoising = self.expected(DENOISING) if position.phase != "sparse" else 0.0
        known = self.expected(OPENING) + self.left + denoising + self.expected(ENDING) + SAVINGS * self.expected(SAVING)
        return known + self.margin(known)


class SliceClock:
    """The clock of one slice: it says when to stop, measures the parts, and refuses a part that would not end in time."""

    def __init__(self, times: SliceTimes, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """Start the clock of a slice of so many seconds."""
        self._times, self._now = times, now
        self._began = now()
        self._end = self._began + seconds - times.margin(seconds)
        self._parts: list[str] = []  # those that it is in
        self._compared = self._opened = False
        self._looked: float | None = None
        self._step = 0.0
        self.is_over = False

    def must_stop(self) -> bool:
        """Return whether there is no time for another step and its checkpoint. It is called at every step."""
        now = self._now()
        if not self._parts:
            self._open(now)
        if self._looked is not None:
            self._step = max(self._step, now - self._looked)
        self._looked = now if self._opened and not self._parts else None
        self.is_over = self.is_over or now + self._reserve() > self._end
        return self.is_over

    def take(self, event: Event) -> None:
        """Note what an event says: the steps of a phase, the time left."""
        if event.phase in ("dense", "sparse") and event.total > 1:
            self._times.steps[event.phase] = event.total
        if event.seconds_left is not None:
            self._times.left = event.seconds_left

    @contextmanager
    def part(self, name: str, seconds: float) -> Iterator[None]:
        """Measure a part.

        Raises:
            TrainingStopped: If the part would not end in time, before it begins.
        """
        expected = self._times.expected(name, seconds)
        if name in (EVALUATION, *UNSAVED):
            after = 0.0 if name in UNSAVED else SAVINGS * self._times.expected(SAVING)
            if self._now() + expected + after > self._end:
                self._times.add(name, expected)
                self.is_over = True
                raise TrainingStopped(f"The slice is too short for its next part ({name}).")
        began = self._now()
        self._open(began)
        self._parts.append(name)
        try:
            yield
        except TrainingStopped:
            self._times.add(name, 2 * (self._now() - began))
            raise
        finally:
            self._parts.remove(name)
            self._looked = None
        self._times.add(name, self._now() - began)
        self._compared = True

    def stop(self) -> None:
        """Note the longest step of the slice."""
        if self._step:
            self._times.add(STEP, self._step)

    def _open(self, now: float) -> None:
        """Note the end of the opening, which is after the first evaluation: that of the base alone."""
        if self._compared and not self._opened:
            self._opened = True
            self._times.add(OPENING, now - self._began)

    def _reserve(self) -> float:
        if not self._opened or any(part in UNSAVED for part in self._parts):
            return 0.0
        return (self._step or self._times.expected(STEP)) + SAVINGS * self._times.expected(SAVING)
