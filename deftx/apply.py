"""Putting sparse vectors on a model and taking them off again, bit for bit."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deftx.vector import SparseVector

Scaled = tuple[SparseVector, float]
Changes = dict[str, tuple[Tensor, Tensor]]  # per parameter: flat positions, and the values there


def sum_vectors(vectors: Sequence[Scaled]) -> Changes:
    """Return Σ s·φ by parameter, each position once; summed first, so that their order cannot matter."""
    total: Changes = {}
    for name in dict.fromkeys(name for vector, _ in vectors for name in vector.positions):
        parts = [(v.positions[name], v.values[name] * scale) for v, scale in vectors if name in v.positions]
        if len(parts) == 1:
            total[name] = parts[0]
            continue
        positions, place = torch.unique(torch.cat([p for p, _ in parts]), return_inverse=True)
        # In float64 the sum of a few float32 values is exact enough that their order leaves no trace after rounding.
        values = torch.zeros(len(positions), dtype=torch.float64)
        values.index_add_(0, place, torch.cat([v for _, v in parts]).double())
        total[name] = (positions, values.float())
    return total


@torch.no_grad()
def apply_vectors(parameters: Mapping[str, Tensor], vectors: Sequence[Scaled]) -> Changes:
    """Add Σ s·φ to the parameters once, and return the values that stood there, for ``restore``."""
    saved: Changes = {}
    for name, (positions, values) in sum_vectors(vectors).items():
        flat = parameters[name].view(-1)
        positions = positions.to(flat.device)
        saved[name] = (positions, flat[positions])
        flat[positions] += values.to(flat.device)  # θ0 + (s_T·φ_T + s_L·φ_L)
    return saved


@torch.no_grad()
def restore(parameters: Mapping[str, Tensor], saved: Changes) -> None:
    """Put back the saved values: subtracting would leave rounding behind."""
    for name, (positions, values) in saved.items():
        parameters[name].view(-1)[positions] = values
