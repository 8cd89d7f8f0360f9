"""Reading and writing ``pytorch_diff.bin``, the file of LT-SFT (Ansell et al. 2022, cambridgeltl/composable-sft).

The file is a torch pickle: ``{"diffs": {name: {"size", "index_steps", "values"}}, "abs": {name: dense head tensor}}``.
Flat indices are column-major (the first axis varies fastest); ``index_steps`` contains the first index, then differences.
The file is read with torch's restricted unpickler, after a check that its pickles name only the classes listed here.
"""

import os
import pickle
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.core.files import replacing_files
from deftx.core.names import base_name
from deftx.hub.client import read_name
from deftx.hub.pull import pull
from deftx.vectors.archives import check_list
from deftx.vectors.pickles import ForeignPickle, check_pickle
from deftx.vectors.vector import BaseLike, SparseVector
from deftx.vectors.vector_files import check_parameter_name, file_sha256

FILE = "pytorch_diff.bin"

# First part of the names of a head's parameters, and the kind of vector that has this head.
HEADS = {
    "lm_head": "language", "cls": "language", "predictions": "language", "lm_predictions": "language",
    "classifier": "task", "score": "task",
}  # fmt: skip
# Heads of other tasks, by the first part of their names.
OTHER_TASKS = {
    "qa_outputs": "question answering", "start_logits": "question answering", "biaffine": "dependency parsing",
    "seq_relationship": "next sentence prediction", "discriminator_predictions": "the detection of replaced words",
}  # fmt: skip
# The whole head of a token classifier; in every family, that of a text classifier has a layer before it.
TOKEN_CLASSIFIER = {"classifier.weight", "classifier.bias"}


class _NumpyType:
    """Replaces ``numpy.dtype`` during unpickling: it keeps the name of the type and calls no NumPy code."""

    def __init__(self, name: str, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: tuple) -> None:
        if state[1] != "<":
            raise pickle.UnpicklingError("integers are not little-endian")


def _numpy_scalar(kind: Any, data: Any) -> int:
    """Replace NumPy's scalar constructor; the first index of each parameter is a 64-bit NumPy integer."""
    if not isinstance(kind, _NumpyType) or kind.name != "i8" or not isinstance(data, bytes) or len(data) != 8:
        raise pickle.UnpicklingError("a NumPy value other than a 64-bit integer")
    return int.from_bytes(data, "little", signed=True)


ALLOWED = [
    (_NumpyType, "numpy.dtype"),
    (_numpy_scalar, "numpy._core.multiarray.scalar"),
    (_numpy_scalar, "numpy.core.multiarray.scalar"),  # its name in files written with NumPy 1
]
# All names in such files: tensors, their storages, and NumPy's integers.
NAMED = re.compile(
    r"collections\.OrderedDict|_codecs\.encode|torch\.Size|torch\.\w+Storage|numpy\.dtype|numpy\._?core\.multiarray\.scalar"
    r"|torch\._utils\._rebuild_(tensor_v2|parameter|parameter_with_state)"
)
OLDER_PARTS = 5  # pickles at the start of a file in torch's legacy format


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
    diffs, head = _contents(file)
    parameters = base.parameters()
    try:
        kind = _kind(head)
        unknown = [name for name, diff in diffs.items() if name not in parameters and not _is_empty(diff)]
        if unknown:
            names = ", ".join(unknown[:10]) + (" and others" if len(unknown) > 10 else "")
            raise VectorError(f"it changes parameters that the base {base.name} does not train: {names}")
        shapes = {name: tuple(parameters[name].shape) for name in diffs if name in parameters}
        entries = {name: _decode(name, diffs[name], shape) for name, shape in shapes.items()}
        vector = SparseVector(
            positions={name: positions for name, (positions, _) in entries.items()},
            values={name: values for name, (_, values) in entries.items()},
            head={name: _head_tensor(name, tensor) for name, tensor in head.items()},
            shapes=shapes,
            info={"kind": kind, "labels": _labels(head, labels) if kind == "task" else [], **_origin(file, base)},
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
    target = Path(folder) / FILE
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


def _contents(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    contents = _unpickle(file)
    if not isinstance(contents, dict) or "diffs" not in contents or not contents.keys() <= {"diffs", "abs"}:
        raise VectorError(f"{file} is not an LT-SFT vector: its keys are not 'diffs' and 'abs'.")
    diffs, head = contents["diffs"], contents.get("abs", {})
    for part in (diffs, head):
        if not isinstance(part, dict) or not all(isinstance(name, str) for name in part):
            raise VectorError(f"{file} is not an LT-SFT vector: 'diffs' or 'abs' is not a dictionary of parameters.")
    return diffs, head


def _unpickle(file: Path) -> Any:
    try:
        _check_pickles(file)
        with torch.serialization.safe_globals(ALLOWED):
            return torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, ForeignPickle) as error:
        what = f" ({error})" if isinstance(error, ForeignPickle) else ""
        raise VectorError(
            f"{file} is damaged or contains more than tensors and numbers{what}. It is refused; none of its code was run."
        ) from error
    except VectorError:
        raise
    except Exception as error:  # a damaged archive can raise many kinds of exceptions
        raise VectorError(f"{file} is damaged or was not written by torch. Copy or download it again.") from error


def _check_pickles(file: Path) -> None:
    """Raise ForeignPickle if the file's pickles name anything that a vector does not need. Nothing is loaded."""
    if not zipfile.is_zipfile(file):
        code, place = file.read_bytes(), 0
        for _ in range(OLDER_PARTS):
            place = check_pickle(code, place, lambda name: NAMED.fullmatch(name) is not None)
        return
    check_list(file)
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise VectorError(f"{file} is a compressed archive, which torch never writes. It is refused.")
        for entry in archive.infolist():
            if entry.filename.endswith(".pkl"):
                check_pickle(archive.read(entry), 0, lambda name: NAMED.fullmatch(name) is not None)


def _is_empty(diff: Any) -> bool:
    return isinstance(diff, dict) and diff.get("index_steps") == [] and _is_plain(diff.get("values"), dims=1, length=0)


def _decode(name: str, diff: Any, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return the row-major ascending positions (n,) int64 and values (n,) float32 of one parameter."""
    if not isinstance(diff, dict) or diff.keys() != {"size", "index_steps", "values"}:
        raise VectorError(f"{name} does not have 'size', 'index_steps' and 'values'")
    size, steps, values = diff["size"], diff["index_steps"], diff["values"]
    if not isinstance(size, (torch.Size, tuple, list)) or tuple(size) != shape:
        raise VectorError(f"{name} does not have its shape in the base, {shape}")
    if not isinstance(steps, list) or not set(map(type, steps)) <= {int}:
        raise VectorError(f"{name} has index steps that are not a list of integers")
    if not _is_plain(values, dims=1, length=len(steps)):
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


def _is_plain(tensor: Any, *, dims: int | None = None, length: int | None = None) -> bool:
    """Return whether an object is a dense floating-point tensor on the CPU whose storage has room for all entries."""
    return (
        isinstance(tensor, Tensor)
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and tensor.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and dims in (None, tensor.ndim)
        and length in (None, len(tensor) if tensor.ndim else None)
        and tensor.is_contiguous()
        and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
    )


def _head_tensor(name: str, tensor: Any) -> Tensor:
    check_parameter_name(name)
    if not _is_plain(tensor):
        raise VectorError(f"the head's {name} is not a dense floating-point tensor")
    return tensor.detach().to(torch.float32, copy=True)


def _kind(head: dict[str, Any]) -> str:
    first_parts = dict.fromkeys(name.split(".")[0] for name in head)
    unknown = [part for part in first_parts if part not in HEADS]
    if unknown:
        task = OTHER_TASKS.get(unknown[0])
        raise VectorError(
            f"its head {unknown[0]!r} is {f'for {task}' if task else 'that of another task'}. Only vectors of language models "
            "and of text classification can be used"
        )
    if head and head.keys() <= TOKEN_CLASSIFIER and "classifier.weight" in head:
        raise VectorError(
            "its head is that of a token classifier, which labels single words (named entities, parts of speech). It cannot "
            "classify texts; use a vector of a text classification task"
        )
    kinds = {HEADS[part] for part in first_parts} or {"language"}
    if len(kinds) > 1:
        raise VectorError("it contains both the head of a language model and that of a classifier")
    return kinds.pop()


def _labels(head: dict[str, Any], labels: Sequence[str] | None) -> list[str]:
    # The output layer is out_proj in XLM-R's head, else the only matrix.
    matrices = [tensor for tensor in head.values() if _is_plain(tensor, dims=2)]
    outputs = [tensor for name, tensor in head.items() if name.endswith("out_proj.weight")] or matrices
    if len(outputs) != 1 or not _is_plain(outputs[0], dims=2):
        raise VectorError("its classification head has no single output layer")
    rows = len(outputs[0])
    if rows < 2:
        raise VectorError(
            "its head has a single output, for a number or a choice, and no classes: it cannot classify texts"
        )
    if labels is not None and len(labels) != rows:
        raise VectorError(f"it has {rows} classes, but {len(labels)} labels were given")
    return [str(row) for row in range(rows)] if labels is None else list(labels)


def _origin(file: Path, base: BaseLike) -> dict[str, Any]:
    return {
        "format_version": 1,
        "base": {"name": base_name(base.name), "revision": base.revision, "fingerprint": base.fingerprint},
        "method": "lt-sft",
        "rank": {"strategy": "none", "ranks": {}},
        "source": {"file": FILE, "sha256": file_sha256(file)},
    }
