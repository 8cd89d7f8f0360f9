"""What ``vector.json`` says about a vector: its fields, their types, and what must be true of them."""

from collections.abc import Mapping
from typing import Any

from deftx.core.errors import VectorError, one_of
from deftx.vectors.vector_files import FORMAT_VERSION

VECTOR_KINDS = ("language", "task")

# What vector.json says, in this order, and of what type it is. A dict with the key str stands for any keys.
FIELDS: dict[str, Any] = {
    "format_version": int,
    "kind": str,
    "language": str,
    "labels": [str],
    "base": {"name": str, "revision": str, "fingerprint": str},
    "method": str,
    "ablate": str,
    "rank": {"strategy": str, "ranks": {str: int}},
    "k": int,
    "filled": int,  # entries of μ that were filled up from δ, where the denoised δ had fewer than k
    "mask": {str: int},  # selected entries by part of the model
    "recipe": {str: Any},
    "seed": int,
    "corpus": {str: Any},
    "scores": {str: Any},
    "singular_values": {str: [float]},
    "shapes": {str: [int]},
    "versions": {str: str},
    "tensors_sha256": str,
    "info_sha256": str,
}
REQUIRED = ("format_version", "kind", "base", "shapes")  # the others may be null or missing


def name_of(info: Mapping[str, Any]) -> str:
    """Return what to call a vector: the name it was given, else its language and kind."""
    given = info.get("name")
    return given if isinstance(given, str) else " ".join(filter(None, (info.get("language"), info["kind"], "vector")))


def check_info(info: dict[str, Any]) -> None:
    """Refuse a description with a field missing, of a wrong type, of another format version or of an unknown kind."""
    for name in REQUIRED:
        if info.get(name) is None:
            raise VectorError(f"Its description lacks {name!r}.")
    for name, expected in FIELDS.items():
        if info.get(name) is not None and not _is_of(expected, info[name]):
            raise VectorError(f"In its description, {name!r} is not of the type that it must be.")
    if info["format_version"] != FORMAT_VERSION:
        raise VectorError(f"Format version {info['format_version']} is not {FORMAT_VERSION}.")
    if info["kind"] not in VECTOR_KINDS:
        raise VectorError(f"Its kind {info['kind']!r} is not {one_of(VECTOR_KINDS)}.")
    if info["base"].get("name") is None or info["base"].get("fingerprint") is None:
        raise VectorError("Its description does not say which base, by name and fingerprint, it was made for.")
    if any(size < 1 for shape in info["shapes"].values() for size in shape):
        raise VectorError("In its description, 'shapes' has a size below 1.")
    labels = info.get("labels") or []
    if len(set(labels)) != len(labels) or (info["kind"] == "task" and not labels):
        raise VectorError("A task vector needs the names of its labels, each once.")


def _is_of(expected: Any, value: Any) -> bool:
    if expected is Any:
        return True
    if isinstance(expected, list):
        return isinstance(value, list) and all(_is_of(expected[0], item) for item in value)
    if isinstance(expected, dict):
        if not isinstance(value, dict):
            return False
        if str in expected:
            return all(isinstance(key, str) and _is_of(expected[str], item) for key, item in value.items())
        return all(_is_of(kind, value[key]) for key, kind in expected.items() if value.get(key) is not None)
    return not isinstance(value, bool) and isinstance(value, (int, float) if expected is float else expected)
