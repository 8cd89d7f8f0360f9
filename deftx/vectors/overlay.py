"""Several sparse vectors laid over each other: the values that each has at the positions that any of them changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deftx.vectors.apply import Scaled


@dataclass(frozen=True)
class Overlay:
    """Flat, ascending positions (n,) of a parameter, and s·φ of each vector there, (vectors, n); 0 where it has none."""

    positions: Tensor
    values: Tensor

    def sums(self) -> Tensor:
        """Σ s·φ at each position, in float64: equal and opposite values give exactly 0."""
        return self.values.sum(0, dtype=torch.float64)

    def conflicts(self) -> Tensor:
        """Say of each position whether some vector pushes it up and some other down."""
        return (self.values > 0).any(0) & (self.values < 0).any(0)


def overlay(vectors: Sequence[Scaled], name: str) -> list[Overlay]:
    """Lay the vectors over each other at one parameter, in parts that have no position in common."""
    parts: list[Overlay] = []
    for row, (vector, strength) in enumerate(vectors):
        if not strength or name not in vector.positions:
            continue
        positions, values = vector.positions[name].cpu(), vector.values[name].cpu() * strength
        for part in parts:
            # numpy's search makes use of it that both sides ascend; torch's does not.
            place = torch.from_numpy(np.searchsorted(part.positions.numpy(), positions.numpy()))
            place.clamp_(max=len(part.positions) - 1)
            shared = part.positions.index_select(0, place) == positions
            part.values[row, place[shared]] = values[shared]
            positions, values = positions[~shared], values[~shared]
        if len(positions):
            rows = torch.zeros(len(vectors), len(positions))
            rows[row] = values
            parts.append(Overlay(positions, rows))
    return parts
