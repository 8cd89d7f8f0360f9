"""Overlap of the weights that two sparse vectors change (the paper's figures 2 and 3), compared with chance."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deftx.core.errors import VectorError
from deftx.method.parameter_kinds import kind_of, reading_order
from deftx.vectors.description import name_of
from deftx.vectors.shared_weights import NOTHING, Shared
from deftx.vectors.vector import SparseVector

LAYER = re.compile(r"(?:layers?|\.h)\.(\d+)\.")  # also ALBERT's "albert_layers.0." and GPT-2's "transformer.h.0."
EMBEDDINGS = re.compile(r"embed|\.(wte|wpe)\.")


Pairs = Mapping[tuple[int, int], "VectorOverlap"]  # by the indices (i, j), i < j, of two vectors in a list


@dataclass(frozen=True)
class VectorOverlap:
    """Counts on two vectors: in total, by layer ("embeddings", "layer 0", …) and by kind ("query", "output", …)."""

    total: Shared
    layers: dict[str, Shared]
    kinds: dict[str, Shared]


def compare(a: SparseVector, b: SparseVector) -> VectorOverlap:
    """Compare two vectors entry by entry.

    Raises:
        VectorError: If the vectors were made for different bases.
    """
    _refuse_other_base(a.info, b.info)
    every = {name: _shared(a, b, name) for name in {**a.positions, **b.positions}}
    found = {name: shared for name, shared in every.items() if shared.in_a or shared.in_b}  # a file may list others too
    layers, kinds = _grouped(found, layer_of), _grouped(found, lambda name: kind_of(name).name)
    return VectorOverlap(
        sum(found.values(), NOTHING),
        {group: layers[group] for group in sorted(layers, key=_layer_order)},
        {group: kinds[group] for group in sorted(kinds, key=reading_order)},
    )


def compare_all(vectors: Sequence[SparseVector]) -> Pairs:
    """Compare every pair of n vectors."""
    return {(i, j): compare(vectors[i], vectors[j]) for j in range(len(vectors)) for i in range(j)}


def overlap(a: SparseVector, b: SparseVector) -> float:
    """Return |A ∩ B| / |A ∪ B| of the nonzero positions; 0.0 for two empty vectors.

    Args:
        a: A vector, with positions A.
        b: A vector for the same base, with positions B.

    Raises:
        VectorError: If the vectors were made for different bases.
    """
    return compare(a, b).total.overlap


def jaccard_matrix(vectors: Iterable[SparseVector]) -> list[list[float]]:
    """Return ``overlap`` of every two vectors, with 1.0 on the diagonal. Of each vector, only a bit per weight is kept.

    Raises:
        VectorError: If the vectors were made for different bases.
    """
    masks: list[dict[str, np.ndarray]] = []
    first: Mapping[str, Any] | None = None
    for vector in vectors:
        first = first or vector.info
        _refuse_other_base(first, vector.info)
        masks.append({name: _bits(vector, name) for name in vector.positions})
    counts = [sum(_count(bits) for bits in mask.values()) for mask in masks]
    matrix = [[1.0] * len(masks) for _ in masks]
    for i, a in enumerate(masks):
        for j, b in enumerate(masks[:i]):
            both = sum(_count(bits & b[name]) for name, bits in a.items() if name in b)
            matrix[i][j] = matrix[j][i] = Shared(both, 0, counts[i], counts[j], 0, 0.0).overlap
    return matrix


def as_matrix(size: int, pairs: Pairs, value: Callable[[Shared], Any], own: Sequence[Any]) -> list[list[Any]]:
    """Return a symmetric matrix of a value of each pair, with ``own`` on the diagonal."""
    places = range(size)
    return [
        [own[row] if row == column else value(pairs[min(row, column), max(row, column)].total) for column in places]
        for row in places
    ]


def as_tables(names: Sequence[str], pairs: Pairs) -> dict[str, Any]:
    """Return what ``python -m deftx overlap --json`` prints: matrices, and each pair by layer and by kind."""
    ones, nothing = [1.0] * len(names), [None] * len(names)
    return {
        "vectors": list(names),
        "overlap": as_matrix(len(names), pairs, lambda part: part.overlap, ones),
        "chance": as_matrix(len(names), pairs, lambda part: part.chance, nothing),
        "signs": as_matrix(len(names), pairs, lambda part: part.signs, ones),
        "layers": {
            f"{names[i]} – {names[j]}": {layer: part.overlap for layer, part in pair.layers.items()}
            for (i, j), pair in sorted(pairs.items())
        },
        "pairs": [
            {
                "a": names[i], "b": names[j], "total": pair.total.to_dict(),
                "layers": {layer: part.to_dict() for layer, part in pair.layers.items()},
                "kinds": {kind: part.to_dict() for kind, part in pair.kinds.items()},
            }
            for (i, j), pair in sorted(pairs.items())
        ],
    }  # fmt: skip


def layer_of(parameter: str) -> str:
    """Return the group of a parameter: "embeddings", "layer N" or "other"."""
    if match := LAYER.search(parameter):
        return f"layer {int(match[1])}"
    return "embeddings" if EMBEDDINGS.search(parameter) else "other"


def in_reading_order(groups: Iterable[str]) -> list[str]:
    """Sort groups of parameters: embeddings, layer 0, layer 1, …, other."""
    return sorted(groups, key=_layer_order)


def _refuse_other_base(a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    if a["base"]["fingerprint"] != b["base"]["fingerprint"]:
        raise VectorError(
            f"The {name_of(a)} was made for the base {a['base']['name']} and the {name_of(b)} for {b['base']['name']}, which "
            "has other weights, so they cannot be compared."
        )


def _layer_order(group: str) -> tuple[int, int]:
    first, _, number = group.partition(" ")
    return ("embeddings", "layer", "other").index(first), int(number or 0)


def _grouped(found: Mapping[str, Shared], group_of: Callable[[str], str]) -> dict[str, Shared]:
    groups: dict[str, Shared] = {}
    for name, shared in found.items():
        group = group_of(name)
        groups[group] = groups.get(group, NOTHING) + shared
    return groups


def _shared(a: SparseVector, b: SparseVector, name: str) -> Shared:
    in_a, in_b = _changes(a, name), _changes(b, name)
    # Both ascend, so the entries of the shorter one are searched in the longer one.
    (short, short_up), (long, long_up) = sorted((in_a, in_b), key=lambda change: len(change[0]))
    places = np.searchsorted(long, short)
    places[places == len(long)] = 0
    met = long[places] == short if len(long) else np.zeros(0, dtype=bool)
    same = short_up[met] == long_up[places[met]]
    sizes = len(in_a[0]), len(in_b[0])
    weights = math.prod((a if name in a.shapes else b).shapes[name])
    return Shared(int(met.sum()), int(same.sum()), *sizes, weights, sizes[0] * sizes[1] / weights)


def _bits(vector: SparseVector, name: str) -> np.ndarray:
    """Return a bit per weight of a parameter, in words of 64 bits: whether the vector changes it."""
    changed = np.zeros(-(-math.prod(vector.shapes[name]) // 64) * 64, dtype=bool)
    changed[_changes(vector, name)[0]] = True
    return np.packbits(changed).view(np.uint64)


def _count(bits: np.ndarray) -> int:
    return int(np.bitwise_count(bits).sum())


def _changes(vector: SparseVector, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions with nonzero values, and whether each value is positive."""
    if name not in vector.positions:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    values = vector.values[name].cpu().numpy()
    return vector.positions[name].cpu().numpy()[values != 0], values[values != 0] > 0
