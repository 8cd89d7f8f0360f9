"""Putting sparse vectors on a model and taking them off again, bit for bit."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from deftx.vectors.vector import SparseVector

Scaled = tuple[SparseVector, float]
Part = tuple[Tensor, Tensor]  # ascending flat positions, and the values there
Changes = dict[str, list[Part]]  # per parameter: parts that have no position in common


def sum_vectors(vectors: Sequence[Scaled], device: torch.device | str = "cpu") -> Changes:
    """Return Σ s·φ by parameter, each position once, on a device; summed first, so that their order cannot matter.

    The sum of a parameter stays in as many parts as it came in: they are put on a model one after the other, which is
    faster than sorting them into one.
    """
    # The float32 sum of two is the same in either order; in float64 more are exact enough to leave no trace of theirs.
    precision = torch.float32 if len(vectors) <= 2 else torch.float64
    total: Changes = {}
    for name in dict.fromkeys(name for vector, _ in vectors for name in vector.positions):
        parts = [(v.positions[name].to(device), v.values[name].to(device) * s)
                 for v, s in vectors if name in v.positions]  # fmt: skip
        sums: list[Part] = []
        for positions, values in sorted(parts, key=lambda part: len(part[0]), reverse=True):
            sums.append(_add_shared(sums, positions, values.to(precision)))
        total[name] = [(positions, values.float()) for positions, values in sums if len(positions)]
    return total


def _add_shared(sums: list[Part], positions: Tensor, values: Tensor) -> Part:
    """Add the entries whose position is in ``sums`` already to the values there; return those that are left."""
    for there, sum_there in (part for part in sums if len(part[0])):
        place = _search(there, positions).clamp_(max=len(there) - 1)
        shared = there.index_select(0, place) == positions
        sum_there.index_add_(0, place[shared], values[shared])
        positions, values = positions[~shared], values[~shared]
    return positions, values


def _search(there: Tensor, positions: Tensor) -> Tensor:
    if there.device.type != "cpu":
        return torch.searchsorted(there, positions)
    # numpy's search makes use of it that both sides ascend; torch's does not.
    return torch.from_numpy(np.searchsorted(there.numpy(), positions.numpy()))


def apply_vectors(parameters: Mapping[str, Tensor], vectors: Sequence[Scaled]) -> Changes:
    """Add Σ s·φ to the parameters once, and return the values that stood there, for ``restore``."""
    saved: Changes = {}
    device = next((p.device for p in parameters.values()), torch.device("cpu"))
    apply_changes(parameters, sum_vectors(vectors, device), saved)
    return saved


@torch.no_grad()
def apply_changes(parameters: Mapping[str, Tensor], changes: Changes, saved: Changes) -> None:
    """Add changes to the parameters, each position once; ``saved`` gets the values that stood there, for ``restore``.

    It gets them before they are replaced, so that what was begun can be undone also where memory runs out half-way.
    """
    for name, parts in changes.items():
        flat = parameters[name].view(-1)
        saved[name] = []
        for positions, values in parts:
            positions = positions.to(flat.device)
            before = flat.index_select(0, positions)
            saved[name].append((positions, before))
            flat.index_copy_(0, positions, before + values.to(flat.device))  # θ0 + (s_T·φ_T + s_L·φ_L)


@torch.no_grad()
def restore(parameters: Mapping[str, Tensor], saved: Changes) -> None:
    """Put back the saved values: subtracting would leave rounding behind."""
    for name, parts in saved.items():
        for positions, values in parts:
            parameters[name].view(-1).index_copy_(0, positions, values)
