"""What pure noise would look like: the spectrum of a matrix of independent Gaussian entries, to compare one with."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from deftx.method.ranks import Shape, choose_rank, marchenko_pastur_quantiles, noise_level


@lru_cache(maxsize=64)
def unit_noise(shape: Shape) -> Tensor:
    """Return the singular values (min(m, n),), descending, that an (m, n) matrix of unit noise is expected to have.

    The i-th is √(max(m, n)·t) with t the eigenvalue above which (i − ½) / min(m, n) of the Marchenko-Pastur law lie:
    within a few thousandths of a sampled matrix of 768 columns. The result is shared: do not change it.
    """
    count = min(shape)
    if not count:
        return torch.zeros(0, dtype=torch.float64)
    above = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return (max(shape) * marchenko_pastur_quantiles(count / max(shape), above)).clamp_min(0).sqrt()


def noise_like(singular_values: Tensor, shape: Shape) -> Tensor | None:
    """Return the spectrum of noise as strong as the median of these values says, or None where too few tell."""
    level = noise_level(singular_values, shape)
    return None if level is None else level * unit_noise(shape)


@lru_cache(maxsize=1024)
def noise_rank(shape: Shape, strategy: str) -> int:
    """Return the rank that ``strategy`` gives to pure noise of this shape, whatever its strength.

    At variance:0.9, an update of nearly this rank shows no structure. "mp" gives 0, for all of it lies below the edge.
    """
    return choose_rank(unit_noise(shape), shape, strategy)


def cumulative_share(singular_values: Tensor) -> Tensor:
    """Return the share of the energy Σσ² that the first 1, 2, … values hold; ones for a matrix of zeros."""
    squares = singular_values.to(torch.float64).square()
    total = float(squares.sum())
    return squares.cumsum(0) / total if math.isfinite(total) and total > 0 else torch.ones_like(squares)
