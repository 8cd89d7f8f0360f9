"""Weights in 8 bits: a whole number from −127 to 127 for each weight and a scale for each row (docs/base.md)."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

WHOLE, PACKED = "model.safetensors", "model.int8.safetensors"
SCALE = ".scale"  # ends the name of the scales of a matrix
LARGEST = 127


def pack(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return each matrix (rows, …) as int8 with its scales (rows,) float32; vectors stay, in float32.

    A row's scale is its largest magnitude / 127, and a weight becomes the whole number nearest to weight / scale.
    """
    packed = {}
    for name, weight in weights.items():
        weight = weight.float()
        if weight.dim() < 2:
            packed[name] = weight
            continue
        rows = weight.flatten(1)
        scales = rows.abs().amax(1) / LARGEST
        numbers = (rows / scales.where(scales > 0, 1.0)[:, None]).round().clamp(-LARGEST, LARGEST)
        packed |= {name: numbers.to(torch.int8).view_as(weight), name + SCALE: scales}
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return float32 weights: whole number × the scale of its row, one float32 product each.

    Raises ValueError where a matrix has not one scale for each row.
    """
    weights = {}
    for name, numbers in packed.items():
        if numbers.dtype == torch.int8:
            scales = packed.get(name + SCALE)
            if scales is None or scales.shape != numbers.shape[:1] or scales.dtype != torch.float32:
                raise ValueError(f"its {name} has not one scale for each row.")
            weights[name] = numbers * scales.view(-1, *[1] * (numbers.dim() - 1))
        elif not name.endswith(SCALE):
            weights[name] = numbers
    return weights


def read_packed(folder: str | os.PathLike) -> dict[str, Tensor] | None:
    """Read the weights of a base that is stored in 8 bits; None for a folder, or a Hub id, that is not."""
    file = Path(folder) / PACKED
    return unpack(load_file(file)) if file.is_file() else None


def pack_folder(folder: str | os.PathLike) -> None:
    """Replace ``model.safetensors`` in a transformers folder by the same weights in 8 bits."""
    whole = Path(folder) / WHOLE
    save_file(pack(load_file(whole)), whole.with_name(PACKED), metadata={"format": "pt"})
    whole.unlink()
