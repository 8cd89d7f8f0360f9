"""Change of the mask with another rank strategy: δ is denoised and selected again, and compared with an existing mask.

This needs δ itself, because the singular values alone do not determine the mask, and vectors store no singular vectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.method.denoising import denoise
from deftx.method.ranks import check_strategy, choose_rank
from deftx.method.select import select_with_fill
from deftx.method.spectrum import decompose
from deftx.training.checkpoints import read_tensors
from deftx.training.recipes import Recipe


@dataclass(frozen=True)
class MaskChange:
    """Size of a new mask, and how many of its entries are in the mask that it is compared with."""

    k: int
    shared: int
    before: int  # entries of the other mask
    filled: int  # entries selected from δ because δ̂ had too few

    @property
    def changed(self) -> float:
        """The share of the new mask that is not in the other mask."""
        return 1 - self.shared / self.k


def read_delta(path: Path) -> dict[str, Tensor]:
    """Read a kept δ by parameter.

    Raises:
        VectorError: If the file does not exist.
        TrainingError: If the file is damaged.
    """
    if not path.is_file():
        raise VectorError("δ of this training run no longer exists; the dense phase would have to run again.")
    tensors, _ = read_tensors(path)
    return {name.removeprefix("delta."): tensor for name, tensor in tensors.items() if name.startswith("delta.")}


@torch.no_grad()
def select_under(delta: Mapping[str, Tensor], strategy: str, recipe: Recipe) -> tuple[dict[str, Tensor], int]:
    """Return the mask μ that ``recipe`` selects from δ with this rank strategy, and how many entries come from δ itself.

    Raises RecipeError for an invalid strategy.
    """
    check_strategy(strategy)
    keep = 0.0 if recipe.ablate == "no-residual" else recipe.keep
    denoised = dict(delta)
    for name, weight in delta.items():
        if weight.dim() == 2:
            parts = decompose(weight)
            denoised[name] = denoise(weight, choose_rank(parts.values, parts.shape, strategy), keep, parts)
    return select_with_fill(denoised, delta, recipe.count(sum(weight.numel() for weight in delta.values())))


def compare_masks(new: Mapping[str, Tensor], filled: int, old: Mapping[str, Tensor]) -> MaskChange:
    """Compare two masks, given as ascending positions by parameter."""
    shared = sum(
        int(torch.isin(positions, old[name], assume_unique=True).sum())
        for name, positions in new.items()
        if name in old
    )
    return MaskChange(sum(map(len, new.values())), shared, sum(map(len, old.values())), filled)
