"""What another rank strategy would make of a run, from its stored spectra alone: ranks, energy kept, noise to compare."""

from dataclasses import dataclass
from statistics import median

from torch import Tensor

from deftx.analysis.spectra import Spectra, Spectrum
from deftx.method.noise import noise_rank
from deftx.method.ranks import SMALLEST, check_strategy, choose_rank, energy_kept
from deftx.vectors.overlaps import LAYER, layer_of

JUDGED_AT = "variance:0.9"  # the paper's choice; whether a matrix has structure must not depend on what is tried out
NEAR = 0.9  # of pure noise's rank: from there on, no structure is found. Our convention, not the paper's


@dataclass(frozen=True)
class Outcome:
    """One matrix under a strategy, and under the paper's beside pure noise of its shape."""

    shape: tuple[int, int]
    rank: int
    energy: float  # share of Σσ² that the rank keeps
    noise: int  # the rank that the strategy gives to pure noise
    against_noise: float | None  # rank at JUDGED_AT, divided by that of pure noise; None where the matrix is too small

    @property
    def structured(self) -> bool | None:
        """Whether the update differs from noise; None where that cannot be told."""
        return None if self.against_noise is None else self.against_noise < NEAR


@dataclass(frozen=True)
class WhatIf:
    """All matrices of a run under a strategy."""

    strategy: str
    matrices: dict[str, Outcome]
    energy: float  # share of the energy of all matrices together

    @property
    def median_rank(self) -> float:
        """The rank in the middle."""
        return median(one.rank for one in self.matrices.values()) if self.matrices else 0.0

    @property
    def unstructured(self) -> list[str]:
        """The matrices in which no structure is found."""
        return [name for name, one in self.matrices.items() if one.structured is False]


def what_if(spectra: Spectra, strategy: str) -> WhatIf:
    """Work out what a strategy would choose; nothing but the stored singular values is looked at.

    Raises RecipeError for a strategy that cannot be read.
    """
    check_strategy(strategy)
    matrices = {name: _outcome(spectrum, strategy) for name, spectrum in spectra.matrices.items()}
    energies = {name: _energy(spectrum.values) for name, spectrum in spectra.matrices.items()}
    total = sum(energies.values())
    kept = sum(matrices[name].energy * energy for name, energy in energies.items())
    return WhatIf(strategy, matrices, kept / total if total else 1.0)


def place_of(parameter: str) -> tuple[str, str]:
    """Split the name of a matrix into its layer ("embeddings", "layer 3", "other") and what it is within it."""
    name = parameter.removesuffix(".weight")
    match = LAYER.search(name)
    return layer_of(parameter), name[match.end() :] if match else name.rpartition(".")[2]


def _outcome(spectrum: Spectrum, strategy: str) -> Outcome:
    values, shape = spectrum.values, (spectrum.shape[0], spectrum.shape[1])
    rank = choose_rank(values, shape, strategy)
    against = None
    if min(shape) >= SMALLEST:
        against = choose_rank(values, shape, JUDGED_AT) / noise_rank(shape, JUDGED_AT)
    return Outcome(shape, rank, energy_kept(values, shape, rank), noise_rank(shape, strategy), against)


def _energy(values: Tensor) -> float:
    return float(values.double().square().sum())
