"""Algorithm 1 of the paper: train all weights, denoise the change, select k entries, reset, and train only those."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from deftx.core.events import Event, Listener
from deftx.method.denoising import denoise
from deftx.method.parallel import in_order
from deftx.method.parameter_kinds import count_by_part
from deftx.method.ranks import choose_rank
from deftx.method.select import select_at_random, select_with_fill
from deftx.method.spectrum import decompose
from deftx.training import distributed
from deftx.training.checkpoints import PhaseProgress, write_tensors
from deftx.training.estimates import denoising_seconds
from deftx.training.learned import (
    AFTER_DENSE,
    DELTA_FILE,
    MASK_FILE,
    Change,
    Learned,
    Learner,
    read_change,
    read_mask,
    write_mask,
)
from deftx.training.loop import run_phase
from deftx.training.parts import DENOISING, SAVING, part
from deftx.training.recipes import Recipe
from deftx.training.run_folder import NOT_RETRAINED, check_disk, claim_folder
from deftx.training.schedule import Plan
from deftx.training.trainable import Entries, row_gradients

STOPPED = "Stopped while denoising. The change δ is kept; run the same command to continue."


def learn(learner: Learner, recipe: Recipe, folder: Path, delta: Path | None, listener: Listener) -> Learned:
    """Run Algorithm 1, lines 2 to 20; the model then has its initial weights plus φ, and the head of φ.

    ``folder`` is for checkpoints, from which the same call resumes. ``delta`` is a folder to keep δ for further runs.
    """
    trainable, head = (sum(p.numel() for p in part.values()) for part in (learner.trainable, learner.head))
    k = recipe.count(trainable)
    retrains = recipe.ablate not in NOT_RETRAINED
    kept, mask = delta or folder / "delta", folder / MASK_FILE
    distributed.wait()
    with distributed.main_first():
        dense_is_done = mask.is_file() or (kept / DELTA_FILE).is_file()
        check_disk(trainable, head, recipe, folder, kept / DELTA_FILE, dense_is_done)
        claim_folder(folder, {**learner.identity, **recipe.to_dict()}, listener)
    start = {n: p.detach().clone() for n, p in {**learner.trainable, **learner.head}.items()}

    if distributed.any_of(mask.is_file()):  # δ is no longer needed
        learned = read_mask(mask, learner, listener)
    else:
        change = dense_phase(learner, recipe, folder, kept, start, listener)  # δ = θ1 − θ0
        seconds = denoising_seconds(change.delta.values()) if recipe.method == "deft-x" else 0.0
        with part(DENOISING, seconds), distributed.main_first():  # the others then read its selection
            learned = (
                read_mask(mask, learner, listener) if mask.is_file() else choose_entries(change, recipe, k, listener)
            )
            if retrains and distributed.is_main():
                write_mask(mask, learned)
        del change
    if not retrains:
        _place(learner, start, learned)
        return learned
    _reset(learner, start)
    start = {n: start[n].view(-1).index_select(0, p) for n, p in learned.positions.items()}  # the part that φ needs
    progress = sparse_phase(learner, recipe, folder, learned, listener)  # θ2
    learned.history["sparse"] = course(progress)
    for name, chosen in learned.positions.items():
        learned.values[name] = learner.trainable[name].detach().view(-1)[chosen] - start[name]  # φ = θ2 − θ0
    learned.head = {n: p.detach().clone() for n, p in learner.head.items()}
    return learned


def dense_phase(
    learner: Learner, recipe: Recipe, folder: Path, kept: Path, start: Mapping[str, Tensor], listener: Listener
) -> Change:
    """Train M and the head, or read the δ of an equal dense phase from ``kept``."""
    identity = {**learner.identity, **{k: v for k, v in recipe.to_dict().items() if k not in AFTER_DENSE}}
    if distributed.any_of((kept / DELTA_FILE).is_file()):
        return read_change(kept, identity, learner, listener)
    steps = {phase: recipe.steps(learner.examples, phase) for phase in ("dense", "sparse")}
    retrains = recipe.ablate not in NOT_RETRAINED
    plan = _plan(learner, recipe, "dense", steps["dense"], steps["sparse"] if retrains else 0)
    entries = Entries.of({**learner.trainable, **learner.head}, anchors=start)
    progress = run_phase(learner.model, entries, learner.objective, plan, folder / "dense", listener)
    delta = {n: (p.detach() - start[n]) for n, p in learner.trainable.items()}
    head = {n: p.detach().clone() for n, p in learner.head.items()}
    named = {f"delta.{n}": d for n, d in delta.items()} | {f"head.{n}": h for n, h in head.items()}
    if distributed.is_main():
        with part(SAVING):
            write_tensors(kept / DELTA_FILE, named, {"identity": identity, "progress": progress.to_dict()})
        shutil.rmtree(folder / "dense", ignore_errors=True)  # replaced by δ, which needs a fifth of the space
    return Change(delta, head, progress)


def choose_entries(change: Change, recipe: Recipe, k: int, listener: Listener) -> Learned:
    """Denoise δ and select μ. Also set φ if there is no sparse phase."""
    learned = Learned({}, {}, change.head)
    learned.history["dense"] = course(change.progress)
    denoised = denoise_all(change.delta, recipe, learned, listener) if recipe.method == "deft-x" else change.delta
    if recipe.ablate == "dense-delta":
        learned.positions = {n: d.flatten().nonzero().flatten() for n, d in denoised.items()}
    else:
        listener.raise_if_stopped(STOPPED)
        listener.on_event(Event("select", 0, 1))
        if recipe.method == "random":
            learned.positions = select_at_random(change.delta, k, recipe.seed)
        else:
            learned.positions, learned.filled = select_with_fill(denoised, change.delta, k)  # μ
        listener.on_event(Event("select", 1, 1, message=_split(learned.positions, k, learned.filled)))
    if recipe.ablate in NOT_RETRAINED:
        learned.values = {n: denoised[n].flatten()[p.to(denoised[n].device)] for n, p in learned.positions.items()}
    return learned


def denoise_all(delta: Mapping[str, Tensor], recipe: Recipe, learned: Learned, listener: Listener) -> dict[str, Tensor]:
    """Return δ̂, with every matrix of δ denoised (equations 2 to 5) and biases unchanged. Store ranks and spectra."""
    denoised = dict(delta)
    matrices = [name for name, weight in delta.items() if weight.dim() == 2]
    keep = 0.0 if recipe.ablate == "no-residual" else recipe.keep

    def work(name: str) -> tuple[list[float], tuple[int, int], int, Tensor]:
        parts = decompose(delta[name])  # W = UΣVᵀ; the vectors are freed after this function
        rank = choose_rank(parts.values, parts.shape, recipe.rank)
        return parts.values.tolist(), parts.shape, rank, denoise(delta[name], rank, keep, parts)  # Ŵ = L + S

    results = in_order(work, matrices, next(iter(delta.values())).device)
    with closing(results):
        for done, (name, (values, shape, rank, weight)) in enumerate(zip(matrices, results, strict=True)):
            listener.raise_if_stopped(STOPPED)
            denoised[name], learned.ranks[name] = weight, rank
            learned.singular_values[name], learned.spectrum_shapes[name] = values, shape
            listener.on_event(Event("denoise", done + 1, len(matrices)))
    return denoised


def sparse_phase(learner: Learner, recipe: Recipe, folder: Path, learned: Learned, listener: Listener) -> PhaseProgress:
    """Train only μ and the head, from the initial weights; parameters without a selected entry stay frozen."""
    chosen = {n: p for n, p in learned.positions.items() if len(p)}
    for name, parameter in learner.trainable.items():
        parameter.requires_grad_(name in chosen)
    entries = Entries.of({**{n: learner.trainable[n] for n in chosen}, **learner.head}, chosen)
    plan = _plan(learner, recipe, "sparse", recipe.steps(learner.examples, "sparse"), 0)
    with row_gradients(learner.model):
        return run_phase(learner.model, entries, learner.objective, plan, folder / "sparse", listener)


def _plan(learner: Learner, recipe: Recipe, phase: str, steps: int, steps_after: int) -> Plan:
    return Plan(
        phase=phase,
        steps=steps,
        learning_rate=recipe.rate(phase),
        evaluate_every=recipe.evaluate_every,
        clip=recipe.clip,
        l1=recipe.l1 / learner.denominator,  # λ/N
        seed=recipe.seed,
        precision=recipe.precision,
        steps_after=steps_after,
    )


@torch.no_grad()
def _reset(learner: Learner, start: Mapping[str, Tensor]) -> None:
    for name, parameter in {**learner.trainable, **learner.head}.items():
        parameter.copy_(start[name])


@torch.no_grad()
def _place(learner: Learner, start: Mapping[str, Tensor], learned: Learned) -> None:
    """Set the model to its initial weights plus φ, with the head of the dense phase."""
    _reset(learner, {**start, **learned.head})
    for name, chosen in learned.positions.items():
        learner.trainable[name].view(-1)[chosen.to(learner.trainable[name].device)] += learned.values[name]


def course(progress: PhaseProgress) -> dict:
    """Return what vector.json tells of a phase."""
    return {k: v for k, v in asdict(progress).items() if k not in ("seconds", "loss_sum", "evaluated")}


def _split(positions: Mapping[str, Tensor], k: int, filled: int) -> str:
    shares = ", ".join(f"{part} {count / k:.1%}" for part, count in count_by_part(positions).items() if count)
    note = f"; {filled:,} of them from δ before denoising" if filled else ""
    return f"{k:,} entries selected: {shares}{note}."
