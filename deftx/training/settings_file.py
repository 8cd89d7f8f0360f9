"""A training request as a file: JSON with a version, the fields of a request under their own names.

What a file says that cannot be used is named and left out; the rest is taken.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deftx.core.errors import RecipeError, unknown_name
from deftx.training.recipes import PRESETS
from deftx.training.request import SettingsRefused, TrainingRequest

FORMAT, VERSION = "deftx-settings", 1
# Fields of a request beside its recipe that a file has, all of them text: which kind has which.
SHARED = ("name", "language", "base", "preset")
FIELDS = {"language": (*SHARED, "corpus"), "task": (*SHARED, "train", "valid", "source")}
LARGEST = 1_000_000  # characters: settings are a few hundred


@dataclass(frozen=True)
class SettingsFile:
    """What a file asks for, and what of it could not be used, in words."""

    request: TrainingRequest
    problems: list[str] = field(default_factory=list)


def to_file(request: TrainingRequest) -> str:
    """Write the settings of a training; fields that a file does not carry are left out.

    Raises:
        RecipeError: several texts are to be learned from; a file names one.
    """
    if len(request.corpus) > 1:
        raise RecipeError("A settings file names one text to learn from.")
    values = {name: getattr(request, name) for name in FIELDS[request.kind]} | {"corpus": request.data}
    kept = {name: values[name] for name in FIELDS[request.kind] if values[name]}
    content = {"format": FORMAT, "version": VERSION, "kind": request.kind, **kept, "recipe": dict(request.recipe)}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def open_file(path: Path) -> SettingsFile:
    """Read a settings file; RecipeError as ``from_file``, and where it is no file of UTF-8 text."""
    if not os.path.isfile(path):  # unlike Path.is_file, false for a name that no disk takes
        raise RecipeError(f"{path.name} is not a file.")
    try:
        with path.open(encoding="utf-8") as file:
            return from_file(file.read(LARGEST + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} cannot be read as UTF-8 text.") from error


def from_file(text: str) -> SettingsFile:
    """Read what ``to_file`` wrote, or a person did.

    Raises:
        RecipeError: it is no settings file, or one of a newer version.
    """
    content = _parse(text)
    kind = content.pop("kind", None)
    if kind not in tuple(FIELDS):  # a dict takes no list of a stranger's file
        raise unknown_name("The kind of training", str(kind), FIELDS)
    known = (*FIELDS[kind], "recipe")
    problems = [str(unknown_name("The entry", name, known)) for name in content if name not in known]
    given = {name: value for name, value in content.items() if name in known}
    if isinstance(given.get("corpus"), str):
        given["corpus"] = (given["corpus"],) if given["corpus"] else ()
    request = _usable(kind, given, problems)
    return SettingsFile(request, problems)


def _parse(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text[: LARGEST + 1], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"This is no settings file: it cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise RecipeError(f'This is no settings file: it does not say "format": "{FORMAT}".')
    version = content.pop("version", None)
    if version != VERSION:
        raise RecipeError(f"This settings file has version {version!r}; this program reads version {VERSION}.")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _usable(kind: str, given: dict[str, Any], problems: list[str]) -> TrainingRequest:
    """Make a request of what can be used; what cannot is said in ``problems``."""
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
    # Where no setting is named, each by itself could be used.
    return _with_usable_recipe(replace(request, recipe=rest if rest != request.recipe else {}), problems)


def _rest(given: Mapping[str, Any], refused: SettingsRefused, problems: list[str]) -> dict[str, Any]:
    problems += [refusal.reason for refusal in refused.refusals]
    bad = {refusal.field for refusal in refused.refusals}
    return {name: value for name, value in given.items() if name not in bad}
