"""Checks of a vector's entries: types, lengths, order, range, and finite values."""

import torch
from torch import Tensor

from deftx.core.errors import VectorError


def check_entries(name: str, positions: Tensor, values: Tensor, size: int) -> None:
    """Raise VectorError unless positions ascend strictly within ``size`` entries, and each has a finite float32 value."""
    if positions.dtype != torch.int64 or positions.ndim != 1 or values.ndim != 1:
        raise VectorError(f"{name}: positions must be one-dimensional 64-bit integers, values one-dimensional numbers.")
    if len(positions) != len(values):
        raise VectorError(f"{name} has {len(positions):,} positions, but {len(values):,} values.")
    check_numbers(name, values)
    if not len(positions):
        return
    if not bool((positions[1:] > positions[:-1]).all()):
        raise VectorError(f"{name}: positions are not strictly ascending.")
    if int(positions[0]) < 0 or int(positions[-1]) >= size:
        outside = int(positions[0]) if int(positions[0]) < 0 else int(positions[-1])
        raise VectorError(f"{name}: position {outside:,} is outside its {size:,} entries.")


def check_numbers(name: str, tensor: Tensor) -> None:
    """Raise VectorError unless a tensor is float32 and finite."""
    if tensor.dtype != torch.float32:
        raise VectorError(f"{name} has the dtype {tensor.dtype}, not float32.")
    if not bool(torch.isfinite(tensor).all()):
        raise VectorError(f"{name} contains values that are not finite (NaN or infinity).")
