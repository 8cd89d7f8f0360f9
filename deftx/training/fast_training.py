"""Faster dropout and attention for training on a CPU.

torch draws the dropout mask of a CPU tensor in one thread, about 10 ns per element, which is up to a third of a training
step. Here numpy's SFC64 generator draws 16 random bits per element. ``scaled_dot_product_attention`` with dropout has a
slow implementation on a CPU; here it is computed from its definition.

A ``TorchFunctionMode`` intercepts every call of both functions, so the model families need no patches.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import dropout, scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

# For longer inputs in float32 without dropout, torch's fused attention is faster than the definition
# (benchmarks/attention.py; docs/benchmarks.md).
LONGEST = 256
LEVELS = 2**16  # number of random values per element: p is rounded to a multiple of 2⁻¹⁶


def fast_training(device: torch.device, seed: int) -> AbstractContextManager:
    """Return a context with faster dropout and attention on a CPU; on other devices nothing changes.

    The random numbers depend only on ``seed``.
    """
    return FastTraining(seed) if device.type == "cpu" else nullcontext()


class FastTraining(TorchFunctionMode):
    """Replaces dropout and attention of CPU tensors while it is active."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._bits = np.random.SFC64(seed)

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the replacement of ``func`` if there is one, else ``func``."""
        if func is dropout:
            return self.dropout(*args, **(kwargs or {}))
        if func is scaled_dot_product_attention:
            return self.attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Replace ``torch.nn.functional.dropout``; p is rounded to a multiple of 2⁻¹⁶, and the scale uses the rounded p."""
        dropped = round(p * LEVELS)
        if not training or not dropped or dropped == LEVELS:
            return dropout(input, p, training, inplace)
        kept = self.mask(input.numel(), dropped).view(input.shape)
        return (input * kept).mul_(LEVELS / (LEVELS - dropped))

    def mask(self, count: int, dropped: int) -> Tensor:
        """Return a random mask (count,) uint8: 0 with probability dropped / 2¹⁶, else 1."""
        words = self._bits.random_raw(-(-count // 4)).view(np.int16)[:count]
        return (torch.from_numpy(words) >= dropped - LEVELS // 2).view(torch.uint8)

    def attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Replace ``torch.nn.functional.scaled_dot_product_attention``, computed from its definition if that is faster."""
        fused_is_faster = not dropout_p and query.dtype == torch.float32 and query.shape[-2] > LONGEST
        if is_causal or enable_gqa or fused_is_faster:
            return scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
            )
        scores = (query * (scale or 1 / math.sqrt(query.shape[-1]))) @ key.transpose(-2, -1)
        if attn_mask is not None:
            if attn_mask.dtype == torch.bool:
                lowest = torch.finfo(scores.dtype).min
                attn_mask = torch.zeros_like(attn_mask, dtype=scores.dtype).masked_fill_(~attn_mask, lowest)
            scores = scores + attn_mask
        return self.dropout(scores.softmax(-1), dropout_p) @ value
