"""One phase of training: the loop that both phases and both objectives share, from top to bottom."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from deftx.checkpoints import PhaseFolder, Progress
from deftx.entries import Entries
from deftx.errors import TrainingError, TrainingStopped
from deftx.events import Event, Listener

CHECKPOINT_SECONDS = 60.0  # the most work, in time, that a kill may cost
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


def run_phase(
    model: nn.Module, entries: Entries, objective: Objective, plan: Plan, folder: Path, listener: Listener
) -> Progress:
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
    while progress.step < plan.steps:
        if listener.should_stop() and math.isfinite(progress.loss_sum):
            clock.stamp(progress)
            kept.save(entries, optimizer, progress)
            raise TrainingStopped(_stopped(plan, progress))
        # Every draw follows from (seed, phase, step), so a resumed run needs no saved random state.
        torch.manual_seed(seed_for(plan.seed, plan.phase, progress.step))
        micro_batches = objective.micro_batches(plan.phase, progress.step)
        for batch in micro_batches:
            with accelerator.autocast():
                loss = objective.loss(model, batch) / len(micro_batches)
            accelerator.backward(loss)
            progress.loss_sum = progress.loss_sum + loss.detach()  # still on the device: nothing waits for it
        entries.gather_gradients()  # masked before clipping: the norm is that of μ ⊙ ∇ and the head
        if plan.l1:
            entries.add_l1_gradients(plan.l1)
        accelerator.clip_grad_norm_(list(entries.compact.values()), plan.clip)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * (1 - progress.step / plan.steps)
        optimizer.step()
        optimizer.zero_grad()
        entries.write_back()
        progress.step += 1

        evaluation_due = progress.step % plan.evaluate_every == 0 or progress.step == plan.steps
        look_due = evaluation_due or progress.step % plan.look_every == 0
        if look_due and not math.isfinite(progress.note_loss()):
            raise TrainingError(_diverged(plan, progress, folder))
        if evaluation_due:
            if not entries.is_finite():  # the last update overflowed: the next loss would tell, but there may be none
                raise TrainingError(_diverged(plan, progress, folder))
            with accelerator.autocast():
                score = evaluate(model, entries, objective, progress, kept)
        if evaluation_due or clock.event_due():
            listener.on_event(clock.event(progress, score if evaluation_due else None))
        if look_due and clock.checkpoint_due():
            clock.stamp(progress)
            kept.save(entries, optimizer, progress)
    clock.stamp(progress)
    kept.save(entries, optimizer, progress)
    kept.load_best(entries)
    return progress


def evaluate(
    model: nn.Module, entries: Entries, objective: Objective, progress: Progress, kept: PhaseFolder
) -> float | None:
    """Score the model as it stands and keep it where it is the best so far (the first of equals)."""
    model.eval()
    with torch.no_grad():
        score = objective.evaluate(model)
    model.train()
    if score is None:
        return None
    progress.evaluations.append((progress.step, score))
    best = progress.best_score
    if best is None or (score > best if objective.higher_is_better else score < best):
        progress.best_score, progress.best_step = score, progress.step
        kept.save_best(entries, progress)
    return score


def accelerator_for(entries: Entries, precision: str) -> Accelerator:
    """Set up accelerate for the device that holds the entries; the masters stay float32 in every precision."""
    device = next(iter(entries.compact.values())).device
    bfloat16 = has_bfloat16(device) if precision == "auto" else precision == "bfloat16"
    # accelerate remembers device and precision for the whole process; each training chooses its own.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device.type == "cpu", mixed_precision="bf16" if bfloat16 else "no")


def has_bfloat16(device: torch.device) -> bool:
    """Say whether the device multiplies bfloat16 matrices natively: emulated, they are slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


def seed_for(*purpose: int | str) -> int:
    """Derive the seed of one draw from what it is for, e.g. ``seed_for(42, "dense", "order", 3)``."""
    return int.from_bytes(sha256("/".join(map(str, purpose)).encode()).digest()[:7], "big")


def batch_order(
    examples: int, batch_size: int, seed: int, phase: str, lengths: list[int] | None = None
) -> Callable[[int], list[int]]:
    """Return a function that gives the examples of any optimiser step: each pass is a new permutation of all.

    With ``lengths``, batches hold examples of similar length, which saves padding.
    """
    steps_per_epoch = -(-examples // batch_size)
    last: dict[int, list[list[int]]] = {}  # the batches of the epoch that was asked for last

    def indices(step: int) -> list[int]:
        epoch, place = divmod(step, steps_per_epoch)
        if epoch not in last:
            last.clear()
            generator = torch.Generator().manual_seed(seed_for(seed, phase, "order", epoch))
            order = torch.randperm(examples, generator=generator).tolist()
            last[epoch] = _batches(order, batch_size, lengths, generator)
        return last[epoch][place]

    return indices


def _batches(order: list[int], size: int, lengths: list[int] | None, generator: torch.Generator) -> list[list[int]]:
    if lengths is not None:  # sort within stretches of 50 batches, as transformers' group_by_length does
        stretches = (order[start : start + 50 * size] for start in range(0, len(order), 50 * size))
        order = [i for stretch in stretches for i in sorted(stretch, key=lengths.__getitem__)]
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    if lengths is None:
        return batches
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def cut(items: list, parts: int) -> Iterator[list]:
    """Cut a batch into at most ``parts`` micro-batches of equal size, but for the last."""
    size = -(-len(items) // parts)
    return (items[start : start + size] for start in range(0, len(items), size))


class Clock:
    """Keeps the time of a phase: when to speak, when to save, and how long is left."""

    def __init__(self, progress: Progress, plan: Plan) -> None:
        self.plan = plan
        self.started = self.spoken = self.saved = time.monotonic()
        self.first_step, self.seconds_before = progress.step, progress.seconds

    def event_due(self) -> bool:
        """Say whether a person should hear something again."""
        return time.monotonic() - self.spoken >= EVENT_SECONDS

    def checkpoint_due(self) -> bool:
        """Say whether enough work has gathered to be saved."""
        due = time.monotonic() - self.saved >= CHECKPOINT_SECONDS
        self.saved = time.monotonic() if due else self.saved
        return due

    def stamp(self, progress: Progress) -> None:
        """Note the time spent so far, over all starts."""
        progress.seconds = self.seconds_before + time.monotonic() - self.started

    def event(self, progress: Progress, score: float | None) -> Event:
        """Make the event for this moment; the time left counts what a step has taken so far, evaluations included."""
        self.spoken = time.monotonic()
        pace = (self.spoken - self.started) / (progress.step - self.first_step)
        left = pace * (self.plan.steps - progress.step + self.plan.steps_after)
        loss = progress.losses[-1][1] if progress.losses else None
        return Event(self.plan.phase, progress.step, self.plan.steps, loss, score, left)


def _stopped(plan: Plan, progress: Progress) -> str:
    return (
        f"Stopped at step {progress.step:,} of {plan.steps:,} in the {plan.phase} phase. "
        "The checkpoint is kept; the same command goes on from there."
    )


def _diverged(plan: Plan, progress: Progress, folder: Path) -> str:
    return (
        f"The training diverged: its loss or a weight is no longer a number at step {progress.step:,} of "
        f"{plan.steps:,} in the {plan.phase} phase. "
        f"Lower the learning rate (it was {plan.learning_rate:g}) and start again in another folder; "
        f"what was saved before is kept in {folder}."
    )
