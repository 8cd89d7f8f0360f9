"""Facts about a vector: the number of weights that it changes in each layer, and a summary of its spectra."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from deftx.vectors.overlaps import in_reading_order, layer_of
from deftx.vectors.vector import SparseVector


@dataclass(frozen=True)
class Changed:
    """The number of weights in a layer that a vector changes, and the number of all its weights (of M, if known)."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """The share of changed weights, from 0 to 1."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Spectral:
    """Medians over all matrices of δ: the rank, the full rank, and the share of the energy kept (0 to 1)."""

    matrices: int
    rank: float
    full_rank: float
    energy: float


def changed_by_layer(vector: SparseVector) -> dict[str, int]:
    """Count the changed weights of each layer: "embeddings", "layer 0", …, and "other" if needed."""
    counts: Counter[str] = Counter()
    for name, values in vector.values.items():
        counts[layer_of(name)] += int(torch.count_nonzero(values))
    return {group: counts[group] for group in in_reading_order(counts)}


def sizes_by_layer(shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Count the weights of each layer in parameters of these shapes."""
    counts: Counter[str] = Counter()
    for name, shape in shapes.items():
        counts[layer_of(name)] += math.prod(shape)
    return {group: counts[group] for group in in_reading_order(counts)}


def changed_of(counts: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, Changed]:
    """Combine the counts of changed weights and of all weights by layer."""
    return {layer: Changed(counts.get(layer, 0), size) for layer, size in sizes.items()}


def spectral(info: Mapping[str, Any]) -> Spectral | None:
    """Return a summary of the spectra stored in a vector; None if there are none, as without denoising."""
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
