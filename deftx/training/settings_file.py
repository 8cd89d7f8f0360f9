"""The settings of a training as a file: JSON with a version, the settings of a job under their own names.

What a file says that cannot be used is named and left out; the rest is taken.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deftx.core.errors import RecipeError, unknown_name
from deftx.training.preflight import SettingsRefused, check_settings
from deftx.training.recipes import PRESETS
from deftx.vectors.description import VECTOR_KINDS

FORMAT, VERSION = "deftx-settings", 1
# Settings of a job beside its recipe, all of them text: which kind has which.
SHARED = ("name", "language", "base", "preset")
TEXTS = {"language": (*SHARED, "corpus"), "task": (*SHARED, "train", "valid", "source")}
LARGEST = 1_000_000  # characters: settings are a few hundred


@dataclass(frozen=True)
class Settings:
    """What a file holds: the kind of training, the usable settings, and what could not be used, in words."""

    kind: str
    values: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)


def write_settings(kind: str, values: Mapping[str, Any]) -> str:
    """Write the settings of a training of ``kind``; names that a file does not carry are left out."""
    kept = {name: values[name] for name in TEXTS[kind] if values.get(name)}
    content = {"format": FORMAT, "version": VERSION, "kind": kind, **kept, "recipe": dict(values.get("recipe") or {})}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def open_settings(path: Path) -> Settings:
    """Read a settings file; RecipeError as ``read_settings``, and where it is no file of UTF-8 text."""
    if not os.path.isfile(path):  # unlike Path.is_file, false for a name that no disk takes
        raise RecipeError(f"{path.name} is not a file.")
    try:
        with path.open(encoding="utf-8") as file:
            return read_settings(file.read(LARGEST + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} cannot be read as UTF-8 text.") from error


def read_settings(text: str) -> Settings:
    """Read what ``write_settings`` wrote, or a person did.

    Raises:
        RecipeError: it is no settings file, or one of a newer version.
    """
    content = _parse(text)
    kind = content.pop("kind", None)
    if kind not in VECTOR_KINDS:
        raise unknown_name("The kind of training", str(kind), VECTOR_KINDS)
    recipe = content.pop("recipe", {})
    values, problems = {}, []
    for name, value in content.items():
        if name not in TEXTS[kind]:
            problems.append(str(unknown_name("The entry", name, (*TEXTS[kind], "recipe"))))
        elif not isinstance(value, str):
            problems.append(str(RecipeError(f"{name} = {value!r} cannot be used: expected a text in quotes.")))
        else:
            values[name] = value
    if values.get("preset", "quick") not in PRESETS:
        problems.append(str(unknown_name("The preset", values.pop("preset"), PRESETS)))
    if not isinstance(recipe, dict):
        problems.append("recipe cannot be used: expected settings by name, in braces.")
        recipe = {}
    values["recipe"] = _usable(kind, values.get("preset", "quick"), recipe, problems)
    return Settings(kind, values, problems)


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


def _usable(kind: str, preset: str, recipe: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Return the settings that can be used together; what cannot is said in ``problems``."""
    try:
        check_settings(kind, preset, recipe)
        return recipe
    except SettingsRefused as refused:
        problems += [refusal.reason for refusal in refused.refusals]
        bad = {refusal.field for refusal in refused.refusals}
    rest = {name: value for name, value in recipe.items() if name not in bad}
    if rest == recipe:  # each by itself could be used
        return {}
    return _usable(kind, preset, rest, problems)
