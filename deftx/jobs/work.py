"""What each kind of job does: its settings, as the page or a script gave them, turned into one training.

Settings common to both kinds: ``base`` (name or folder), ``preset``, ``recipe`` (the settings that differ from the
preset's), ``delta`` (folder) and ``device``. Paths of data are absolute or relative to the job's folder.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import deftx.language
import deftx.task
from deftx.bases import load_base
from deftx.events import OnEvent
from deftx.jobs.job import OUT, JobError
from deftx.recipes import Recipe, recipe_for

ShouldStop = Callable[[], bool]


def learn_language(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Train a language vector: ``corpus`` (path or list of paths) and ``language`` (code, may be missing)."""
    corpus = _needed(settings, "corpus")
    recipe = _recipe("language", settings)
    deftx.language.learn_language(
        [folder / path for path in corpus] if isinstance(corpus, list) else folder / corpus,
        load_base(_needed(settings, "base"), device=settings.get("device")),
        recipe,
        out=folder / OUT,
        language=settings.get("language"),
        delta=_path(settings, "delta", folder),
        on_event=on_event,
        should_stop=should_stop,
    )


def learn_task(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Train a task vector: ``train`` and ``valid`` (paths), ``pairs`` (two sentences a row), ``source`` (a vector)."""
    recipe = _recipe("task", settings)
    deftx.task.learn_task(
        folder / _needed(settings, "train"),
        load_base(_needed(settings, "base"), device=settings.get("device")),
        recipe,
        out=folder / OUT,
        valid=_path(settings, "valid", folder),
        source=settings.get("source"),
        delta=_path(settings, "delta", folder),
        on_event=on_event,
        should_stop=should_stop,
    )


def _recipe(kind: str, settings: Mapping[str, Any]) -> Recipe:
    pairs = bool(settings.get("pairs", False))
    return recipe_for(kind, settings.get("preset", "quick"), pairs=pairs, **settings.get("recipe", {}))


def _needed(settings: Mapping[str, Any], name: str) -> Any:
    if not settings.get(name):
        raise JobError(f"The job does not say which {name} to use; start a new one that does.")
    return settings[name]


def _path(settings: Mapping[str, Any], name: str, folder: Path) -> Path | None:
    return folder / settings[name] if settings.get(name) else None
