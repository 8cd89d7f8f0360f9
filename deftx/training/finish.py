"""The end of a training run: writing the vector, its description and scores, and removing the checkpoints."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from transformers import PreTrainedModel

from deftx.core.errors import RecipeError, TrainingError, VectorError
from deftx.core.events import Listener
from deftx.core.files import WRITING, expanded
from deftx.core.names import base_name
from deftx.method.parameter_kinds import count_by_part
from deftx.models.bases import Base
from deftx.training import distributed
from deftx.training.continuing import train_further
from deftx.training.learned import Learned, Learner
from deftx.training.loop import stoppable
from deftx.training.parts import ENDING, part
from deftx.training.pipeline import learn
from deftx.training.recipes import Recipe
from deftx.vectors.description import CALIBRATION
from deftx.vectors.lifting import lift
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import CARD, INFO, TENSORS

FINISHED = ".finished"  # name of the run folder while it is deleted; from then on the vector is complete
RUN = "run"  # folder of the checkpoints, inside the vector's folder, until the vector is written


def work_folder(out: str | os.PathLike, delta: str | os.PathLike | None = None) -> tuple[Path, Path]:
    """Return the folders of the vector and of its checkpoints; ``delta`` is the folder for δ, if it is kept.

    Raises:
        RecipeError: If the folder contains other files. Nothing is overwritten.
    """
    out = expanded(out)
    if (out / FINISHED).is_dir():  # left by an interruption
        shutil.rmtree(out / FINISHED, ignore_errors=True)
    if (out / INFO).exists() and not (out / RUN).is_dir():
        raise RecipeError(f"{out} already contains a vector. Choose another folder, or delete that one first.")
    if out.exists() and not out.is_dir():
        raise RecipeError(f"{out} is a file; the vector needs a folder.")
    names = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    if names and (RUN not in names or not all(map(_is_ours, names))):
        raise RecipeError(f"{out} is not empty. Choose another folder for the vector.")
    if delta is not None and expanded(delta).resolve().is_relative_to(out.resolve()):
        raise RecipeError(f"δ cannot be kept inside {out}, the folder of the vector. Choose a folder outside of it.")
    return out, out / RUN


def _is_ours(name: str) -> bool:
    """Return whether an interrupted training run can leave a file of this name."""
    return name in (RUN, TENSORS, CARD, INFO) or name.startswith(WRITING)


def finish(
    learner: Learner,
    base: Base,
    recipe: Recipe,
    out: Path,
    run: Path,
    delta: str | os.PathLike | None,
    listener: Listener,
    scores: Callable[[PreTrainedModel], dict],
    corpus: dict,
    *,
    language: str | None = None,
    labels: list[str] | None = None,
    lift_to: Base | None = None,
) -> SparseVector:
    """Run the pipeline, score the model, write the vector and delete the checkpoints.

    If ``lift_to`` is another base than ``base``, from which it was trimmed, the vector is lifted to it.

    Raises:
        TrainingError: If the vector cannot be written; the checkpoints are kept.
    """
    if learner.continued is None:
        learned = learn(learner, recipe, run, expanded(delta) if delta else None, listener)
    else:
        learned = train_further(learner, learner.continued, recipe, run, listener)
    with part(ENDING):
        with stoppable(learner.model, listener):
            found = scores(learner.model)
        calibration = found.pop(CALIBRATION, None)
        about = {**_about(base, recipe, learned), "corpus": corpus, "scores": found}
        about |= {CALIBRATION: calibration} if calibration else {}
        about["scores"]["history"] = learned.history
        vector = _vector(learner, learned, {"kind": learner.kind, "language": language, "labels": labels, **about})
        if lift_to is not None and lift_to is not base:
            vector = lift(vector, lift_to).vector
        if distributed.is_main():
            _write(vector, recipe, out, run)
        distributed.wait()
    return SparseVector.load(out)


def _vector(learner: Learner, learned: Learned, info: dict) -> SparseVector:
    """Return φ on the CPU; parameters without a selected entry are left out."""
    named = {n: p.cpu() for n, p in learned.positions.items() if len(p)}
    return SparseVector(
        positions=named,
        values={n: learned.values[n].cpu() for n in named},
        head={n: tensor.cpu() for n, tensor in learned.head.items()},
        shapes={n: tuple(learner.trainable[n].shape) for n in named},
        info={
            **info,
            "singular_values": learned.singular_values,
            "spectrum_shapes": {name: list(shape) for name, shape in learned.spectrum_shapes.items()},
        },
    )


def _write(vector: SparseVector, recipe: Recipe, out: Path, run: Path) -> None:
    for unfinished in out.glob(f"{WRITING}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    try:
        vector.save(out, values=recipe.values)
    except VectorError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        raise TrainingError(
            f"{error} The checkpoints are kept in {run}. Free some space and run the same command again."
        ) from error
    run.replace(out / FINISHED)
    shutil.rmtree(out / FINISHED, ignore_errors=True)


def _about(base: Base, recipe: Recipe, learned: Learned) -> dict:
    return {
        "base": {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint},
        **({"trimmed": base.trimmed.to_dict()} if base.trimmed else {}),
        "method": recipe.method,
        "ablate": recipe.ablate,
        "rank": {"strategy": recipe.rank if recipe.method == "deft-x" else "none", "ranks": learned.ranks},
        "k": sum(len(p) for p in learned.positions.values()),
        "filled": learned.filled,
        "mask": count_by_part(learned.positions),
        "recipe": recipe.to_dict(),
        "seed": recipe.seed,
    }
