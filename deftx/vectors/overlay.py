"""The values of several sparse vectors at all positions that any of them changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deftx.vectors.apply import Scaled


@dataclass(frozen=True)
class Overlay:
    """Flat, ascending positions (n,) of a parameter, and s·φ of each vector there, (vectors, n); 0 for no entry."""

    positions: Tensor
    values: Tensor

    def sums(self) -> Tensor:
        """Return Σ s·φ at each position, in float64, so that opposite values give exactly 0."""
        return self.values.sum(0, dtype=torch.float64)

    def conflicts(self) -> Tensor:
        """Return for each position whether its values have different signs."""
        return (self.values > 0).any(0) & (self.values < 0).any(0)


def overlay(vectors: Sequence[Scaled], name: str) -> list[Overlay]:
    """Return the values of all vectors at one parameter, in parts without common positions."""
    parts: list[Overlay] = []
    for row, (vector, strength) in enumerate(vectors):
        if not strength or name not in vector.positions:
            continue
        positions, values = vector.positions[name].cpu(), vector.values[name].cpu() * strength
        for part in parts:
            # numpy's search is faster, as it exploits that the positions ascend.
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
