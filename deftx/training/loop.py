"""One phase of training: the loop that both phases and both objectives share, from top to bottom."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.core.events import Event, Listener
from deftx.core.sampling import seed_for
from deftx.training import distributed
from deftx.training.checkpoints import PhaseFolder, PhaseProgress, checkpoint_seconds
from deftx.training.devices import accelerator_for, reproducible
from deftx.training.fast_training import fast_training
from deftx.training.trainable import Entries

CHECKPOINT_SECONDS = 60.0  # the most work, in time, that a kill may cost
FIRST_CHECKPOINT_SECONDS = 10.0  # the first one comes early: what fails, mostly fails soon
EVENT_SECONDS = 1.0  # the pace at which a person can follow

Batch = dict[str, Tensor]


class Objective(Protocol):
    """What is learned: batches, their loss, and a score by which the best checkpoint is chosen."""

    higher_is_better: bool
    metric: str

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of an optimiser step, the same whenever it is asked."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return a micro-batch's mean loss over its tokens or rows, a scalar in nats."""

    def evaluate(self, model: nn.Module) -> float | None:
        """Return the score on the validation set; None where there is nothing to choose by."""


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


def run_phase(
    model: nn.Module, entries: Entries, objective: Objective, plan: Plan, folder: Path, listener: Listener
) -> PhaseProgress:
    """Train the entries by ``plan`` and leave the model at its best checkpoint; a saved phase goes on where it was.

    Raises:
        TrainingStopped: a stop was asked for; the checkpoint is saved.
        TrainingError: the loss or a weight is no longer a number; the last checkpoint is kept.
    """
    accelerator = accelerator_for(entries, plan.precision)
    # No weight decay, so that entries without a gradient stay exactly where they are.
    optimizer = torch.optim.AdamW(entries.compact.values(), betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)
    kept = PhaseFolder(folder)
    progress = kept.restore(entries, optimizer)
    if progress.step:
        message = f"The {plan.phase} phase goes on from step {progress.step:,} of {plan.steps:,}."
        listener.on_event(Event(plan.phase, progress.step, plan.steps, message=message))
    clock = Clock(progress, plan)
    model.train()
    try:
        while True:
            if plan.evaluation_due(progress):  # before the step that follows: a run cut off here resumes with it
                with accelerator.autocast(), stoppable(model, listener), clock.evaluation():
                    score = evaluate(model, entries, objective, progress, kept)
                listener.on_event(clock.event(progress, score, objective.metric))
            if progress.step == plan.steps:
                break
            if listener.should_stop() and is_sound(entries, progress):
                raise TrainingStopped
            micro_batches = objective.micro_batches(plan.phase, progress.step)
            step_loss = torch.zeros((), device=accelerator.device)
            for number in range(distributed.index(), len(micro_batches), distributed.count()):
                if number >= distributed.count() and listener.should_stop() and is_sound(entries, progress):
                    raise TrainingStopped  # nothing of this step has been applied: it begins anew
                # Every draw follows from (seed, phase, step, micro-batch): a resumed run needs no saved random state.
                seed = seed_for(plan.seed, plan.phase, progress.step, number)
                torch.manual_seed(seed)
                with reproducible(accelerator.device):
                    with accelerator.autocast(), fast_training(accelerator.device, seed):
                        loss = objective.loss(model, micro_batches[number]) / len(micro_batches)
                    accelerator.backward(loss)
                step_loss += loss.detach()  # still on the device: nothing waits for it
            entries.gather_gradients()  # masked before clipping: the norm is that of μ ⊙ ∇ and the head
            distributed.sum_up(entries.gradients())
            distributed.sum_up([step_loss])
            progress.loss_sum = progress.loss_sum + step_loss
            if plan.l1:
                entries.add_l1_gradients(plan.l1)
            accelerator.clip_grad_norm_(list(entries.compact.values()), plan.clip)
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * (1 - progress.step / plan.steps)
            optimizer.step()
            optimizer.zero_grad()
            entries.write_back()
            progress.step += 1

            if plan.look_due(progress) and not math.isfinite(progress.note_loss()):
                raise TrainingError(_diverged(plan, progress, folder))
            save_due = clock.checkpoint_due(progress)
            if (save_due or plan.evaluation_due(progress)) and not is_sound(entries, progress):
                raise TrainingError(_diverged(plan, progress, folder))
            if save_due:
                keep(kept, entries, optimizer, progress, clock)
            if clock.event_due() and not plan.evaluation_due(progress):
                listener.on_event(clock.event(progress, None))
    except TrainingStopped:
        keep(kept, entries, optimizer, progress, clock)
        distributed.wait()  # the launcher ends all when one is gone
        raise TrainingStopped(_stopped(plan, progress)) from None
    keep(kept, entries, optimizer, progress, clock)
    distributed.wait()
    kept.load_best(entries)
    distributed.wait()  # before the main one goes on, and deletes what the others still read
    return progress


def evaluate(
    model: nn.Module, entries: Entries, objective: Objective, progress: PhaseProgress, kept: PhaseFolder
) -> float | None:
    """Score the model as it stands and keep it where it is the best so far (the first of equals)."""
    model.eval()
    with torch.no_grad():
        score = objective.evaluate(model)
    model.train()
    progress.evaluated = progress.step
    if score is None:
        return None
    score = distributed.from_main(score)
    progress.evaluations.append((progress.step, score))
    best = progress.best_score
    if best is None or (score > best if objective.higher_is_better else score < best):
        progress.best_score, progress.best_step = score, progress.step
        if distributed.is_main():
            kept.save_best(entries, progress)
    return score


@contextmanager
def stoppable(model: nn.Module, listener: Listener) -> Iterator[None]:
    """Let a stop take effect between two batches of an evaluation: it raises TrainingStopped there."""
    message = "Stopped while evaluating. What was trained is kept; the same command goes on from there."
    encoder = getattr(model, "base_model", model)
    hook = encoder.register_forward_pre_hook(lambda *_: listener.raise_if_stopped(message))
    try:
        yield
    finally:
        hook.remove()


def is_sound(entries: Entries, progress: PhaseProgress) -> bool:
    """Say whether loss and weights are numbers: only then are they kept or judged."""
    return math.isfinite(progress.loss_sum) and entries.is_finite()


def keep(
    kept: PhaseFolder, entries: Entries, optimizer: torch.optim.Optimizer, progress: PhaseProgress, clock: "Clock"
) -> None:
    """Save a checkpoint."""
    if distributed.is_main():
        clock.stamp(progress)
        kept.save(entries, optimizer, progress)
    clock.note_saved()


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


def _stopped(plan: Plan, progress: PhaseProgress) -> str:
    return (
        f"Stopped at step {progress.step:,} of {plan.steps:,} in the {plan.phase} phase. "
        "The checkpoint is kept; the same command goes on from there."
    )


def _diverged(plan: Plan, progress: PhaseProgress, folder: Path) -> str:
    return (
        f"The training diverged: its loss or a weight is no longer a number at step {progress.step:,} of "
        f"{plan.steps:,} in the {plan.phase} phase. "
        f"Lower the learning rate (it was {plan.learning_rate:g}) and start again in another folder; "
        f"what was saved before is kept in {folder}."
    )
