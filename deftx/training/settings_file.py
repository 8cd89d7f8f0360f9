"""The settings of a training run as a JSON file, with the names of a job's settings.

Settings in a file that cannot be used are reported and skipped.
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
from deftx.vectors.vector import VECTOR_KINDS

FORMAT, VERSION = "deftx-settings", 1
# Settings of each kind of job besides its recipe; all are texts.
SHARED = ("name", "language", "base", "preset")
TEXTS = {"language": (*SHARED, "corpus"), "task": (*SHARED, "train", "valid", "source")}
LARGEST = 1_000_000  # characters; usual files have a few hundred


@dataclass(frozen=True)
class Settings:
    """The content of a file: kind of training, usable settings, and messages on unusable ones."""

    kind: str
    values: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)


def write_settings(kind: str, values: Mapping[str, Any]) -> str:
    """Return the settings of a training run as the text of a file; other settings are omitted."""
    kept = {name: values[name] for name in TEXTS[kind] if values.get(name)}
    content = {"format": FORMAT, "version": VERSION, "kind": kind, **kept, "recipe": dict(values.get("recipe") or {})}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def open_settings(path: Path) -> Settings:
    """Read a settings file. Raise RecipeError as ``read_settings``, or if it is not a UTF-8 text file."""
    if not os.path.isfile(path):  # unlike Path.is_file, False for an invalid name
        raise RecipeError(f"{path.name} is not a file.")
    try:
        with path.open(encoding="utf-8") as file:
            return read_settings(file.read(LARGEST + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} cannot be read as UTF-8 text.") from error


def read_settings(text: str) -> Settings:
    """Read the text of a settings file.

    Raises:
        RecipeError: If it is not a settings file, or has a newer version.
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
        raise RecipeError(f"This is not a settings file: it cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise RecipeError(f'This is not a settings file: it does not contain "format": "{FORMAT}".')
    version = content.pop("version", None)
    if version != VERSION:
        raise RecipeError(f"This settings file has version {version!r}; this program reads version {VERSION}.")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _usable(kind: str, preset: str, recipe: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """Return the settings that can be used together; add messages on the others to ``problems``."""
    try:
        check_settings(kind, preset, recipe)
        return recipe
    except SettingsRefused as refused:
        problems += [refusal.reason for refusal in refused.refusals]
        bad = {refusal.field for refusal in refused.refusals}
    rest = {name: value for name, value in recipe.items() if name not in bad}
    if rest == recipe:  # each could be used alone
        return {}
    return _usable(kind, preset, rest, problems)
