"""When things happen within a phase: by steps (Plan), and by the time that has passed (Clock)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deftx.core.events import Event
from deftx.training.checkpoints import PhaseProgress, checkpoint_seconds

CHECKPOINT_SECONDS = 60.0  # the most work, in time, that a kill may cost
FIRST_CHECKPOINT_SECONDS = 10.0  # the first one comes early: what fails, mostly fails soon
EVENT_SECONDS = 1.0  # the pace at which a person can follow


@dataclass(frozen=True)
class Plan:
    """The course of one phase."""

    phase: str  # "dense" or "sparse"
    steps: int  # optimiser steps
    learning_rate: float  # at the first step; falls linearly to 0
    evaluate_every: int
    clip: float  # bound on the gradient norm
    l1: float  # λ/N: what the L1 penalty weighs one unit of one entry
    seed: int
    precision: str = "auto"
    steps_after: int = 0  # optimiser steps of later phases, for the time that is left

    @property
    def look_every(self) -> int:
        """Steps between two entries of the loss history: about 200 a phase, never more than 50 steps apart."""
        return min(50, max(1, self.steps // 200))

    def evaluation_due(self, progress: PhaseProgress) -> bool:
        """Say whether the validation set is to be looked at before the next step."""
        on_the_beat = progress.step % self.evaluate_every == 0 or progress.step == self.steps
        return on_the_beat and progress.evaluated < progress.step

    def look_due(self, progress: PhaseProgress) -> bool:
        """Say whether the loss history gets an entry after this step."""
        return self.evaluation_due(progress) or progress.step % self.look_every == 0


class Clock:
    """Keeps the time of a phase: when to speak, when to save, and how long is left."""

    def __init__(self, progress: PhaseProgress, plan: Plan) -> None:
        self.plan = plan
        self.started = self.spoken = self.saved = time.monotonic()
        self.first_step, self.seconds_before = progress.step, progress.seconds
        self.checkpoint_seconds = checkpoint_seconds(CHECKPOINT_SECONDS)
        first = min(FIRST_CHECKPOINT_SECONDS, self.checkpoint_seconds)
        self.patience = self.checkpoint_seconds if progress.step else first
        self.evaluation_seconds = 0.0  # what the last one took

    def event_due(self) -> bool:
        """Say whether a person should hear something again."""
        return time.monotonic() - self.spoken >= EVENT_SECONDS

    def checkpoint_due(self, progress: PhaseProgress) -> bool:
        """Say whether enough work has gathered to be saved, or will have with the evaluation that comes next."""
        ahead = self.evaluation_seconds if self.plan.evaluation_due(progress) else 0.0
        return time.monotonic() - self.saved + ahead >= self.patience

    def note_saved(self) -> None:
        """Count from here to the next checkpoint: what the writing takes is no work that a kill could cost."""
        self.saved, self.patience = time.monotonic(), self.checkpoint_seconds

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Time an evaluation."""
        began = time.monotonic()
        yield
        self.evaluation_seconds = time.monotonic() - began

    def stamp(self, progress: PhaseProgress) -> None:
        """Note the time spent so far, over all starts."""
        progress.seconds = self.seconds_before + time.monotonic() - self.started

    def event(self, progress: PhaseProgress, score: float | None, metric: str = "") -> Event:
        """Make the event for this moment; the time left counts what a step has taken so far, evaluations included."""
        self.spoken = time.monotonic()
        pace = (self.spoken - self.started) / max(1, progress.step - self.first_step)
        left = pace * (self.plan.steps - progress.step + self.plan.steps_after)
        loss = progress.losses[-1][1] if progress.losses else None
        metric = metric if score is not None else ""
        return Event(self.plan.phase, progress.step, self.plan.steps, loss, score, metric, left)
