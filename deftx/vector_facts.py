"""A vector in a few numbers: how many weights it changes in each layer, and what its spectra were like."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from deftx.overlaps import in_reading_order, layer_of
from deftx.vector import SparseVector


@dataclass(frozen=True)
class Changed:
    """Weights of a layer that a vector changes, of those in the parameters that it changes there at all."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """The part of them that is changed, 0 to 1."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Spectral:
    """Spectra of δ over all matrices: medians of the rank kept, of the largest possible, and of the energy kept (0 to 1)."""

    matrices: int
    rank: float
    full_rank: float
    energy: float


def changed_by_layer(vector: SparseVector) -> dict[str, Changed]:
    """Count the changed weights of each layer: "embeddings", "layer 0", …, and "other" where needed."""
    counts: dict[str, list[int]] = {}
    for name, shape in vector.shapes.items():
        pair = counts.setdefault(layer_of(name), [0, 0])
        pair[0] += int((vector.values[name] != 0).sum()) if name in vector.values else 0
        pair[1] += math.prod(shape)
    return {group: Changed(*counts[group]) for group in in_reading_order(counts)}


def spectral(info: Mapping[str, Any]) -> Spectral | None:
    """Sum up the spectra that a vector carries; None where it carries none, as one that was made without denoising."""
    ranks = (info.get("rank") or {}).get("ranks") or {}
    spectra = {name: values for name, values in (info.get("singular_values") or {}).items() if name in ranks and values}
    if not spectra:
        return None
    return Spectral(
        len(spectra),
        median(ranks[name] for name in spectra),
        median(len(values) for values in spectra.values()),
        median(_energy(values, ranks[name]) for name, values in spectra.items()),
    )


def _energy(values: list[float], rank: int) -> float:
    squares = [value * value for value in values]
    total = math.fsum(squares)
    return math.fsum(squares[:rank]) / total if total else 0.0
