"""A Super-Tuning adapter of PEFT as a task vector, where it changes nothing else than a vector can."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.core.files import expanded
from deftx.core.names import base_name
from deftx.hub.client import read_name
from deftx.hub.pull import pull
from deftx.models.bases import Base
from deftx.models.parameters import encoder_parameters, head_parameters
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import file_sha256

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # PEFT's names begin with it
INDICES, VALUES = ".supertuning_indices", ".supertuning_values"
LARGEST_CONFIG = 2**22  # bytes

Entries = tuple[Tensor, Tensor]


def is_peft(source: str | os.PathLike) -> bool:
    """Return whether a folder has an adapter of PEFT."""
    return (expanded(source) / CONFIG).is_file()


def read_peft(source: str | os.PathLike, base: Base, labels: Sequence[str]) -> SparseVector:
    """Read a Super-Tuning adapter of a text classifier as a task vector of ``base``.

    Entries of 0, which change nothing, are left out. What is stored as a whole module becomes the entries that differ from
    the base, so that base and vector together have the adapter's weights, up to the last digit of float32.

    Args:
        source: A folder, or a Hub id.
        base: The base model that the adapter was made for.
        labels: The classes, in the order of the head's outputs.

    Raises:
        VectorError: If the adapter is damaged, is of another method, or changes what a vector cannot hold.
    """
    folder = _find(source)
    try:
        _check_method(_read_config(folder / CONFIG))
        tensors = _read_tensors(folder / TENSORS)
        head = {
            name: tensor.detach()
            for name, tensor in head_parameters(base.classifier_without_head(list(labels))).items()
        }
        entries = {**_sparse(tensors), **_whole(tensors, base, head)}
        vector = SparseVector(
            positions={name: positions for name, (positions, _) in entries.items()},
            values={name: values for name, (_, values) in entries.items()},
            head=_head(tensors, head),
            shapes={name: tuple(base.parameters()[name].shape) for name in _known(entries, base)},
            info={"kind": "task", "labels": list(labels), **_origin(folder / TENSORS, base)},
        )
        vector.info["k"] = vector.count
        vector.validate()
    except VectorError as error:
        raise VectorError(f"{source} cannot be used: {str(error).rstrip('.')}.") from error
    return vector


def _find(source: str | os.PathLike) -> Path:
    if is_peft(source):
        return expanded(source)
    if not expanded(source).exists() and (remote := read_name(os.fspath(source))):
        return pull(remote, needed=(CONFIG, TENSORS))
    raise VectorError(f"{source} has no {CONFIG}: give a folder that PEFT wrote, or a Hub id (owner/name).")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise VectorError(f"its {CONFIG} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise VectorError(f"its {CONFIG} is not a JSON object")
    return found


def _check_method(config: dict[str, Any]) -> None:
    method = str(config.get("peft_type"))
    if method != "SUPERTUNING":
        raise VectorError(
            f"it is an adapter of the method {method}; only SUPERTUNING changes single weights as a vector does"
        )
    if config.get("r"):
        raise VectorError("it adds a low-rank part (r) to the changed weights, which changes every weight of a matrix")


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise VectorError(f"its {TENSORS} cannot be read: {error}") from None
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}


def _sparse(tensors: dict[str, Tensor]) -> dict[str, Entries]:
    """Return the entries of the layers that Super-Tuning changes, without those that only pad."""
    found = {}
    for name in [name for name in tensors if name.endswith(VALUES)]:
        module = name.removesuffix(VALUES)
        values, positions = tensors.pop(name), tensors.pop(f"{module}{INDICES}", None)
        if positions is None or positions.is_floating_point() or positions.shape != values.shape or values.ndim != 1:
            raise VectorError(f"{module} has no position for each of its values")
        changed = values != 0
        positions, order = positions[changed].to(torch.int64).sort()
        found[f"{module}.weight"] = positions, values[changed][order].to(torch.float32)
    return found


def _whole(tensors: dict[str, Tensor], base: Base, head: dict[str, Tensor]) -> dict[str, Entries]:
    """Return the entries in which modules that are stored whole differ from the base."""
    trained, encoder, found = base.parameters(), encoder_parameters(base.model), {}
    for name, tensor in tensors.items():
        if name in head:
            continue
        if name not in encoder or tensor.shape != encoder[name].shape:
            raise VectorError(
                f"it has {name}, which the base {base.name} does not have in the shape {tuple(tensor.shape)}"
            )
        change = (tensor.to(torch.float32) - encoder[name].detach().cpu()).flatten()
        positions = change.nonzero().flatten()
        if len(positions) and name not in trained:
            raise VectorError(f"it changes {name}; a vector changes no normalisation layer")
        if len(positions):
            found[name] = positions, change[positions]
    return found


def _head(tensors: dict[str, Tensor], head: dict[str, Tensor]) -> dict[str, Tensor]:
    for name, tensor in head.items():
        if name not in tensors or tensors[name].shape != tensor.shape:
            raise VectorError(
                f"its head has no {name} of the shape {tuple(tensor.shape)}, which a classifier of these labels needs"
            )
    return {name: tensors[name].to(torch.float32, copy=True) for name in head}


def _known(entries: dict[str, Entries], base: Base) -> list[str]:
    trained = base.parameters()
    if unknown := [name for name in entries if name not in trained]:
        raise VectorError(f"it changes {unknown[0]}, which the base {base.name} does not train")
    return list(entries)


def _origin(file: Path, base: Base) -> dict[str, Any]:
    return {
        "format_version": 1,
        "base": {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint},
        "method": "super-tuning",
        "source": {"file": TENSORS, "sha256": file_sha256(file)},
    }
