"""Precision and algorithms of a device."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deftx.training.trainable import Entries


@dataclass(frozen=True)
class Products:
    """The device and precision of matrix products. Weights are float32 in every precision."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> torch.autocast:
        """Return a context in which matrix products have this precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def backward(self, loss: Tensor) -> None:
        """Accumulate the gradients of a loss. bfloat16 has the range of float32, so the loss needs no scaling."""
        loss.backward()

    def clip_grad_norm_(self, parameters: list[Tensor], longest: float) -> Tensor:
        """Clip the total norm of all gradients to ``longest`` and return the norm before."""
        return torch.nn.utils.clip_grad_norm_(parameters, longest)


def accelerator_for(entries: Entries, precision: str) -> Products:
    """Return device and precision of products for these entries. ``precision`` is "auto", "bfloat16" or "float32"."""
    device = next(iter(entries.compact.values())).device
    return Products(device, has_bfloat16(device) if precision == "auto" else precision == "bfloat16")


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 matrices natively; emulation is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


@contextmanager
def reproducible(device: torch.device) -> Iterator[None]:
    """Make torch use deterministic algorithms on a CPU. On a GPU, some are slow and some do not exist."""
    deterministic: Any = torch.utils.deterministic  # a property of the module, which type checkers do not see
    before = torch.are_deterministic_algorithms_enabled(), deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before[0] or device.type == "cpu")
    deterministic.fill_uninitialized_memory = False  # only for debugging, and slow
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        deterministic.fill_uninitialized_memory = before[1]
