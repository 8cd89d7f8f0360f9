"""Methods to merge sparse vectors into one change of the base: the paper's sum, TIES and DARE, each with a report.

They work on positions and values; no dense vector is created. Every method merges the scaled vectors s·φ and ignores vectors
of strength 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import DeftxError, unknown_name
from deftx.vectors.apply import Changes, Part, Scaled, sum_vectors
from deftx.vectors.overlay import Overlay, overlay
from deftx.vectors.vector import SparseVector

PAPER = "sum"


@dataclass(frozen=True)
class VectorReport:
    """What a method did with the nonzero entries of one vector. All counts are 0 if its strength is 0."""

    name: str
    strength: float
    entries: int
    dropped: int  # removed before merging: trimmed by TIES, or dropped at random by DARE
    outvoted: int  # removed because their sign is not the elected one

    @property
    def in_effect(self) -> int:
        """The number of entries that are part of the merged change."""
        return self.entries - self.dropped - self.outvoted


@dataclass(frozen=True)
class MergeReport:
    """What a method did: how many entries several vectors change, and how many of these have different signs."""

    method: str
    entries: int  # entries of the base that any vector changes
    shared: int  # entries that several vectors change
    conflicts: int  # shared entries with values of different signs
    left: int  # conflicts in which values of different signs were still added
    vectors: tuple[VectorReport, ...]

    @property
    def resolved(self) -> int:
        """The number of conflicts that were resolved by removing values of one sign."""
        return self.conflicts - self.left

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary that can be written as JSON."""
        vectors = [{**vars(vector), "in_effect": vector.in_effect} for vector in self.vectors]
        return {**vars(self), "resolved": self.resolved, "vectors": vectors}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method: a number from ``low`` to ``high``, an integer if ``whole``."""

    default: float
    low: float
    high: float
    meaning: str
    whole: bool = False


@dataclass(frozen=True)
class Method:
    """A merge method: a function from scaled vectors and parameters to the change and a report."""

    function: Callable[[Sequence[Scaled], Mapping[str, float]], tuple[Changes, MergeReport]]
    reference: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def merge(
    vectors: Sequence[Scaled], method: str = PAPER, parameters: Mapping[str, float] | None = None
) -> tuple[Changes, MergeReport]:
    """Merge vectors, each with its strength; return the change to add to the base, and a report.

    Raises:
        DeftxError: If the method or a parameter is unknown, or a parameter or strength is out of range, or the change
            is not finite in float32.
    """
    settings = check_method(method, parameters)
    for _, strength in vectors:
        if not math.isfinite(strength):
            raise DeftxError(
                f"{strength} cannot be the strength of a vector: give a finite number; 1 adds it unscaled."
            )
    changes, report = METHODS[method].function(vectors, settings)
    if not all(values.isfinite().all() for parts in changes.values() for _, values in parts):
        raise DeftxError("With these strengths, the changed weights are not finite numbers: choose smaller ones.")
    return changes, report


def check_method(method: str, parameters: Mapping[str, float] | None = None) -> dict[str, float]:
    """Return all parameters of a method, with defaults filled in. Raise DeftxError as ``merge`` does."""
    if method not in METHODS:
        raise unknown_name("The merge method", method, METHODS, DeftxError)
    known = METHODS[method].parameters
    for name, value in (parameters or {}).items():
        if name not in known:
            raise DeftxError(
                f"The merge method {method} has no parameter {name!r}; it has {', '.join(known) or 'none'}."
            )
        wanted = known[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not wanted.low <= value <= wanted.high:
            raise DeftxError(f"{name} = {value!r} is not allowed; {method} takes {wanted.low:g} to {wanted.high:g}.")
        if wanted.whole and value != int(value):
            raise DeftxError(f"{name} = {value!r} is not allowed; {method} takes an integer.")
    return {name: (parameters or {}).get(name, parameter.default) for name, parameter in known.items()}


def add(vectors: Sequence[Scaled], _: Mapping[str, float]) -> tuple[Changes, MergeReport]:
    """Return Σ s·φ, as in the paper; a float64 sum of two values is rounded to that of float32."""
    overlays = _overlays(vectors)
    changes = {name: [(part.positions, part.sums().float()) for part in parts] for name, parts in overlays.items()}
    return changes, _report("sum", vectors, overlays)


def ties(vectors: Sequence[Scaled], settings: Mapping[str, float]) -> tuple[Changes, MergeReport]:
    """Merge by TIES: trim, elect signs, disjoint mean, over the flattened vector as in the authors' notebook.

    Trim: keep the share ``keep`` of each vector's entries with the largest magnitude, over all parameters, ties included.
    Elect: the sign of the sum, or if it is 0, the sign of the total over all entries. Merge: for each entry the mean of the
    nonzero values of that sign, times ``lambda``.
    """
    trimmed = [(_trim(vector, settings["keep"]), strength) for vector, strength in vectors]
    overlays = _overlays(trimmed)
    changes, outvoted = _elect_and_average(overlays, len(vectors), settings["lambda"])
    before = _overlays(vectors) if settings["keep"] < 1 else overlays
    report = _report("ties", vectors, before, after=trimmed)
    counted = tuple(replace(one, outvoted=lost) for one, lost in zip(report.vectors, outvoted, strict=True))
    return changes, replace(report, left=0, vectors=counted)


def dare(vectors: Sequence[Scaled], settings: Mapping[str, float]) -> tuple[Changes, MergeReport]:
    """Merge by DARE: drop each entry with probability ``drop``, divide the others by 1 − ``drop``, and add the vectors.

    Which entries of a vector are dropped depends on ``seed`` and its index, not on the strengths.
    """
    thinned = [
        (_thin(vector, settings["drop"], int(settings["seed"]), place), strength)
        for place, (vector, strength) in enumerate(vectors)
    ]
    left = sum(int(part.conflicts().sum()) for parts in _overlays(thinned).values() for part in parts)
    report = _report("dare", vectors, _overlays(vectors), after=thinned)
    return sum_vectors(thinned), replace(report, left=left)


METHODS: dict[str, Method] = {
    "sum": Method(add, "DeFT-X, section 3.2; Ansell et al. 2022 (2110.07560)"),
    "ties": Method(ties, "Yadav et al. 2023 (2306.01708), the variant of the authors' notebook", {
        "keep": Parameter(1.0, 0.01, 1.0, "share of each vector's entries to keep, the largest first"),
        "lambda": Parameter(1.0, 0.0, 2.0, "strength of the merged vector"),
    }),
    "dare": Method(dare, "Yu et al. 2024 (2311.03099), followed by a sum", {
        "drop": Parameter(0.5, 0.0, 0.99, "probability with which an entry is dropped"),
        "seed": Parameter(42, 0, 2**31 - 1, "seed of the random choice", whole=True),
    }),
}  # fmt: skip


def _trim(vector: SparseVector, keep: float) -> SparseVector:
    """Keep entries with |τ| ≥ the k-th largest. Here k is a share of the nonzero entries; in the paper, of all entries."""
    if not vector.count:
        return vector
    size = torch.cat([values.cpu().abs() for values in vector.values.values()])
    size = size[size != 0]
    wanted = max(1, round(keep * len(size)))
    if wanted >= len(size):
        return vector
    threshold = size.kthvalue(len(size) - wanted + 1).values
    return _only(vector, {name: values.cpu().abs() >= threshold for name, values in vector.values.items()})


def _thin(vector: SparseVector, drop: float, seed: int, place: int) -> SparseVector:
    draw = torch.Generator().manual_seed(seed * 1_000_003 + place)
    # Sorted by name, so that the order of parameters in a file does not matter.
    kept = {name: torch.rand(len(vector.values[name]), generator=draw) >= drop for name in sorted(vector.values)}
    return _only(vector, kept, 1 / (1 - drop))


def _only(vector: SparseVector, kept: Mapping[str, Tensor], factor: float = 1.0) -> SparseVector:
    positions = {name: p.cpu()[kept[name]] for name, p in vector.positions.items()}
    values = {name: v.cpu()[kept[name]] * factor for name, v in vector.values.items()}
    return replace(vector, positions=positions, values=values)


def _overlays(vectors: Sequence[Scaled]) -> dict[str, list[Overlay]]:
    names = dict.fromkeys(name for vector, strength in vectors if strength for name in vector.positions)
    return {name: overlay(vectors, name) for name in names}


def _elect_and_average(overlays: Mapping[str, list[Overlay]], count: int, scale: float) -> tuple[Changes, list[int]]:
    """Return λ·(disjoint mean) by parameter, and for each vector the number of entries whose sign was not elected."""
    signs = {name: [part.sums().sign() for part in parts] for name, parts in overlays.items()}
    majority = sum(float(sign.sum()) for parts in signs.values() for sign in parts)
    outvoted = torch.zeros(count, dtype=torch.int64)
    changes: Changes = {}
    for name, parts in overlays.items():
        changes[name] = []
        for part, sign in zip(parts, signs[name], strict=True):
            # An entry whose sum is 0 gets the majority's sign; if that is 0 too, the notebook uses minus.
            positive = torch.where(sign == 0, torch.full_like(sign, majority), sign) > 0
            agrees = torch.where(positive, part.values > 0, part.values < 0)
            outvoted += ((part.values != 0) & ~agrees).sum(1)
            total = (part.values * agrees).sum(0, dtype=torch.float64)
            mean: Part = (part.positions, (total / agrees.sum(0).clamp(min=1) * scale).float())
            changes[name].append(mean)
    return changes, outvoted.tolist()


def _report(
    method: str, vectors: Sequence[Scaled], overlays: Mapping[str, list[Overlay]], after: Sequence[Scaled] = ()
) -> MergeReport:
    """Return the counts; ``after`` are the vectors without dropped entries. All conflicts count as left."""
    parts = [part for parts in overlays.values() for part in parts]
    conflicts = sum(int(part.conflicts().sum()) for part in parts)
    counted = []
    for (vector, strength), (rest, _) in zip(vectors, after or vectors, strict=True):
        entries, left = (_entries(one) if strength else 0 for one in (vector, rest))
        counted.append(VectorReport(vector.name, strength, entries, entries - left, 0))
    entries = sum(int((part.values != 0).any(0).sum()) for part in parts)
    shared = sum(int(((part.values != 0).sum(0) > 1).sum()) for part in parts)
    return MergeReport(method, entries, shared, conflicts, conflicts, tuple(counted))


def _entries(vector: SparseVector) -> int:
    return sum(int(torch.count_nonzero(values)) for values in vector.values.values())
