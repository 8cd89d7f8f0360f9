"""Estimate of a training run before it starts: steps, operations, time, memory, disk, and the vector's size."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from deftx.training.data_size import Amount
from deftx.training.model_size import Model
from deftx.training.recipes import Recipe
from deftx.training.run_folder import NOT_RETRAINED, bytes_needed
from deftx.training.speed import Speed

POSITION = 1  # bytes per position of a vector on disk, approximately (docs/vector-format.md)
VALUE = {"float32": 4, "float16": 2, "bfloat16": 2}  # bytes per value
EIGENVECTORS = 9  # operations per cubed side of the Gram matrix (Golub and Van Loan, section 8.3)
DENOISING_RATE = 5e10  # operations per second in float64: half of what two cores reached (docs/benchmarks.md)


def denoising_seconds(delta: Iterable[Tensor]) -> float:
    """Return the estimated seconds to decompose and denoise every matrix of δ, cautiously and whatever the device."""
    shapes = [sorted(one.shape) for one in delta if one.dim() == 2]
    # WᵀW (its lower triangle), its eigenvectors, and the two products of L = WVVᵀ.
    return sum(5 * long * short**2 + EIGENVECTORS * short**3 for short, long in shapes) / DENOISING_RATE


@dataclass(frozen=True)
class Estimate:
    """The estimate of a training run. ``seconds`` is (shortest, longest); sizes are in bytes."""

    dense_steps: int
    sparse_steps: int
    operations: float
    seconds: tuple[float, float]
    memory: float
    disk: int  # during training
    vector: int  # the finished vector
    entries: int  # k

    @property
    def steps(self) -> int:
        """The optimiser steps of both phases."""
        return self.dense_steps + self.sparse_steps


def estimate(
    kind: str, recipe: Recipe, model: Model, amount: Amount, speed: Speed, labels: int = 2, continues: bool = False
) -> Estimate:
    """Estimate a training run of ``kind``. Raise RecipeError if k is too large for the base.

    ``continues`` says that a vector is trained further, without a dense phase.
    """
    dense = 0 if continues else recipe.steps(amount.examples, "dense")
    sparse = 0 if recipe.ablate in NOT_RETRAINED and not continues else recipe.steps(amount.examples, "sparse")
    evaluations = 2 + sum(-(-steps // recipe.evaluate_every) for steps in (dense, sparse))  # also before and after
    filled = amount.examples / (
        recipe.batch_size * -(-amount.examples // recipe.batch_size)
    )  # the last batch is smaller
    operations = filled * (dense + sparse) * model.step_operations(recipe, amount.tokens)
    operations += evaluations * model.evaluation_operations(recipe, amount.held_out)
    selected = recipe.count(model.trainable)
    entries, head = (model.trainable if recipe.ablate == "dense-delta" else selected), model.head(kind, labels)
    return Estimate(
        dense_steps=dense,
        sparse_steps=sparse,
        operations=operations,
        seconds=speed.seconds(operations, dense + sparse),
        memory=model.memory(recipe),
        disk=bytes_needed(model.trainable, head, recipe),
        vector=entries * (VALUE[recipe.values] + POSITION) + 4 * head,
        entries=entries,
    )
