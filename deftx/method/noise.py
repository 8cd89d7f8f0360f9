"""The expected spectrum of pure noise, a matrix of independent Gaussian entries, for comparison with an update's."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from deftx.method.ranks import Shape, choose_rank, marchenko_pastur_quantiles, noise_level


@lru_cache(maxsize=64)
def unit_noise(shape: Shape) -> Tensor:
    """Return the expected singular values of an (m, n) matrix of unit noise: (min(m, n),), descending.

    The i-th value is √(max(m, n)·t), where a share (i − ½) / min(m, n) of the Marchenko-Pastur law lies above t. It
    differs from that of a sampled matrix of 768 columns by a few thousandths. The result is cached: do not modify it.
    """
    count = min(shape)
    if not count:
        return torch.zeros(0, dtype=torch.float64)
    above = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return (max(shape) * marchenko_pastur_quantiles(count / max(shape), above)).clamp_min(0).sqrt()


def noise_like(singular_values: Tensor, shape: Shape) -> Tensor | None:
    """Return the spectrum of noise at the level estimated from the median singular value; None if there are too few."""
    level = noise_level(singular_values, shape)
    return None if level is None else level * unit_noise(shape)


@lru_cache(maxsize=1024)
def noise_rank(shape: Shape, strategy: str) -> int:
    """Return the rank that ``strategy`` chooses for pure noise of this shape, which does not depend on its level.

    An update whose rank at variance:0.9 is close to this one shows no structure. "mp" gives 0.
    """
    return choose_rank(unit_noise(shape), shape, strategy)


def cumulative_share(singular_values: Tensor) -> Tensor:
    """Return the share of the energy Σσ² in the first 1, 2, … values; all ones for a matrix of zeros."""
    squares = singular_values.to(torch.float64).square()
    total = float(squares.sum())
    return squares.cumsum(0) / total if math.isfinite(total) and total > 0 else torch.ones_like(squares)
