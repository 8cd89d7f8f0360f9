"""Rank strategies: how many singular values of a weight update are kept as signal, and the noise levels that say so.

A strategy is written "name:parameter", or the name alone where there is no parameter. ``STRATEGIES`` is the whole list.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import DeftxError, RecipeError, TrainingError, unknown_name

# Below this share of σ1 a singular value is rounding and counts as zero: the Gram matrix squares (see spectrum.py), and
# all that is left out this way holds less than 1e-9 of the variance of a 768-column matrix.
RESOLUTION = 1e-6
SMALLEST = 8  # rows or columns below which a spectrum is too short to tell noise from signal

Shape = tuple[int, int]


def _by_variance(values: Tensor, shape: Shape, share: float) -> int:
    """Return the least r with σ1² + … + σr² >= share·Σσ²."""
    cumulative = values.square().cumsum(0)
    wanted = share * cumulative[-1] * (1 - 1e-12)  # a sum of the same numbers in another order must still reach it
    return min(int((cumulative < wanted).sum()) + 1, len(values))


def _uniform(values: Tensor, shape: Shape, rank: int) -> int:
    return min(rank, len(values))


def _above_optimal_threshold(values: Tensor, shape: Shape, parameter: None) -> int:
    threshold = optimal_threshold(values, shape)
    return len(values) if threshold is None else int((values > threshold).sum())


def _above_noise_edge(values: Tensor, shape: Shape, parameter: None) -> int:
    edge = noise_edge(values, shape)
    return len(values) if edge is None else int((values > edge).sum())


def _everything(values: Tensor, shape: Shape, parameter: None) -> int:
    return len(values)


@dataclass(frozen=True)
class Parameter:
    """The number that a strategy takes: what it means, how it is read, and what it may be."""

    meaning: str
    read: Callable[[str], float]
    accepts: Callable[[float], bool]
    allowed: str
    example: str


@dataclass(frozen=True)
class Strategy:
    """One way to choose a rank: ``function(values, shape, parameter)``, where it comes from, and its parameter."""

    name: str
    function: Callable[[Tensor, Shape, Any], int]  # of the parameter's type; None without one
    reference: str
    parameter: Parameter | None = None

    @property
    def example(self) -> str:
        """The strategy as a person writes it."""
        return f"{self.name}:{self.parameter.example}" if self.parameter else self.name


_SHARE = Parameter("the share of the variance Σσ² to reach", float, lambda p: 0 < p <= 1, "above 0, up to 1", "0.9")
_RANK = Parameter("the rank, the same for every matrix", int, lambda r: r >= 0, "a whole number from 0 up", "100")

STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("variance", _by_variance, "DeFT-X, section 4.2, after Chang et al. 2022", _SHARE),
        Strategy("uniform", _uniform, "DeFT-X, section 4.2 and appendix D", _RANK),
        Strategy("optimal", _above_optimal_threshold, "Gavish and Donoho 2014, arXiv 1305.5870, unknown noise level"),
        Strategy("mp", _above_noise_edge, "Marchenko and Pastur 1967; noise level from the median singular value"),
        Strategy("none", _everything, "no denoising: L = W, which reduces DeFT-X to LT-SFT"),
    )
}


def choose_rank(singular_values: Tensor, shape: Shape, strategy: str) -> int:
    """Return the rank r, from 0 to min(m, n), that ``strategy`` keeps of a matrix with these singular values.

    ``shape`` (m, n) is the matrix's after its zero rows and columns are dropped. ``singular_values`` descend; those
    past min(m, n) are the zeros of what was dropped and are ignored. A matrix of zeros has rank 0. Raises RecipeError
    for a strategy that cannot be read, TrainingError for NaN or infinity, DeftxError for what are no singular values.
    """
    chosen, parameter = _parse(strategy)
    values = _clean(singular_values, shape)
    if not len(values) or values[0] == 0:
        return 0
    return chosen.function(values, shape, parameter)


def check_strategy(text: str) -> None:
    """Raise RecipeError unless ``text`` is a strategy as a person may write it, such as "variance:0.9" or "optimal"."""
    _parse(text)


def noise_level(singular_values: Tensor, shape: Shape) -> float | None:
    """Return s, the standard deviation of the entries if they were noise, or None where too few values tell.

    s = median(σ) / √(max(m, n)·μ_β). It takes the entries as independent: where signal fills more than half of the
    spectrum, it is too high.
    """
    values = _clean(singular_values, shape)
    if len(values) < SMALLEST:
        return None
    return _median(values) / math.sqrt(max(shape) * marchenko_pastur_median(len(values) / max(shape)))


def noise_edge(singular_values: Tensor, shape: Shape) -> float | None:
    """Return s·(√m + √n), the largest singular value that pure noise of this strength would have, or None as above.

    Heavy tails raise values above it that are not signal.
    """
    level = noise_level(singular_values, shape)
    return None if level is None else level * (math.sqrt(shape[0]) + math.sqrt(shape[1]))


def energy_kept(singular_values: Tensor, shape: Shape, rank: int) -> float:
    """Return the share of the energy, σ1² + … + σr² of Σσ², that rank r keeps; 1 of a matrix of zeros."""
    squares = _clean(singular_values, shape).square()
    total = float(squares.sum())
    return float(squares[:rank].sum()) / total if total else 1.0


def optimal_threshold(singular_values: Tensor, shape: Shape) -> float | None:
    """Return ω(β)·median(σ), above which a singular value is worth keeping, or None where too few tell.

    The hard threshold of least squared error when the noise level is unknown (Gavish and Donoho 2014, section III.E),
    with the exact μ_β in place of their cubic fit.
    """
    values = _clean(singular_values, shape)
    if len(values) < SMALLEST:
        return None
    return optimal_coefficient(len(values) / max(shape)) * _median(values)


def optimal_coefficient(beta: float) -> float:
    """Return ω(β) = λ(β) / √μ_β for the aspect ratio 0 < β = min(m, n) / max(m, n) <= 1 (Gavish and Donoho 2014)."""
    # λ(β) = √(2(β+1) + 8β / ((β+1) + √(β²+14β+1))), their equation 11
    coefficient = math.sqrt(2 * (beta + 1) + 8 * beta / ((beta + 1) + math.sqrt(beta**2 + 14 * beta + 1)))
    return coefficient / math.sqrt(marchenko_pastur_median(beta))


@lru_cache(maxsize=256)
def marchenko_pastur_median(beta: float) -> float:
    """Return μ_β, the median eigenvalue of XᵀX / max(m, n) for unit noise X, 0 < β <= 1, to about 1e-8."""
    return float(marchenko_pastur_quantiles(beta, torch.tensor([0.5], dtype=torch.float64)))


def marchenko_pastur_quantiles(beta: float, above: Tensor) -> Tensor:
    """Return the eigenvalues of XᵀX / max(m, n) above which these shares (n,) of them lie, for unit noise X.

    With t = 1 + β + 2√β·cos(a) the density √((t₊ − t)(t − t₋)) / (2πβt) dt becomes 2·sin²(a) / (π·t) da, which has no
    singularity; its integral from the upper edge, a = 0, is summed by the midpoint rule.
    """
    step = math.pi / 2**16
    angles = (torch.arange(2**16, dtype=torch.float64) + 0.5) * step
    density = 2 / math.pi * angles.sin().square() / (1 + beta + 2 * math.sqrt(beta) * angles.cos())
    mass = density.cumsum(0) * step  # above t at the right end of each step
    last = torch.searchsorted(mass, above).clamp_max(len(mass) - 1)
    reached = (last.double() + 1) * step - (mass[last] - above) / density[last]  # an integer times a float is float32
    return 1 + beta + 2 * math.sqrt(beta) * reached.cos()


def _parse(text: str) -> tuple[Strategy, float | None]:
    name, colon, value = text.strip().partition(":")
    if name not in STRATEGIES:
        raise unknown_name("The rank strategy", name, [strategy.example for strategy in STRATEGIES.values()])
    strategy = STRATEGIES[name]
    parameter = strategy.parameter
    if parameter is None:
        if colon:
            raise RecipeError(f"The rank strategy {name!r} takes no parameter; write {name!r} instead of {text!r}.")
        return strategy, None
    if not value.strip():
        raise RecipeError(f"The rank strategy {name!r} needs {parameter.meaning}; for example {strategy.example!r}.")
    return strategy, _read(strategy, parameter, value)


def _read(strategy: Strategy, parameter: Parameter, value: str) -> float:
    try:
        number = parameter.read(value)
        if parameter.accepts(number):
            return number
    except ValueError:
        pass  # answered below, as is a number out of range
    raise RecipeError(
        f"{value.strip()!r} cannot be used in the rank strategy {strategy.name!r}: {parameter.meaning} must be "
        f"{parameter.allowed}; for example {strategy.example!r}."
    )


def _clean(singular_values: Tensor, shape: Shape) -> Tensor:
    values = torch.as_tensor(singular_values).detach()
    if values.is_complex():
        raise DeftxError(f"Singular values are real numbers; {values.dtype} was given.")
    values = values.to("cpu", torch.float64)
    if len(values) < min(shape):
        raise DeftxError(
            f"A matrix of shape {tuple(shape)} has {min(shape)} singular values, zeros included; "
            f"{len(values)} were given."
        )
    values = values[: min(shape)]
    if not values.isfinite().all():
        raise TrainingError(
            "Among the singular values are some that are not finite (NaN or infinity), so no rank can be chosen. "
            "The training diverged: lower the learning rate and train again."
        )
    return torch.where(values > RESOLUTION * values[:1], values, 0.0)


def _median(values: Tensor) -> float:
    return float(values.quantile(0.5))  # of an even number: the mean of the middle two
