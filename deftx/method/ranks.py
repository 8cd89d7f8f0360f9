"""Rank strategies: how many singular values of a weight update count as signal, and estimates of the noise level.

A strategy is written as "name:parameter", or "name" if it has no parameter. ``STRATEGIES`` lists all of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import DeftxError, RecipeError, TrainingError, unknown_name

# Singular values below this share of σ1 are rounding errors (the Gram matrix squares W, see spectrum.py) and count as zero.
# Together they contain less than 1e-9 of the variance of a 768-column matrix.
RESOLUTION = 1e-6
SMALLEST = 8  # with fewer rows or columns, a spectrum is too short to estimate the noise level

Shape = tuple[int, int]


def _by_variance(values: Tensor, shape: Shape, share: float) -> int:
    """Return the smallest r with σ1² + … + σr² >= share·Σσ²."""
    cumulative = values.square().cumsum(0)
    wanted = share * cumulative[-1] * (1 - 1e-12)  # tolerance, since sums in another order round differently
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
    """The parameter of a strategy: its meaning, how to read it, and which values are allowed."""

    meaning: str
    read: Callable[[str], float]
    accepts: Callable[[float], bool]
    allowed: str
    example: str


@dataclass(frozen=True)
class Strategy:
    """A way to choose a rank: ``function(values, shape, parameter)``, its reference and its parameter."""

    name: str
    function: Callable[[Tensor, Shape, Any], int]  # of the parameter's type; None without one
    reference: str
    parameter: Parameter | None = None

    @property
    def example(self) -> str:
        """The strategy as text, with an example value of its parameter."""
        return f"{self.name}:{self.parameter.example}" if self.parameter else self.name


_SHARE = Parameter("the share of the variance Σσ² to reach", float, lambda p: 0 < p <= 1, "above 0, up to 1", "0.9")
_RANK = Parameter("the rank, the same for every matrix", int, lambda r: r >= 0, "an integer, 0 or more", "100")

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
    """Return the rank r, from 0 to min(m, n), that ``strategy`` chooses for a matrix with these singular values.

    A matrix of zeros has rank 0.

    Args:
        singular_values: In descending order. Values after the first min(m, n) are ignored.
        shape: Shape (m, n) of the matrix without its zero rows and columns.
        strategy: For example "variance:0.9", "uniform:100", "optimal", "mp" or "none".

    Raises:
        RecipeError: If the strategy is unknown or its parameter invalid.
        TrainingError: If a singular value is NaN or infinite.
        DeftxError: If there are fewer than min(m, n) values, or they are complex.
    """
    chosen, parameter = _parse(strategy)
    values = _clean(singular_values, shape)
    if not len(values) or values[0] == 0:
        return 0
    return chosen.function(values, shape, parameter)


def check_strategy(text: str) -> None:
    """Raise RecipeError unless ``text`` is a valid strategy such as "variance:0.9" or "optimal"."""
    _parse(text)


def noise_level(singular_values: Tensor, shape: Shape) -> float | None:
    """Return s, the estimated standard deviation of the noise in the entries, or None if there are too few values.

    s = median(σ) / √(max(m, n)·μ_β). This assumes independent entries and is too high if more than half of the singular
    values are signal.
    """
    values = _clean(singular_values, shape)
    if len(values) < SMALLEST:
        return None
    return _median(values) / math.sqrt(max(shape) * marchenko_pastur_median(len(values) / max(shape)))


def noise_edge(singular_values: Tensor, shape: Shape) -> float | None:
    """Return s·(√m + √n), the largest expected singular value of noise at level s, or None if there are too few values.

    Noise with heavy tails can exceed it.
    """
    level = noise_level(singular_values, shape)
    return None if level is None else level * (math.sqrt(shape[0]) + math.sqrt(shape[1]))


def energy_kept(singular_values: Tensor, shape: Shape, rank: int) -> float:
    """Return the share of the energy that rank r keeps, (σ1² + … + σr²) / Σσ²; 1 for a matrix of zeros."""
    squares = _clean(singular_values, shape).square()
    total = float(squares.sum())
    return float(squares[:rank].sum()) / total if total else 1.0


def optimal_threshold(singular_values: Tensor, shape: Shape) -> float | None:
    """Return ω(β)·median(σ), the optimal hard threshold for singular values, or None if there are too few values.

    It minimises the squared error for an unknown noise level (Gavish and Donoho 2014, section III.E), with the exact μ_β
    in place of their cubic approximation.
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
    """Return μ_β, the median eigenvalue of XᵀX / max(m, n) for unit noise X and 0 < β <= 1, exact to about 1e-8."""
    return float(marchenko_pastur_quantiles(beta, torch.tensor([0.5], dtype=torch.float64)))


def marchenko_pastur_quantiles(beta: float, above: Tensor) -> Tensor:
    """Return quantiles of the eigenvalues of XᵀX / max(m, n) for unit noise X: those with the shares ``above`` (n,) above them.

    With t = 1 + β + 2√β·cos(a), the density √((t₊ − t)(t − t₋)) / (2πβt) dt becomes 2·sin²(a) / (π·t) da, which has no
    singularity. It is integrated from the upper edge, a = 0, by the midpoint rule.
    """
    step = math.pi / 2**16
    angles = (torch.arange(2**16, dtype=torch.float64) + 0.5) * step
    density = 2 / math.pi * angles.sin().square() / (1 + beta + 2 * math.sqrt(beta) * angles.cos())
    mass = density.cumsum(0) * step  # above t at the right end of each step
    last = torch.searchsorted(mass, above).clamp_max(len(mass) - 1)
    reached = (last.double() + 1) * step - (mass[last] - above) / density[
        last
    ]  # double, because an integer tensor times a float is float32
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
        pass  # the error below also covers a number out of range
    raise RecipeError(
        f"{value.strip()!r} cannot be used in the rank strategy {strategy.name!r}: {parameter.meaning} must be "
        f"{parameter.allowed}; for example {strategy.example!r}."
    )


def _clean(singular_values: Tensor, shape: Shape) -> Tensor:
    values = torch.as_tensor(singular_values).detach()
    if values.is_complex():
        raise DeftxError(f"Singular values must be real numbers; {values.dtype} was given.")
    values = values.to("cpu", torch.float64)
    if len(values) < min(shape):
        raise DeftxError(
            f"A matrix of shape {tuple(shape)} has {min(shape)} singular values, zeros included; "
            f"{len(values)} were given."
        )
    values = values[: min(shape)]
    if not values.isfinite().all():
        raise TrainingError(
            "Some singular values are not finite (NaN or infinity), so no rank can be chosen. "
            "The training diverged: lower the learning rate and train again."
        )
    return torch.where(values > RESOLUTION * values[:1], values, 0.0)


def _median(values: Tensor) -> float:
    return float(values.quantile(0.5))  # for an even number of values: the mean of the middle two
