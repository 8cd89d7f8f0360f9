"""The fields of ``vector.json``, their types, and checks of them."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch

import deftx
from deftx.core.calibration import Calibration
from deftx.core.errors import VectorError, one_of
from deftx.core.units import QUESTION, TEXT, UNITS, WORD
from deftx.vectors.vector_files import FORMAT_VERSION

VECTOR_KINDS = ("language", "task")
# Scores of language vectors, in nats: of encoders, and of decoders; a vector has one of them.
LANGUAGE_LOSSES = {"masked_lm_loss": "masked-LM loss", "next_token_loss": "next-token loss"}

# The fields of vector.json in order, and their types. A dict with the key str allows any keys.
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
    "filled": int,  # entries of μ chosen by δ, because the denoised δ had fewer than k nonzero entries
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
# A language vector that lowers the held-out loss by less, in nats, may be useless: the base knows the language, or the training
# was too short. Those of Indonesian, Javanese and Sundanese made the bundled classifier worse (docs/results.md).
SMALL_GAIN = 0.3
CALIBRATION = "calibration"  # of a task vector only: docs/calibration.md
REQUIRED = ("format_version", "kind", "base", "shapes")  # the others may be null or missing


def name_of(info: Mapping[str, Any]) -> str:
    """Return the name that the vector was given, else its language and kind."""
    given = info.get("name")
    return given if isinstance(given, str) else " ".join(filter(None, (info.get("language"), info["kind"], "vector")))


def unit_of(info: Mapping[str, Any]) -> str:
    """Return what a task vector answers about, one of UNITS: ``unit`` in the field ``corpus``, or by default a text."""
    corpus = info.get("corpus")
    unit = corpus.get("unit") if isinstance(corpus, Mapping) else None
    return unit if unit in UNITS else TEXT


def tags_words(info: Mapping[str, Any]) -> bool:
    """Return whether a task vector tags the words of a text, and does not classify the text."""
    return unit_of(info) == WORD


def language_loss(scores: Mapping[str, Any] | None) -> Any:
    """Return the held-out loss in the scores of a language vector, {"before": nats, "after": nats}; None if it is unknown."""
    return next((found[name] for name in LANGUAGE_LOSSES if name in (found := scores or {})), None)


def versions_here() -> dict[str, str]:
    """Return the versions that a new vector is made with."""
    return {
        "deftx": getattr(deftx, "__version__", "unreleased"),
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "python": platform.python_version(),
    }


def check_info(info: dict[str, Any]) -> None:
    """Raise VectorError if a field is missing or of a wrong type, or the format version or kind is unknown."""
    for name in REQUIRED:
        if info.get(name) is None:
            raise VectorError(f"Its description lacks {name!r}.")
    for name, expected in FIELDS.items():
        if info.get(name) is not None and not _is_of(expected, info[name]):
            raise VectorError(f"In its description, {name!r} has a wrong type.")
    if info["format_version"] != FORMAT_VERSION:
        raise VectorError(f"Format version {info['format_version']} is not {FORMAT_VERSION}.")
    if info["kind"] not in VECTOR_KINDS:
        raise VectorError(f"Its kind {info['kind']!r} is not {one_of(VECTOR_KINDS)}.")
    if info["base"].get("name") is None or info["base"].get("fingerprint") is None:
        raise VectorError("Its description does not name its base and the base's fingerprint.")
    if any(size < 1 for shape in info["shapes"].values() for size in shape):
        raise VectorError("In its description, 'shapes' has a size below 1.")
    labels = info.get("labels") or []
    if len(set(labels)) != len(labels) or (info["kind"] == "task" and not labels):
        raise VectorError("A task vector needs the names of its labels, without duplicates.")
    if (unit := (info.get("corpus") or {}).get("unit") or TEXT) not in UNITS:
        raise VectorError(f"It answers about {str(unit)!r}, which this version does not know. Known: {one_of(UNITS)}.")
    if info["kind"] == "task" and unit == QUESTION and len(labels) != 2:
        raise VectorError("A task vector that answers questions needs two labels: start and end.")
    calibration_of(info)


def calibration_of(info: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration of a task vector, or None if it has none. Raise VectorError if it cannot be used."""
    if info.get(CALIBRATION) is None:
        return None
    try:
        return Calibration.from_dict(info[CALIBRATION])
    except (KeyError, TypeError, ValueError) as error:
        raise VectorError(f"In its description, {CALIBRATION!r} cannot be used.") from error


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
