"""Ascending positions as the gaps between them, a byte for most (docs/vector-format.md)."""

import numpy as np
import torch
from torch import Tensor

from deftx.core.errors import VectorError


def encode_gaps(positions: Tensor) -> Tensor:
    """Write ascending positions (n,) int64 as gaps: a gap g is ⌊g/255⌋ bytes of 255, then one byte g mod 255."""
    gaps = np.diff(positions.numpy(), prepend=-1) - 1  # g = position − previous − 1, with previous = −1 at the start
    full, rest = np.divmod(gaps, 255)
    ends = np.cumsum(full + 1) - 1  # where the last byte of each gap lies
    code = np.full(ends[-1] + 1 if len(ends) else 0, 255, dtype=np.uint8)
    code[ends] = rest
    return torch.from_numpy(code)


def decode_gaps(code: Tensor) -> Tensor:
    """Read positions (n,) int64 back from their gaps (bytes,) uint8; refuses a code that stops within a gap."""
    read = code.numpy()
    if len(read) and read[-1] == 255:
        raise VectorError("its positions stop in the middle of a gap")
    # A byte of 255 moves on by 255; any other byte b closes a gap and moves on by b + 1, the entry itself included.
    reached = np.cumsum(np.where(read == 255, 255, read.astype(np.int64) + 1))
    return torch.from_numpy(reached[read != 255] - 1)
