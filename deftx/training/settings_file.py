"""A training request as a JSON file, with the names of the request's fields.

Settings in a file that cannot be used are reported and skipped.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deftx.core.errors import RecipeError, unknown_name
from deftx.training.recipes import PRESETS
from deftx.training.request import SettingsRefused, TrainingRequest, tuples_of

FORMAT, VERSION = "deftx-settings", 1
# Fields in a file besides the recipe, by kind: texts, the number of passes, and lists of files.
SHARED = ("name", "language", "base", "preset", "lexicon")
FIELDS = {
    "language": (*SHARED, "corpus"),
    "task": (*SHARED, "train", "valid", "source", "repeat", "further", "start"),
}
LARGEST = 1_000_000  # characters; usual files have a few hundred


@dataclass(frozen=True)
class SettingsFile:
    """The content of a file: the usable part as a request, and messages on the rest."""

    request: TrainingRequest
    problems: list[str] = field(default_factory=list)


def to_file(request: TrainingRequest) -> str:
    """Return the settings of a training run as the text of a file; other fields are omitted.

    Raises:
        RecipeError: If the corpus has several files, because a settings file can name only one.
    """
    if len(request.corpus) > 1:
        raise RecipeError("A settings file can name only one corpus file.")
    values = {**request.to_job(), "name": request.name, "corpus": request.data}
    kept = {name: values[name] for name in FIELDS[request.kind] if values.get(name)}
    content = {"format": FORMAT, "version": VERSION, "kind": request.kind, **kept, "recipe": dict(request.recipe)}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def open_file(path: Path) -> SettingsFile:
    """Read a settings file. Raise RecipeError as ``from_file``, or if it is not a UTF-8 text file."""
    if not os.path.isfile(path):  # unlike Path.is_file, False for an invalid name
        raise RecipeError(f"{path.name} is not a file.")
    try:
        with path.open(encoding="utf-8") as file:
            return from_file(file.read(LARGEST + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} cannot be read as UTF-8 text.") from error


def from_file(text: str) -> SettingsFile:
    """Read the text of a settings file.

    Raises:
        RecipeError: If it is not a settings file, or has a newer version.
    """
    content = _parse(text)
    kind = content.pop("kind", None)
    if kind not in tuple(FIELDS):  # a tuple, because the file may give an unhashable value
        raise unknown_name("The kind of training", str(kind), FIELDS)
    known = (*FIELDS[kind], "recipe")
    problems = [str(unknown_name("The entry", name, known)) for name in content if name not in known]
    given = {name: value for name, value in content.items() if name in known}
    if isinstance(given.get("corpus"), str):
        given["corpus"] = (given["corpus"],) if given["corpus"] else ()
    try:
        given |= tuples_of(given)
    except SettingsRefused as refused:
        given = _rest(given, refused, problems)
    request = _usable(kind, given, problems)
    return SettingsFile(request, problems)


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text[: LARGEST + 1], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"This is not a settings file: it cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise RecipeError(f'This is not a settings file: it does not contain "format": "{FORMAT}".')
    version = content.pop("version", None)
    if version != VERSION:
        raise RecipeError(f"This settings file has version {version!r}; this program reads version {VERSION}.")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _usable(kind: str, given: dict[str, Any], problems: list[str]) -> TrainingRequest:
    """Return a request with the usable fields; add messages on the others to ``problems``."""
    try:
        request = TrainingRequest(kind=kind, **given)
    except SettingsRefused as refused:
        rest = _rest(given, refused, problems)
        return _usable(kind, rest, problems)
    return _with_usable_recipe(request, problems)


def _with_usable_recipe(request: TrainingRequest, problems: list[str]) -> TrainingRequest:
    try:
        request.full_recipe()
        return request
    except SettingsRefused as refused:
        rest = _rest(request.recipe, refused, problems)
    if request.preset not in PRESETS:
        return _with_usable_recipe(replace(request, preset="quick"), problems)
    # If no setting was refused, each could be used alone.
    return _with_usable_recipe(replace(request, recipe=rest if rest != request.recipe else {}), problems)


def _rest(given: Mapping[str, Any], refused: SettingsRefused, problems: list[str]) -> dict[str, Any]:
    problems += [refusal.reason for refusal in refused.refusals]
    bad = {refusal.field for refusal in refused.refusals}
    return {name: value for name, value in given.items() if name not in bad}
