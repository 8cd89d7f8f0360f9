"""What the steps of Algorithm 1 pass on (δ, μ, φ), and the files that keep it for a resumed run."""

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.core.events import Event, Listener
from deftx.training.checkpoints import PhaseProgress, read_tensors, write_tensors
from deftx.training.loop import Objective
from deftx.training.run_folder import refuse_other
from deftx.vectors.vector import SparseVector

DELTA_FILE = "delta.safetensors"
# Settings without effect on the dense phase: runs that differ only in these can share one δ.
AFTER_DENSE = ("method", "rank", "keep", "ablate", "k", "values", "sparse_learning_rate")
MASK_FILE = "mask.safetensors"
MASK_NOTES = ("filled", "ranks", "singular_values", "spectrum_shapes", "history")  # the fields of Learned besides μ


@dataclass(frozen=True)
class Learner:
    """A language or task training run, as the pipeline needs it."""

    kind: str  # "language" or "task"
    model: PreTrainedModel  # with initial weights: θ0, or θ0 + φ_source
    trainable: dict[str, nn.Parameter]  # M
    head: dict[str, nn.Parameter]  # fully trained
    objective: Objective
    examples: int  # training sequences or rows
    denominator: int  # N of the L1 penalty: the number of all parameters
    identity: dict[str, str | None]  # fingerprints of data, base and source, which determine δ
    continued: "Continued | None" = None  # if a vector that the model has is trained further, instead of Algorithm 1


@dataclass(frozen=True)
class Continued:
    """A task vector that is trained further, and the weights at its positions before it was added to the model."""

    vector: SparseVector
    before: dict[str, Tensor]  # in the order of the vector's positions


@dataclass
class Learned:
    """The content of a sparse vector, and how it was learned."""

    positions: dict[str, Tensor]  # μ, flat and ascending
    values: dict[str, Tensor]  # φ on μ
    head: dict[str, Tensor]
    filled: int = 0  # entries selected from δ because δ̂ had too few
    ranks: dict[str, int] = field(default_factory=dict)
    singular_values: dict[str, list[float]] = field(default_factory=dict)
    spectrum_shapes: dict[str, tuple[int, int]] = field(default_factory=dict)  # without zero rows and columns
    history: dict[str, dict] = field(default_factory=dict)  # per phase: losses, evaluations, best step


@dataclass(frozen=True)
class Change:
    """δ, its head, and the progress of the dense phase."""

    delta: dict[str, Tensor]
    head: dict[str, Tensor]
    progress: PhaseProgress


def read_change(kept: Path, identity: dict, learner: Learner, listener: Listener) -> Change:
    """Read a kept δ, after checking that this run would produce the same one.

    Raises:
        RecipeError: If it was made from other text, another base or other settings; the message names them.
    """
    tensors, about = read_tensors(kept / DELTA_FILE)
    refuse_other(kept, "δ of a dense phase", about["identity"], identity)
    device = next(iter(learner.trainable.values())).device
    progress = PhaseProgress(**about["progress"])
    message = f"The dense phase was finished before: δ is read from {kept}."
    listener.on_event(Event("dense", progress.step, progress.step, message=message))
    delta = {n: tensors[f"delta.{n}"].to(device) for n in learner.trainable}
    head = {n: tensors[f"head.{n}"].to(device) for n in learner.head}
    return Change(delta, head, progress)


def write_mask(path: Path, learned: Learned) -> None:
    """Save μ and how it was selected, so that a resumed run trains the same entries."""
    about = {name: getattr(learned, name) for name in MASK_NOTES}
    write_tensors(path, learned.positions, about)


def read_mask(path: Path, learner: Learner, listener: Listener) -> Learned:
    """Read what ``write_mask`` wrote, without values and head, which are learned later."""
    tensors, about = read_tensors(path)
    listener.on_event(Event("select", 1, 1, message=f"The entries were selected before: they are read from {path}."))
    about["spectrum_shapes"] = {name: tuple(shape) for name, shape in about["spectrum_shapes"].items()}
    # In the order of the parameters, not of the file, because the rounding of sums (as in clipping) depends on the order.
    device = next(iter(learner.trainable.values())).device
    return Learned({name: tensors[name].to(device) for name in learner.trainable}, {}, {}, **about)
