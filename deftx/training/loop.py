"""One phase of training: the training loop, which both phases and both objectives use."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from transformers import PreTrainedModel

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.core.events import Event, Listener
from deftx.core.sampling import seed_for
from deftx.training import distributed
from deftx.training.checkpoints import PhaseFolder, PhaseProgress
from deftx.training.devices import Products, accelerator_for, reproducible
from deftx.training.fast_training import fast_training
from deftx.training.parts import EVALUATION, SAVING, part
from deftx.training.schedule import Clock, Plan
from deftx.training.trainable import Entries

Batch = dict[str, Tensor]


class Objective(Protocol):
    """A training objective: batches, their loss, and a score to choose the best checkpoint."""

    higher_is_better: bool
    metric: str

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of an optimiser step, the same for every call."""
        ...

    def weights(self, model: PreTrainedModel, phase: str, step: int) -> AbstractContextManager[None]:
        """Return a context in which the model has the weights for a step's loss; after it, its own, bit for bit.

        Objectives that inherit this one change nothing.
        """
        return nullcontext()

    def loss(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Return the mean loss over the tokens or rows of a micro-batch, a scalar in nats."""
        ...

    def evaluate(self, model: PreTrainedModel) -> float | None:
        """Return the score on the validation set, or None if there is none."""
        ...


def run_phase(
    model: PreTrainedModel, entries: Entries, objective: Objective, plan: Plan, folder: Path, listener: Listener
) -> PhaseProgress:
    """Train the entries and leave the model at its best checkpoint; resume from a saved checkpoint if there is one.

    Raises:
        TrainingStopped: If a stop was requested; the checkpoint is saved.
        TrainingError: If the loss or a weight is not finite; the last checkpoint is kept.
    """
    accelerator = accelerator_for(entries, plan.precision)
    # No weight decay, so that entries without a gradient do not change.
    optimizer = torch.optim.AdamW(entries.compact.values(), betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)
    files = PhaseFolder(folder)
    progress = resume(files, entries, optimizer, plan, listener)
    clock = Clock(progress, plan)
    model.train()
    try:
        while True:
            if plan.evaluation_due(progress):  # before the next step, so that an interrupted run resumes with it
                with part(EVALUATION), accelerator.autocast(), stoppable(model, listener), clock.evaluation():
                    score = evaluate(model, entries, objective, progress, files)
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
                save_checkpoint(files, entries, optimizer, progress, clock)
            if clock.event_due() and not plan.evaluation_due(progress):
                listener.on_event(clock.event(progress, None))
    except TrainingStopped:
        save_checkpoint(files, entries, optimizer, progress, clock)
        distributed.wait()  # the launcher ends all processes when one ends
        raise TrainingStopped(_stopped(plan, progress)) from None
    save_checkpoint(files, entries, optimizer, progress, clock)
    distributed.wait()
    files.load_best(entries)
    distributed.wait()  # before the main process deletes the files that the others read
    return progress


def resume(
    files: PhaseFolder, entries: Entries, optimizer: torch.optim.Optimizer, plan: Plan, listener: Listener
) -> PhaseProgress:
    """Restore the saved state of entries and optimiser, if there is one, and send a message about it."""
    progress = files.restore(entries, optimizer)
    if progress.step:
        message = f"The {plan.phase} phase continues from step {progress.step:,} of {plan.steps:,}."
        listener.on_event(Event(plan.phase, progress.step, plan.steps, message=message))
    return progress


def stop_if_asked(listener: Listener, entries: Entries, progress: PhaseProgress) -> None:
    """Raise TrainingStopped if a stop was requested and the state is worth saving."""
    if listener.should_stop() and is_sound(entries, progress):
        raise TrainingStopped


def add_gradients(
    model: PreTrainedModel, entries: Entries, objective: Objective, plan: Plan, progress: PhaseProgress,
    accelerator: Products, listener: Listener,
) -> Tensor:  # fmt: skip
    """Sum the gradients of a step's micro-batches over all processes, and return the loss of the step (a scalar)."""
    micro_batches = objective.micro_batches(plan.phase, progress.step)
    step_loss = torch.zeros((), device=accelerator.device)
    with objective.weights(model, plan.phase, progress.step):
        for first in range(0, len(micro_batches), distributed.count()):
            if first:  # asked by every process, also by one that has no micro-batch left: they answer together
                stop_if_asked(listener, entries, progress)  # nothing of this step was applied yet
            number = first + distributed.index()
            if number >= len(micro_batches):
                break
            # The seed depends only on (seed, phase, step, micro-batch), so no random state needs to be saved.
            seed = seed_for(plan.seed, plan.phase, progress.step, number)
            torch.manual_seed(seed)
            with reproducible(accelerator.device):
                with accelerator.autocast(), fast_training(accelerator.device, seed):
                    loss = objective.loss(model, micro_batches[number]) / len(micro_batches)
                accelerator.backward(loss)
            step_loss += loss.detach()  # stays on the device, without synchronisation
    entries.gather_gradients()  # masked before clipping: the norm is that of μ ⊙ ∇ and the head
    distributed.sum_up(entries.gradients())
    distributed.sum_up([step_loss])
    return step_loss


def update(
    entries: Entries, optimizer: torch.optim.Optimizer, plan: Plan, progress: PhaseProgress, accelerator: Products
) -> None:
    """Take one optimiser step, with the L1 penalty, clipped gradients and this step's learning rate."""
    if plan.l1:
        entries.add_l1_gradients(plan.l1)
    accelerator.clip_grad_norm_(list(entries.compact.values()), plan.clip)
    for group in optimizer.param_groups:
        group["lr"] = plan.rate(progress.step)
    optimizer.step()
    optimizer.zero_grad()
    entries.write_back()


def has_diverged(entries: Entries, plan: Plan, progress: PhaseProgress, save_due: bool) -> bool:
    """Log the loss if due. Return whether it, or before saving or evaluation a weight, is not finite."""
    if plan.log_due(progress) and not math.isfinite(progress.note_loss()):
        return True
    return (save_due or plan.evaluation_due(progress)) and not is_sound(entries, progress)


def evaluate(
    model: PreTrainedModel, entries: Entries, objective: Objective, progress: PhaseProgress, files: PhaseFolder
) -> float | None:
    """Evaluate the model and save it if it is better than all before."""
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
            files.save_best(entries, progress)
    return score


@contextmanager
def stoppable(model: PreTrainedModel, listener: Listener) -> Iterator[None]:
    """Raise TrainingStopped between two batches of an evaluation if a stop was requested."""
    message = "Stopped while evaluating. The training so far is kept; run the same command to continue."
    encoder = getattr(model, "base_model", model)
    hook = encoder.register_forward_pre_hook(lambda *_: listener.raise_if_stopped(message))
    try:
        yield
    finally:
        hook.remove()


def is_sound(entries: Entries, progress: PhaseProgress) -> bool:
    """Return whether loss and weights are finite; otherwise they must not be saved or evaluated."""
    return math.isfinite(progress.loss_sum) and entries.is_finite()


def save_checkpoint(
    files: PhaseFolder, entries: Entries, optimizer: torch.optim.Optimizer, progress: PhaseProgress, clock: Clock
) -> None:
    """Save a checkpoint."""
    if distributed.is_main():
        clock.stamp(progress)
        with part(SAVING):
            files.save(entries, optimizer, progress)
    clock.note_saved()


def _stopped(plan: Plan, progress: PhaseProgress) -> str:
    return (
        f"Stopped at step {progress.step:,} of {plan.steps:,} in the {plan.phase} phase. "
        "The checkpoint is kept; run the same command to continue."
    )


def _diverged(plan: Plan, progress: PhaseProgress, folder: Path) -> str:
    rate = "sparse_learning_rate" if plan.phase == "sparse" else "the learning rate"
    return (
        f"The training diverged: the loss or a weight is not finite at step {progress.step:,} of {plan.steps:,} in the "
        f"{plan.phase} phase. Lower {rate} (it was {plan.learning_rate:g}) and start again in another folder. "
        f"The last checkpoint is kept in {folder}."
    )
