"""One phase of training: the loop that both phases and both objectives share, from top to bottom."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.core.events import Event, Listener
from deftx.core.sampling import seed_for
from deftx.training import distributed
from deftx.training.checkpoints import PhaseFolder, PhaseProgress
from deftx.training.devices import Products, accelerator_for, reproducible
from deftx.training.fast_training import fast_training
from deftx.training.schedule import Clock, Plan
from deftx.training.trainable import Entries

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
    progress = resume(kept, entries, optimizer, plan, listener)
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
            stop_if_asked(listener, entries, progress)
            progress.loss_sum = progress.loss_sum + add_gradients(
                model, entries, objective, plan, progress, accelerator, listener
            )
            update(entries, optimizer, plan, progress, accelerator)
            progress.step += 1

            save_due = clock.checkpoint_due(progress)
            if has_diverged(entries, plan, progress, save_due):
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


def resume(
    kept: PhaseFolder, entries: Entries, optimizer: torch.optim.Optimizer, plan: Plan, listener: Listener
) -> PhaseProgress:
    """Bring entries and optimiser to the saved state, where there is one, and say so."""
    progress = kept.restore(entries, optimizer)
    if progress.step:
        message = f"The {plan.phase} phase goes on from step {progress.step:,} of {plan.steps:,}."
        listener.on_event(Event(plan.phase, progress.step, plan.steps, message=message))
    return progress


def stop_if_asked(listener: Listener, entries: Entries, progress: PhaseProgress) -> None:
    """Raise TrainingStopped where a stop was asked for and what is trained can be kept."""
    if listener.should_stop() and is_sound(entries, progress):
        raise TrainingStopped


def add_gradients(
    model: nn.Module, entries: Entries, objective: Objective, plan: Plan, progress: PhaseProgress,
    accelerator: Products, listener: Listener,
) -> Tensor:  # fmt: skip
    """Add up the gradients of a step's micro-batches, over all processes, and return the step's loss, a scalar."""
    micro_batches = objective.micro_batches(plan.phase, progress.step)
    step_loss = torch.zeros((), device=accelerator.device)
    for number in range(distributed.index(), len(micro_batches), distributed.count()):
        if number >= distributed.count():
            stop_if_asked(listener, entries, progress)  # nothing of this step has been applied: it begins anew
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
    return step_loss


def update(
    entries: Entries, optimizer: torch.optim.Optimizer, plan: Plan, progress: PhaseProgress, accelerator: Products
) -> None:
    """Take one optimiser step with the L1 penalty, clipped gradients and the learning rate of this step."""
    if plan.l1:
        entries.add_l1_gradients(plan.l1)
    accelerator.clip_grad_norm_(list(entries.compact.values()), plan.clip)
    for group in optimizer.param_groups:
        group["lr"] = plan.learning_rate * (1 - progress.step / plan.steps)
    optimizer.step()
    optimizer.zero_grad()
    entries.write_back()


def has_diverged(entries: Entries, plan: Plan, progress: PhaseProgress, save_due: bool) -> bool:
    """Note the loss where that is due, and say whether it, or a weight that is to be kept or judged, is no number."""
    if plan.look_due(progress) and not math.isfinite(progress.note_loss()):
        return True
    return (save_due or plan.evaluation_due(progress)) and not is_sound(entries, progress)


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
    kept: PhaseFolder, entries: Entries, optimizer: torch.optim.Optimizer, progress: PhaseProgress, clock: Clock
) -> None:
    """Save a checkpoint."""
    if distributed.is_main():
        clock.stamp(progress)
        kept.save(entries, optimizer, progress)
    clock.note_saved()


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
