"""The files of a sparse vector: finding, reading and writing its folder.

``docs/vector-format.md`` specifies the format. No pickle is read or written here.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from deftx.core.assets import ASSETS
from deftx.core.errors import VectorError, unknown_name
from deftx.core.files import replacing_files
from deftx.core.gaps import decode_gaps
from deftx.hub.client import read_name
from deftx.hub.pull import pull

TENSORS, INFO, CARD = "vector.safetensors", "vector.json", "README.md"
FORMAT_NAME, FORMAT_VERSION = "deftx-sparse-vector", 1
BUNDLED_VECTORS = ASSETS / "vectors"

# Allowed tensors in vector.safetensors: prefix of the name, and types.
TENSOR_TYPES = {"positions": {"U8"}, "values": {"F32", "F16", "BF16"}, "head": {"F32", "F16", "BF16"}}
MAX_INFO_BYTES = 2**25  # the singular values of XLM-R large need about 2 MB
MAX_INTEGER = 2**63  # limit of integers in vector.json: counts, seeds and sizes

# The types in which φ can be stored; in memory it is float32.
VALUE_TYPES = {
    "float32": "as they were learned",
    "float16": "half the size; a value below 0.00006 loses digits",
    "bfloat16": "half the size; every value keeps three digits",
}

# A list of numbers as json.dumps indents it; a text of JSON has no line breaks.
NUMBERS = re.compile(r"\[\n\s+-?\d[\d.eE+\-,\s]*\n\s*\]")

Groups = dict[str, dict[str, Tensor]]


def takes_pairs(info: Mapping[str, Any]) -> bool:
    """Return whether a task vector classifies pairs of texts, from its ``vector.json``."""
    return bool((info.get("corpus") or {}).get("pairs"))


def resolve_vector(name_or_path: str | os.PathLike) -> Path:
    """Return the folder of a vector, given a folder, a bundled name or a Hub id.

    A Hub id is ``OWNER/NAME`` or ``OWNER/NAME@REVISION`` with a branch, tag or commit.

    Raises:
        VectorError: If it is none of these, or the Hub has no such vector or cannot be reached.
    """
    name = os.fspath(name_or_path)
    folder = os.path.expanduser(name)
    if os.path.isdir(folder):
        return Path(folder)
    if os.path.isfile(folder):
        raise VectorError(f"{name} is a file; a vector is a folder with {TENSORS} and {INFO}.")
    bundled = {path.name: path for path in BUNDLED_VECTORS.glob("*") if path.is_dir()}
    if name in bundled:
        return bundled[name]
    if remote := read_name(name):
        return pull(remote, needed=(TENSORS, INFO), wanted=(CARD,))
    if bundled:
        raise unknown_name("There is no such folder, and the bundled vector", name, bundled, VectorError)
    raise VectorError(
        f"There is no vector {name!r}: it is neither a folder nor a Hub id (owner/name, or owner/name@revision)."
    )


def write_folder(folder: Path, info: dict[str, Any], groups: Groups, card: str) -> None:
    """Write the three files of a vector, ``vector.json`` last, so that an interrupted write can be detected.

    ``tensors_sha256`` and ``info_sha256`` are added to ``info``.

    Raises:
        VectorError: If the folder cannot be written or ``info`` cannot be written as JSON.
    """
    tensors = {f"{group}.{name}": tensor for group, named in groups.items() for name, tensor in named.items()}
    try:
        with replacing_files(folder, (TENSORS, CARD, INFO)) as fresh:
            (fresh / TENSORS).write_bytes(_serialise(tensors))
            _write_info(fresh / INFO, {**info, "tensors_sha256": file_sha256(fresh / TENSORS)})
            (fresh / CARD).write_text(card, encoding="utf-8")
    except OSError as error:
        raise VectorError(f"The vector cannot be written to {folder}: {_in_one_line(error)}.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise VectorError(f"The description of this vector cannot be written as JSON to {INFO}: {error}.") from error


def rewrite_info(folder: Path, info: dict[str, Any]) -> None:
    """Replace ``vector.json`` of a vector; its tensors and card stay. Raise VectorError if it cannot be written."""
    try:
        with replacing_files(folder, (INFO,)) as fresh:
            _write_info(fresh / INFO, info)
    except OSError as error:
        raise VectorError(f"{folder / INFO} cannot be written: {_in_one_line(error)}.") from error


def _write_info(path: Path, info: dict[str, Any]) -> None:
    sealed = {**info, "info_sha256": info_sha256(info)}
    text = json.dumps(sealed, ensure_ascii=False, allow_nan=False, indent=1)
    path.write_text(NUMBERS.sub(_on_one_line, text) + "\n", encoding="utf-8")


def _on_one_line(numbers: re.Match) -> str:
    return "[" + " ".join(numbers[0][1:-1].split()) + "]"


def read_folder(folder: Path) -> tuple[dict[str, Any], Groups]:
    """Read ``vector.json`` and the three groups of tensors (positions decoded to int64, the others float32).

    Raises:
        VectorError: If a file is missing, is not valid JSON, has another format version or a wrong checksum, or contains
            a tensor of an unexpected name or type.
    """
    for file in (TENSORS, INFO):
        if not (folder / file).is_file():
            raise VectorError(f"{folder} has no {file}: it is not a vector, or was not completely written or copied.")
    info = _read_info(folder / INFO)
    version = info.get("format_version")
    if version != FORMAT_VERSION:
        newer = isinstance(version, int) and version > FORMAT_VERSION
        advice = "It was written by a newer version: update deftx." if newer else "It cannot be read."
        raise VectorError(f"{folder / INFO}: format version {version!r} is not {FORMAT_VERSION}. {advice}")
    path = folder / TENSORS
    try:
        if file_sha256(path) != info.get("tensors_sha256"):
            raise VectorError(f"{path} is damaged or truncated (its checksum differs): copy or download it again.")
        return info, _read_tensors(path)
    except VectorError:
        raise
    except Exception as error:  # the parsers raise several kinds of exceptions for an invalid file
        raise VectorError(f"{path} cannot be read: {_in_one_line(error)}.") from error


def check_seal(info: dict[str, Any], folder: Path) -> None:
    """Raise VectorError if ``info`` was changed after it was written."""
    try:
        unchanged = info.get("info_sha256") == info_sha256(info)
    except (ValueError, RecursionError):  # numbers such as 1e999, which parse but are infinite
        unchanged = False
    if not unchanged:
        raise VectorError(f"{folder / INFO} was changed after it was written: copy or download it again.")


def check_parameter_name(name: str) -> None:
    """Raise VectorError unless a name consists of letters, digits, "_" and "-", joined by single dots."""
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", name):
        raise VectorError(f"{name!r} cannot be the name of a parameter")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def info_sha256(info: dict[str, Any]) -> str:
    """Return the SHA-256 over the canonical JSON (sorted keys, no spaces, ASCII) of all fields except ``info_sha256``."""
    rest = {key: value for key, value in info.items() if key != "info_sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _serialise(tensors: dict[str, Tensor]) -> bytes:
    # safetensors writes metadata in a random order; here the order is fixed, so that the file is reproducible.
    raw = save(tensors)
    start = 8 + int.from_bytes(raw[:8], "little")
    metadata = {"format": FORMAT_NAME, "version": str(FORMAT_VERSION)}
    header = json.dumps({"__metadata__": metadata, **json.loads(raw[8:start])}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the format's alignment
    return len(header).to_bytes(8, "little") + header + raw[start:]


def _read_info(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def integer(digits: str) -> int:
        # Python reads integers of any size, which then fail later when they are converted to float.
        if len(digits) > 20 or abs(int(digits)) >= MAX_INTEGER:
            raise ValueError("integer out of range")
        return int(digits)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("duplicate key")
        return dict(pairs)

    try:
        if path.stat().st_size > MAX_INFO_BYTES:
            raise VectorError(
                f"{path} is larger than {MAX_INFO_BYTES >> 20} MB: it is not the description of a vector."
            )
        info = json.loads(
            path.read_text(encoding="utf-8"), parse_int=integer, parse_constant=refuse, object_pairs_hook=unique
        )
    except (OSError, ValueError, RecursionError) as error:
        raise VectorError(f"{path} is damaged: {_in_one_line(error)}. Copy or download it again.") from error
    if not isinstance(info, dict):
        raise VectorError(f"{path} is not a JSON object.")
    return info


def _read_tensors(path: Path) -> Groups:
    groups: Groups = {group: {} for group in TENSOR_TYPES}
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT_NAME or metadata.get("version") != str(FORMAT_VERSION):
            raise VectorError(f"{path} is not marked as a {FORMAT_NAME} of version {FORMAT_VERSION}.")
        for key in file.keys():  # noqa: SIM118 (the file is no mapping)
            group, _, name = key.partition(".")
            try:
                check_parameter_name(name)
                kind = file.get_slice(key).get_dtype()
                if group not in TENSOR_TYPES or kind not in TENSOR_TYPES[group]:
                    raise VectorError("a vector has no tensor of this name and type")
                groups[group][name] = _as_read(group, file.get_tensor(key))
            except VectorError as error:
                raise VectorError(f"{path}, tensor {key!r}: {error}.") from error
    return groups


def _as_read(group: str, tensor: Tensor) -> Tensor:
    if group != "head" and tensor.ndim != 1:
        raise VectorError(f"it has {tensor.ndim} dimensions, not 1")
    # A copy, because the tensor's memory is mapped from the file.
    return decode_gaps(tensor) if group == "positions" else tensor.to(torch.float32, copy=True)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
