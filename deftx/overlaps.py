"""How much two sparse vectors change the same weights (the paper's figures 2 and 3)."""

import re
from collections.abc import Sequence

import numpy as np

from deftx.errors import VectorError
from deftx.vector import SparseVector

LAYER = re.compile(r"layers?\.(\d+)\.")  # also ALBERT's "albert_layers.0."

# Of one parameter: |A ∩ B|, |A|, |B|.
Counts = tuple[int, int, int]


def overlap(a: SparseVector, b: SparseVector) -> float:
    """|A ∩ B| / |A ∪ B| of the non-zero positions; 0.0 for two empty vectors.

    Raises ``VectorError`` for vectors of different bases, whose positions mean different weights.
    """
    return _share(list(_counts(a, b).values()))


def overlap_by_layer(a: SparseVector, b: SparseVector) -> dict[str, float]:
    """The overlap within each group of parameters: "embeddings", "layer 0", "layer 1", …, and "other" where needed."""
    groups: dict[str, list[Counts]] = {}
    for name, counts in _counts(a, b).items():
        groups.setdefault(layer_of(name), []).append(counts)
    return {group: _share(groups[group]) for group in sorted(groups, key=_reading_order)}


def overlap_matrix(vectors: Sequence[SparseVector]) -> list[list[float]]:
    """The overlaps of every two of n vectors: n rows of n numbers, symmetric."""
    matrix = [[0.0] * len(vectors) for _ in vectors]
    for row, a in enumerate(vectors):
        for column, b in enumerate(vectors[: row + 1]):
            matrix[row][column] = matrix[column][row] = overlap(a, b)
    return matrix


def layer_of(parameter: str) -> str:
    """Name the group of a parameter: "embeddings", "layer N" or "other"."""
    if match := LAYER.search(parameter):
        return f"layer {int(match[1])}"
    return "embeddings" if "embed" in parameter else "other"


def _reading_order(group: str) -> tuple[int, int]:
    first, _, number = group.partition(" ")
    return ("embeddings", "layer", "other").index(first), int(number or 0)


def _counts(a: SparseVector, b: SparseVector) -> dict[str, Counts]:
    base_a, base_b = a.info["base"], b.info["base"]
    if base_a["fingerprint"] != base_b["fingerprint"]:
        raise VectorError(
            f"The {a.name} is of the base {base_a['name']}, the {b.name} of {base_b['name']} with other weights: their "
            "positions mean different weights, so they cannot be compared."
        )
    return {name: _count(_nonzero(a, name), _nonzero(b, name)) for name in {**a.positions, **b.positions}}


def _count(a: np.ndarray, b: np.ndarray) -> Counts:
    # Both are ascending, so each entry of the shorter one is looked up in the longer one.
    short, long = sorted((a, b), key=len)
    places = np.searchsorted(long, short)
    inside = places < len(long)
    return int(np.count_nonzero(long[places[inside]] == short[inside])), len(a), len(b)


def _nonzero(vector: SparseVector, name: str) -> np.ndarray:
    if name not in vector.positions:
        return np.empty(0, dtype=np.int64)
    return vector.positions[name].cpu().numpy()[vector.values[name].cpu().numpy() != 0]


def _share(counts: list[Counts]) -> float:
    both, in_a, in_b = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    union = in_a + in_b - both
    return both / union if union else 0.0
