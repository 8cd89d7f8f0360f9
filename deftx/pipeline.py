"""Algorithm 1 of the paper: train everything, denoise the change, select k entries, reset, retrain only those."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from deftx.checkpoints import Progress, read_tensors, write_tensors
from deftx.denoise import denoise
from deftx.entries import Entries, row_gradients
from deftx.errors import RecipeError, TrainingStopped
from deftx.events import Event, Listener
from deftx.parallel import in_order
from deftx.ranks import choose_rank
from deftx.recipes import Recipe
from deftx.select import by_kind, select_with_fill
from deftx.spectrum import Decomposition, decompose
from deftx.training import Objective, Plan, run_phase

DELTA_FILE = "delta.safetensors"
# Settings that act only after the dense phase: runs that differ in these alone share one δ.
AFTER_DENSE = ("method", "rank", "keep", "ablate", "k")


@dataclass(frozen=True)
class Learner:
    """What language or task training hands to the pipeline."""

    kind: str  # "language" or "task"
    model: nn.Module  # at its start: θ0, or θ0 + φ_source
    trainable: dict[str, nn.Parameter]  # M
    head: dict[str, nn.Parameter]  # trained in full
    objective: Objective
    examples: int  # sequences or rows in the training text
    denominator: int  # N of the L1 penalty: all parameters
    identity: dict[str, str | None]  # the data, base and source that δ follows from


@dataclass
class Learned:
    """A sparse vector's substance, and how it came about."""

    positions: dict[str, Tensor]  # μ, flat and ascending
    values: dict[str, Tensor]  # φ on μ
    head: dict[str, Tensor]
    filled: int = 0  # entries that δ̂ could not supply
    ranks: dict[str, int] = field(default_factory=dict)
    singular_values: dict[str, list[float]] = field(default_factory=dict)
    spectrum_shapes: dict[str, tuple[int, int]] = field(default_factory=dict)  # without rows and columns of zeros
    history: dict[str, dict] = field(default_factory=dict)  # per phase: losses, evaluations, best step


@dataclass(frozen=True)
class Change:
    """δ, the head that belongs to it, and the course of the dense phase."""

    delta: dict[str, Tensor]
    head: dict[str, Tensor]
    progress: Progress


def learn(learner: Learner, recipe: Recipe, folder: Path, delta: Path | None, listener: Listener) -> Learned:
    """Run Algorithm 1, lines 2 to 20; leave the model at its start plus φ, with the head of φ.

    ``folder`` holds the checkpoints, so that the same call resumes; ``delta`` keeps δ for further runs.
    """
    k = recipe.count(sum(p.numel() for p in learner.trainable.values()))
    claim_folder(folder, {**learner.identity, **recipe.to_dict()})
    start = {n: p.detach().clone() for n, p in {**learner.trainable, **learner.head}.items()}

    change = dense_phase(learner, recipe, folder, delta or folder / "delta", start, listener)  # δ = θ1 − θ0
    learned = Learned({}, {}, change.head)
    learned.history["dense"] = _course(change.progress)
    denoised = change.delta if recipe.method == "lt-sft" else denoise_all(change.delta, recipe, learned, listener)
    if recipe.ablate == "dense-delta":
        learned.positions = {n: d.flatten().nonzero().flatten() for n, d in denoised.items()}
    else:
        listener.on_event(Event("select", 0, 1))
        learned.positions, learned.filled = select_with_fill(denoised, change.delta, k)  # μ
        listener.on_event(Event("select", 1, 1, message=_split(learned.positions, k, learned.filled)))
    if recipe.ablate in ("dense-delta", "no-retrain"):
        learned.values = {n: denoised[n].flatten()[p.to(denoised[n].device)] for n, p in learned.positions.items()}
        _place(learner, start, learned)
        return learned
    del change, denoised
    _reset(learner, start)
    start = {n: start[n].view(-1).index_select(0, p) for n, p in learned.positions.items()}  # all that φ needs of it
    progress = sparse_phase(learner, recipe, folder, learned, listener)  # θ2
    learned.history["sparse"] = _course(progress)
    for name, chosen in learned.positions.items():
        learned.values[name] = learner.trainable[name].detach().view(-1)[chosen] - start[name]  # φ = θ2 − θ0
    learned.head = {n: p.detach().clone() for n, p in learner.head.items()}
    return learned


def dense_phase(
    learner: Learner, recipe: Recipe, folder: Path, kept: Path, start: Mapping[str, Tensor], listener: Listener
) -> Change:
    """Train M and the head, or take up the δ that an equal dense phase left in ``kept``."""
    identity = {**learner.identity, **{k: v for k, v in recipe.to_dict().items() if k not in AFTER_DENSE}}
    if (kept / DELTA_FILE).is_file():
        return read_change(kept, identity, learner, listener)
    steps = {phase: recipe.steps(learner.examples, phase) for phase in ("dense", "sparse")}
    retrains = recipe.ablate not in ("dense-delta", "no-retrain")
    plan = _plan(learner, recipe, "dense", steps["dense"], steps["sparse"] if retrains else 0)
    entries = Entries.of({**learner.trainable, **learner.head}, anchors=start)
    progress = run_phase(learner.model, entries, learner.objective, plan, folder / "dense", listener)
    delta = {n: (p.detach() - start[n]) for n, p in learner.trainable.items()}
    head = {n: p.detach().clone() for n, p in learner.head.items()}
    named = {f"delta.{n}": d for n, d in delta.items()} | {f"head.{n}": h for n, h in head.items()}
    write_tensors(kept / DELTA_FILE, named, {"identity": identity, "progress": progress.to_dict()})
    return Change(delta, head, progress)


def read_change(kept: Path, identity: dict, learner: Learner, listener: Listener) -> Change:
    """Read a kept δ, after making sure that this run would have arrived at the same one.

    Raises:
        RecipeError: it comes from other text, another base or other dense settings; the message names them.
    """
    tensors, about = read_tensors(kept / DELTA_FILE)
    _refuse_other(kept, "δ of a dense phase", about["identity"], identity)
    device = next(iter(learner.trainable.values())).device
    listener.on_event(Event("dense", 1, 1, message=f"The dense phase is done already: δ is read from {kept}."))
    delta = {n: tensors[f"delta.{n}"].to(device) for n in learner.trainable}
    head = {n: tensors[f"head.{n}"].to(device) for n in learner.head}
    return Change(delta, head, Progress(**about["progress"]))


def denoise_all(delta: Mapping[str, Tensor], recipe: Recipe, learned: Learned, listener: Listener) -> dict[str, Tensor]:
    """Return δ̂: every matrix of δ denoised (equations 2 to 5), biases as they are; note ranks and spectra."""
    denoised = dict(delta)
    matrices = [name for name, weight in delta.items() if weight.dim() == 2]
    keep = 0.0 if recipe.ablate == "no-residual" else recipe.keep

    def work(name: str) -> tuple[Decomposition, int, Tensor]:
        parts = decompose(delta[name])  # W = UΣVᵀ
        rank = choose_rank(parts.values, parts.shape, recipe.rank)
        return parts, rank, denoise(delta[name], rank, keep, parts)  # Ŵ = L + S

    results = in_order(work, matrices, next(iter(delta.values())).device)
    with closing(results):
        for done, (name, (parts, rank, weight)) in enumerate(zip(matrices, results, strict=True)):
            if listener.should_stop():
                raise TrainingStopped(
                    "Stopped while denoising. The change δ is kept; the same command goes on from there."
                )
            denoised[name] = weight
            learned.ranks[name] = rank
            learned.singular_values[name] = parts.values.tolist()
            learned.spectrum_shapes[name] = parts.shape
            listener.on_event(Event("denoise", done + 1, len(matrices)))
    return denoised


def sparse_phase(learner: Learner, recipe: Recipe, folder: Path, learned: Learned, listener: Listener) -> Progress:
    """Train only μ and the head, from the start; parameters without a selected entry stay frozen."""
    chosen = {n: p for n, p in learned.positions.items() if len(p)}
    for name, parameter in learner.trainable.items():
        parameter.requires_grad_(name in chosen)
    entries = Entries.of({**{n: learner.trainable[n] for n in chosen}, **learner.head}, chosen)
    plan = _plan(learner, recipe, "sparse", recipe.steps(learner.examples, "sparse"), 0)
    with row_gradients(learner.model):
        return run_phase(learner.model, entries, learner.objective, plan, folder / "sparse", listener)


def claim_folder(folder: Path, settings: dict) -> None:
    """Note what is trained here, or make sure that an unfinished run in this folder is the same one."""
    note = folder / "settings.json"
    settings = json.loads(json.dumps(settings))
    if note.is_file():
        _refuse_other(folder, "unfinished training", json.loads(note.read_text(encoding="utf-8")), settings)
    folder.mkdir(parents=True, exist_ok=True)
    beside = note.with_suffix(".part")
    beside.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    beside.replace(note)  # a kill leaves the whole note or none


def _refuse_other(folder: Path, what: str, there: dict, here: dict) -> None:
    here = json.loads(json.dumps(here))
    differ = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    if differ:
        shown = "; ".join(f"{key}: {there.get(key)} there, {here.get(key)} now" for key in differ[:3])
        raise RecipeError(f"{folder} holds the {what} with other settings ({shown}). Choose another folder.")


def _plan(learner: Learner, recipe: Recipe, phase: str, steps: int, steps_after: int) -> Plan:
    return Plan(
        phase=phase,
        steps=steps,
        learning_rate=recipe.learning_rate,
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
    """Set the model to its start plus φ, with the head that was trained along with δ."""
    _reset(learner, {**start, **learned.head})
    for name, chosen in learned.positions.items():
        learner.trainable[name].view(-1)[chosen.to(learner.trainable[name].device)] += learned.values[name]


def _course(progress: Progress) -> dict:
    return {k: v for k, v in asdict(progress).items() if k not in ("seconds", "loss_sum")}


def _split(positions: Mapping[str, Tensor], k: int, filled: int) -> str:
    shares = ", ".join(f"{kind} {count / k:.1%}" for kind, count in by_kind(positions).items() if count)
    note = f"; {filled:,} filled up from δ" if filled else ""
    return f"{k:,} entries selected: {shares}{note}."
