"""Safe loading of LT-SFT's ``pytorch_diff.bin``, a torch pickle.

Its pickles are checked first and may name only the classes listed here. Then torch's restricted unpickler reads it.
"""

import pickle
import re
import zipfile
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.vectors.archives import check_list
from deftx.vectors.pickles import ForeignPickle, check_pickle


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
# safe_globals changes one set of the whole process, and removes its names from it for every thread.
_LOADING = Lock()


def read_contents(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the dictionaries ``diffs`` and ``abs`` of a file, whose values are not checked.

    Raises:
        VectorError: If the file is damaged, contains anything but tensors and numbers, or is no LT-SFT vector.
    """
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
        with _LOADING, torch.serialization.safe_globals(ALLOWED):
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


def is_plain(tensor: Any, *, dims: int | None = None, length: int | None = None) -> bool:
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
