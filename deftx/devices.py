"""How a device computes: in which precision, and by which algorithms."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from deftx.entries import Entries


def accelerator_for(entries: Entries, precision: str) -> Accelerator:
    """Set up accelerate for the device that holds the entries; the masters stay float32 in every precision."""
    device = next(iter(entries.compact.values())).device
    bfloat16 = has_bfloat16(device) if precision == "auto" else precision == "bfloat16"
    # accelerate remembers device and precision for the whole process; each training chooses its own.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device.type == "cpu", mixed_precision="bf16" if bfloat16 else "no")


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
