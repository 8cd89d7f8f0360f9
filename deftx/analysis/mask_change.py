"""How much of the mask another rank would change: δ denoised anew and selected from, against a mask that is there.

This needs δ itself. Its singular values say how much energy a rank keeps, but not where: that lies in the singular
vectors, which no vector stores.
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
    """Entries of the mask that would be selected: how many, and how many of them are in the mask to compare with."""

    k: int
    shared: int
    before: int  # entries of the mask to compare with
    filled: int  # entries that δ̂ could not supply

    @property
    def changed(self) -> float:
        """The share of the new mask that is not in the other one."""
        return 1 - self.shared / self.k


def read_delta(path: Path) -> dict[str, Tensor]:
    """Read a kept δ, parameter by parameter.

    Raises:
        VectorError: the file is gone.
        TrainingError: it is damaged.
    """
    if not path.is_file():
        raise VectorError("δ of this training is not there any more; the dense phase would have to run again.")
    tensors, _ = read_tensors(path)
    return {name.removeprefix("delta."): tensor for name, tensor in tensors.items() if name.startswith("delta.")}


@torch.no_grad()
def select_under(delta: Mapping[str, Tensor], strategy: str, recipe: Recipe) -> tuple[dict[str, Tensor], int]:
    """Return the mask μ that ``recipe`` would select from δ with this rank strategy, and how many entries filled up.

    Raises RecipeError for a strategy that cannot be read.
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
    """Count what two masks (ascending positions by parameter) share; a parameter that one lacks holds none of it."""
    shared = sum(
        int(torch.isin(positions, old[name], assume_unique=True).sum())
        for name, positions in new.items()
        if name in old
    )
    return MaskChange(sum(map(len, new.values())), shared, sum(map(len, old.values())), filled)
