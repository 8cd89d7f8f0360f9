"""How a device computes: in which precision, and by which algorithms."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.training.trainable import Entries


@dataclass(frozen=True)
class Products:
    """Where matrix products are computed, and whether in bfloat16; the masters stay float32 in every precision."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> torch.autocast:
        """Return a context in which matrix products have the precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss up; bfloat16 has the range of float32 and needs no scaling."""
        loss.backward()

    def clip_grad_norm_(self, parameters: list[Tensor], longest: float) -> Tensor:
        """Shorten all gradients together to a norm of ``longest``, and return the norm that they had."""
        return torch.nn.utils.clip_grad_norm_(parameters, longest)


def accelerator_for(entries: Entries, precision: str) -> Products:
    """Return how the device that holds the entries multiplies: "auto", "bfloat16" or "float32"."""
    device = next(iter(entries.compact.values())).device
    return Products(device, has_bfloat16(device) if precision == "auto" else precision == "bfloat16")


def has_bfloat16(device: torch.device) -> bool:
    """Say whether the device multiplies bfloat16 matrices natively: emulated, they are slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


@contextmanager
def reproducible(device: torch.device) -> Iterator[None]:
    """Have torch use deterministic algorithms on a CPU; on a GPU some of them are slow, and some are missing."""
    before = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(before[0] or device.type == "cpu")
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid, which costs time
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.utils.deterministic.fill_uninitialized_memory = before[1]
