"""The timing of events, evaluations and checkpoints in a phase, by steps (Plan) and by elapsed time (Clock)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deftx.core.events import Event
from deftx.training.checkpoints import PhaseProgress, checkpoint_seconds

CHECKPOINT_SECONDS = 60.0  # the most work that an interruption can lose
FIRST_CHECKPOINT_SECONDS = 10.0  # earlier, because most failures happen early
EVENT_SECONDS = 1.0  # time between two progress events


@dataclass(frozen=True)
class Plan:
    """The settings of one phase."""

    phase: str  # "dense" or "sparse"
    steps: int  # optimiser steps
    learning_rate: float  # at the first step; decays linearly to 0
    evaluate_every: int
    clip: float  # largest gradient norm
    l1: float  # λ/N: weight of the L1 penalty per entry
    seed: int
    precision: str = "auto"
    steps_after: int = 0  # optimiser steps of later phases, for the time left

    @property
    def log_every(self) -> int:
        """Steps between two entries of the loss history: about 200 per phase, at most 50 steps apart."""
        return min(50, max(1, self.steps // 200))

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.learning_rate * (1 - step / self.steps)

    def evaluation_due(self, progress: PhaseProgress) -> bool:
        """Return whether to evaluate before the next step."""
        due = progress.step % self.evaluate_every == 0 or progress.step == self.steps
        return due and progress.evaluated < progress.step

    def log_due(self, progress: PhaseProgress) -> bool:
        """Return whether to add an entry to the loss history after this step."""
        return self.evaluation_due(progress) or progress.step % self.log_every == 0


class Clock:
    """The timing of a phase: when to send events, when to save, and how much time is left."""

    def __init__(self, progress: PhaseProgress, plan: Plan) -> None:
        self.plan = plan
        self.started = self.last_event = self.saved = time.monotonic()
        self.first_step, self.seconds_before = progress.step, progress.seconds
        self.checkpoint_seconds = checkpoint_seconds(CHECKPOINT_SECONDS)
        first = min(FIRST_CHECKPOINT_SECONDS, self.checkpoint_seconds)
        self.save_after = self.checkpoint_seconds if progress.step else first
        self.evaluation_seconds = 0.0  # duration of the last one

    def event_due(self) -> bool:
        """Return whether it is time for the next event."""
        return time.monotonic() - self.last_event >= EVENT_SECONDS

    def checkpoint_due(self, progress: PhaseProgress) -> bool:
        """Return whether to save now. The duration of an evaluation that comes next is taken into account."""
        ahead = self.evaluation_seconds if self.plan.evaluation_due(progress) else 0.0
        return time.monotonic() - self.saved + ahead >= self.save_after

    def note_saved(self) -> None:
        """Restart the time to the next checkpoint, after writing one."""
        self.saved, self.save_after = time.monotonic(), self.checkpoint_seconds

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Measure the duration of an evaluation."""
        began = time.monotonic()
        yield
        self.evaluation_seconds = time.monotonic() - began

    def stamp(self, progress: PhaseProgress) -> None:
        """Set the training time so far, resumed runs included."""
        progress.seconds = self.seconds_before + time.monotonic() - self.started

    def event(self, progress: PhaseProgress, score: float | None, metric: str = "") -> Event:
        """Return the current event. The time left is extrapolated from the mean step so far, evaluations included."""
        self.last_event = time.monotonic()
        pace = (self.last_event - self.started) / max(1, progress.step - self.first_step)
        left = pace * (self.plan.steps - progress.step + self.plan.steps_after)
        loss = progress.losses[-1][1] if progress.losses else None
        metric = metric if score is not None else ""
        rate = self.plan.rate(max(0, progress.step - 1))
        return Event(self.plan.phase, progress.step, self.plan.steps, loss, score, metric, left, learning_rate=rate)
