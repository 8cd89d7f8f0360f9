"""Compression of ascending positions as the gaps between them, mostly one byte each (docs/vector-format.md)."""

import numpy as np
import torch
from torch import Tensor

from deftx.core.errors import VectorError


def encode_gaps(positions: Tensor) -> Tensor:
    """Encode ascending positions (n,) int64 as gaps: a gap g is ⌊g/255⌋ bytes of 255, then one byte g mod 255."""
    gaps = np.diff(positions.numpy(), prepend=-1) - 1  # g = position − previous − 1, with previous = −1 at the start
    full, rest = np.divmod(gaps, 255)
    ends = np.cumsum(full + 1) - 1  # index of the last byte of each gap
    code = np.full(ends[-1] + 1 if len(ends) else 0, 255, dtype=np.uint8)
    code[ends] = rest
    return torch.from_numpy(code)


def decode_gaps(code: Tensor) -> Tensor:
    """Decode positions (n,) int64 from their gaps (bytes,) uint8. Raise VectorError if the last gap is incomplete."""
    read = code.numpy()
    if len(read) and read[-1] == 255:
        raise VectorError("its last position is incomplete")
    # A byte of 255 adds 255; any other byte b ends a gap and adds b + 1, which includes the entry itself.
    reached = np.cumsum(np.where(read == 255, 255, read.astype(np.int64) + 1))
    return torch.from_numpy(reached[read != 255] - 1)
