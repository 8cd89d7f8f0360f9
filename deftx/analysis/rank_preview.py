"""Preview of another rank strategy from the stored spectra of a run: ranks, energy kept, and comparison with noise."""

from dataclasses import dataclass
from statistics import median

from torch import Tensor

from deftx.analysis.spectra import Spectra, Spectrum
from deftx.method.noise import noise_rank
from deftx.method.ranks import SMALLEST, check_strategy, choose_rank, energy_kept
from deftx.vectors.overlaps import LAYER, layer_of

JUDGED_AT = "variance:0.9"  # the paper's strategy, so that the test for structure does not depend on the previewed one
NEAR = 0.9  # from this share of the rank of pure noise, a matrix has no structure (our convention, not the paper's)


@dataclass(frozen=True)
class Outcome:
    """One matrix under a strategy, compared with pure noise of its shape."""

    shape: tuple[int, int]
    rank: int
    energy: float  # share of Σσ² that the rank keeps
    noise: int  # the rank that the strategy chooses for pure noise
    against_noise: float | None  # rank at JUDGED_AT divided by that of pure noise; None if the matrix is too small

    @property
    def structured(self) -> bool | None:
        """Whether the update differs from noise; None if unknown."""
        return None if self.against_noise is None else self.against_noise < NEAR


@dataclass(frozen=True)
class WhatIf:
    """All matrices of a run under a strategy."""

    strategy: str
    matrices: dict[str, Outcome]
    energy: float  # share of the energy of all matrices together

    @property
    def median_rank(self) -> float:
        """The median rank."""
        return median(one.rank for one in self.matrices.values()) if self.matrices else 0.0

    @property
    def unstructured(self) -> list[str]:
        """The matrices without structure."""
        return [name for name, one in self.matrices.items() if one.structured is False]


def what_if(spectra: Spectra, strategy: str) -> WhatIf:
    """Return the ranks that a strategy would choose, from the stored singular values.

    Raises RecipeError for an invalid strategy.
    """
    check_strategy(strategy)
    matrices = {name: _outcome(spectrum, strategy) for name, spectrum in spectra.matrices.items()}
    energies = {name: _energy(spectrum.values) for name, spectrum in spectra.matrices.items()}
    total = sum(energies.values())
    kept = sum(matrices[name].energy * energy for name, energy in energies.items())
    return WhatIf(strategy, matrices, kept / total if total else 1.0)


def place_of(parameter: str) -> tuple[str, str]:
    """Split the name of a matrix into its layer ("embeddings", "layer 3", "other") and its name within the layer."""
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
