"""Reading and writing ``pytorch_diff.bin``, the file of LT-SFT (Ansell et al. 2022, cambridgeltl/composable-sft).

The file is a torch pickle: ``{"diffs": {name: {"size", "index_steps", "values"}}, "abs": {name: dense head tensor}}``.
Flat indices are column-major (the first axis varies fastest); ``index_steps`` contains the first index, then differences.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.core.files import expanded, replacing_files
from deftx.core.names import base_name
from deftx.hub.client import read_name
from deftx.hub.pull import pull
from deftx.vectors.fitting import BaseLike
from deftx.vectors.lt_sft_contents import is_plain, read_contents
from deftx.vectors.lt_sft_heads import head_tensor, kind_of, labels_of
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import file_sha256

FILE = "pytorch_diff.bin"


def read_lt_sft(path: str | os.PathLike, base: BaseLike, labels: Sequence[str] | None = None) -> SparseVector:
    """Read an LT-SFT vector for ``base``.

    Args:
        path: The file ``pytorch_diff.bin``, its folder, or a Hub id.
        base: The base model that the vector was trained on.
        labels: The classes of a task vector, which the file does not name. By default "0", "1", ….

    Returns:
        A task vector if the file has a classification head, else a language vector.

    Raises:
        VectorError: If the file is damaged, contains anything but tensors and numbers, or does not match the base.
    """
    file = _find(path)
    diffs, head = read_contents(file)
    parameters = base.parameters()
    try:
        kind = kind_of(head)
        unknown = [name for name, diff in diffs.items() if name not in parameters and not _is_empty(diff)]
        if unknown:
            names = ", ".join(unknown[:10]) + (" and others" if len(unknown) > 10 else "")
            raise VectorError(f"it changes parameters that the base {base.name} does not train: {names}")
        shapes = {name: tuple(parameters[name].shape) for name in diffs if name in parameters}
        entries = {name: _decode(name, diffs[name], shape) for name, shape in shapes.items()}
        vector = SparseVector(
            positions={name: positions for name, (positions, _) in entries.items()},
            values={name: values for name, (_, values) in entries.items()},
            head={name: head_tensor(name, tensor) for name, tensor in head.items()},
            shapes=shapes,
            info={"kind": kind, "labels": labels_of(head, labels) if kind == "task" else [], **_origin(file, base)},
        )
        vector.info["k"] = vector.count
        vector.validate()
    except VectorError as error:
        raise VectorError(f"{file} cannot be used: {str(error).rstrip('.')}.") from error
    return vector


def write_lt_sft(vector: SparseVector, base: BaseLike, folder: str | os.PathLike) -> Path:
    """Write ``vector`` as ``pytorch_diff.bin`` into ``folder``, readable by the published LT-SFT code; return the file.

    Every parameter of the base is listed, unchanged ones too. Parameters of three or more dimensions are written
    correctly, but the published code decodes only one or two.

    Args:
        vector: The vector.
        base: The base model that it was made for.
        folder: The folder, which is created if needed.

    Raises:
        VectorError: If the vector was made for another base, or the file cannot be written.
    """
    vector.check_base(base)
    nothing = torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.float32)
    diffs = {}
    for name, parameter in base.parameters().items():
        entries = (vector.positions[name], vector.values[name]) if name in vector.positions else nothing
        diffs[name] = _encode(*entries, tuple(parameter.shape))
    head = {name: tensor.detach().cpu().clone() for name, tensor in vector.head.items()}
    target = expanded(folder) / FILE
    try:
        with replacing_files(target.parent, [FILE]) as fresh:  # torch writes the file's name into the file
            torch.save({"diffs": diffs, "abs": head}, fresh / FILE)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise VectorError(f"{target} cannot be written: {error}.") from error
    return target


def _find(path: str | os.PathLike) -> Path:
    name = os.path.expanduser(os.fspath(path))
    if os.path.isfile(name):
        return Path(name)
    if os.path.isdir(name):
        if os.path.isfile(os.path.join(name, FILE)):
            return Path(name, FILE)
        raise VectorError(f"The folder {path} contains no {FILE}: it is not an LT-SFT vector.")
    if remote := read_name(name):
        return pull(remote, needed=(FILE,)) / FILE
    raise VectorError(f"{path} does not exist: give an LT-SFT folder, its {FILE}, or a Hub id (owner/name).")


def _is_empty(diff: Any) -> bool:
    return isinstance(diff, dict) and diff.get("index_steps") == [] and is_plain(diff.get("values"), dims=1, length=0)


def _decode(name: str, diff: Any, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the row-major ascending positions (n,) int64 and values (n,) float32 of one parameter."""
    if not isinstance(diff, dict) or diff.keys() != {"size", "index_steps", "values"}:
        raise VectorError(f"{name} does not have 'size', 'index_steps' and 'values'")
    size, steps, values = diff["size"], diff["index_steps"], diff["values"]
    if not isinstance(size, (torch.Size, tuple, list)) or tuple(size) != shape:
        raise VectorError(f"{name} does not have its shape in the base, {shape}")
    if not isinstance(steps, list) or not set(map(type, steps)) <= {int}:
        raise VectorError(f"{name} has index steps that are not a list of integers")
    if not is_plain(values, dims=1, length=len(steps)):
        raise VectorError(f"{name} does not have one value for each of its {len(steps):,} indices")
    if not steps:
        return torch.empty(0, dtype=torch.int64), values.detach().float().clone()
    entries = int(np.prod(shape))
    if steps[0] < 0 or min(steps[1:], default=1) < 1 or sum(steps) >= entries:
        raise VectorError(f"{name} has indices that do not ascend within its {entries:,} entries")
    column_major = np.cumsum(np.array(steps, dtype=np.int64))
    positions = np.ravel_multi_index(np.unravel_index(column_major, shape, order="F"), shape)
    order = np.argsort(positions)
    return torch.from_numpy(positions[order]), values.detach().float()[torch.from_numpy(order)]


def _encode(positions: Tensor, values: Tensor, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the inverse of ``_decode``, in the format of the published code."""
    indices = np.ravel_multi_index(np.unravel_index(positions.cpu().numpy(), shape), shape, order="F")
    order = np.argsort(indices)
    steps = np.diff(indices[order], prepend=0)
    # The published code writes the first index as a NumPy integer and the rest as int.
    return {
        "size": torch.Size(shape),
        "index_steps": [*steps[:1], *steps[1:].tolist()],
        "values": values.detach().cpu()[torch.from_numpy(order)],
    }


def _origin(file: Path, base: BaseLike) -> dict[str, Any]:
    return {
        "format_version": 1,
        "base": {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint},
        "method": "lt-sft",
        "rank": {"strategy": "none", "ranks": {}},
        "source": {"file": FILE, "sha256": file_sha256(file)},
    }
