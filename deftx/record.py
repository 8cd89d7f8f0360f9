"""From a finished training to a vector on disk: where the work lies meanwhile, and what is written about it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from torch import nn

from deftx.bases import Base
from deftx.card import base_name
from deftx.errors import RecipeError
from deftx.events import Listener
from deftx.pipeline import Learned, Learner, learn
from deftx.recipes import Recipe
from deftx.select import by_kind
from deftx.vector import SparseVector

RUN = "run"  # the folder inside a vector's folder that holds checkpoints until the vector is written


def work_folder(out: str | os.PathLike) -> tuple[Path, Path]:
    """Return the folders for the vector and for its checkpoints.

    Raises:
        RecipeError: something else is there already; nothing is overwritten.
    """
    out = Path(out).expanduser()
    if (out / "vector.json").exists():
        raise RecipeError(f"{out} holds a vector already. Choose another folder, or delete that one first.")
    if out.exists() and not out.is_dir():
        raise RecipeError(f"{out} is a file; the vector needs a folder.")
    if out.is_dir() and any(entry.name != RUN for entry in out.iterdir()):
        raise RecipeError(f"{out} is not empty. Choose another folder for the vector.")
    return out, out / RUN


def finish(
    learner: Learner,
    base: Base,
    recipe: Recipe,
    out: Path,
    run: Path,
    delta: str | os.PathLike | None,
    listener: Listener,
    scores: Callable[[nn.Module], dict],
    corpus: dict,
    *,
    language: str | None = None,
    labels: list[str] | None = None,
) -> SparseVector:
    """Run the pipeline, score the model, write the vector and clear the checkpoints away."""
    learned = learn(learner, recipe, run, Path(delta).expanduser() if delta else None, listener)
    info = {
        "kind": learner.kind,
        "language": language,
        "labels": labels,
        "base": {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint},
        **_how(recipe, learned),
        "corpus": corpus,
        "scores": {**scores(learner.model), "history": learned.history},
        "singular_values": learned.singular_values,
        "spectrum_shapes": {name: list(shape) for name, shape in learned.spectrum_shapes.items()},
    }
    shapes = {name: tuple(parameter.shape) for name, parameter in learner.trainable.items()}
    named = {n: p.cpu() for n, p in learned.positions.items() if len(p)}
    vector = SparseVector(
        positions=named,
        values={n: learned.values[n].cpu() for n in named},
        head={n: tensor.cpu() for n, tensor in learned.head.items()},
        shapes={n: shapes[n] for n in named},
        info=info,
    )
    vector.save(out)
    shutil.rmtree(run, ignore_errors=True)
    return SparseVector.load(out)


def _how(recipe: Recipe, learned: Learned) -> dict:
    return {
        "method": recipe.method,
        "ablate": recipe.ablate,
        "rank": {"strategy": recipe.rank if recipe.method == "deft-x" else "none", "ranks": learned.ranks},
        "k": sum(len(p) for p in learned.positions.values()),
        "filled": learned.filled,
        "mask": by_kind(learned.positions),
        "recipe": recipe.to_dict(),
        "seed": recipe.seed,
    }
