"""Adding sparse vectors to a model, and restoring the exact previous weights."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from deftx.vectors.vector import SparseVector

Scaled = tuple[SparseVector, float]
Part = tuple[Tensor, Tensor]  # ascending flat positions, and their values
Changes = dict[str, list[Part]]  # per parameter: parts without common positions


def sum_vectors(vectors: Sequence[Scaled], device: torch.device | str = "cpu") -> Changes:
    """Return Σ s·φ by parameter, with each position once, on a device. The order of the vectors does not matter.

    The sum of a parameter has as many parts as there are vectors, because applying them one by one is faster than sorting
    them into one.
    """
    # A float32 sum of two values does not depend on their order; for more, float64 is exact enough.
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
    """Add entries to ``sums`` at the positions that exist there; return the other entries."""
    for known, known_sums in (part for part in sums if len(part[0])):
        place = _search(known, positions).clamp_(max=len(known) - 1)
        shared = known.index_select(0, place) == positions
        known_sums.index_add_(0, place[shared], values[shared])
        positions, values = positions[~shared], values[~shared]
    return positions, values


def _search(known: Tensor, positions: Tensor) -> Tensor:
    if known.device.type != "cpu":
        return torch.searchsorted(known, positions)
    # numpy's search is faster, as it exploits that the positions ascend.
    return torch.from_numpy(np.searchsorted(known.numpy(), positions.numpy()))


def apply_vectors(parameters: Mapping[str, Tensor], vectors: Sequence[Scaled]) -> Changes:
    """Add Σ s·φ to the parameters and return the previous values, for ``restore``."""
    saved: Changes = {}
    device = next((p.device for p in parameters.values()), torch.device("cpu"))
    apply_changes(parameters, sum_vectors(vectors, device), saved)
    return saved


@torch.no_grad()
def apply_changes(parameters: Mapping[str, Tensor], changes: Changes, saved: Changes) -> None:
    """Add changes to the parameters. The previous values are added to ``saved``, for ``restore``.

    They are saved before they are replaced, so that a partial change can be undone if memory runs out.
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
    """Write the saved values back; subtracting the changes would leave rounding errors."""
    for name, parts in saved.items():
        for positions, values in parts:
            parameters[name].view(-1).index_copy_(0, positions, values)


@contextmanager
def applied(parameters: Mapping[str, Tensor], changes: Changes) -> Iterator[None]:
    """Add changes to the parameters inside of the block, and restore the previous values, bit for bit, after it."""
    saved: Changes = {}
    try:
        apply_changes(parameters, changes, saved)
        yield
    finally:
        restore(parameters, saved)
