"""What each kind of job does: its settings, as the page or a script gave them, turned into one training.

Settings common to both kinds: ``base`` (name or folder), ``preset``, ``recipe`` (the settings that differ from the
preset's), ``language`` (code), ``delta`` (folder), ``device`` and ``processes`` (how many train together, 1 by default),
``push_to`` (a repository of the Hub to which the vector goes at the end) and ``push_private``. Paths of data and of ``delta``
are absolute or relative to the job's folder. Only a worker imports this module: it brings torch and transformers along.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import deftx.training.language
import deftx.training.task
from deftx.core.events import OnEvent
from deftx.data.tables import read_table
from deftx.data.text import read_corpus
from deftx.jobs.job import OUT, JobError
from deftx.jobs.push import push_finished
from deftx.models.bases import BUNDLED_BASE, Base, load_base
from deftx.training.distributed import own_device
from deftx.training.finish import RUN
from deftx.training.recipes import Recipe, recipe_for
from deftx.vectors.vector_files import INFO

ShouldStop = Callable[[], bool]


def learn_language(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Learn a language vector from ``corpus`` (a path or a list of paths)."""
    if not _is_written(folder):
        _learn_language(settings, folder, on_event, should_stop)
    push_finished(settings, folder, on_event)


def _learn_language(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    corpus = _needed(settings, "corpus")
    base, recipe = _base(settings), _recipe("language", settings)  # refused before a long text is read
    paths = [folder / path for path in ([corpus] if isinstance(corpus, str) else corpus)]
    deftx.training.language.learn_language(
        read_corpus(paths, column=settings.get("column")),
        base,
        recipe,
        out=folder / OUT,
        language=settings.get("language"),
        delta=_path(settings, "delta", folder),
        on_event=on_event,
        should_stop=should_stop,
    )


def learn_task(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Learn a task vector from ``train`` (a path), with ``valid`` (a path) and ``source`` (a vector) if given.

    ``columns`` and ``valid_columns`` map text, premise, hypothesis and label to the files' own names of them.
    """
    if not _is_written(folder):
        _learn_task(settings, folder, on_event, should_stop)
    push_finished(settings, folder, on_event)


def _learn_task(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    train = read_table(folder / _needed(settings, "train"), columns=settings.get("columns"))
    valid = _path(settings, "valid", folder)
    deftx.training.task.learn_task(
        train,
        _base(settings),
        _recipe("task", settings, pairs=train.pairs),
        out=folder / OUT,
        valid=read_table(valid, columns=settings.get("valid_columns")) if valid else None,
        source=settings.get("source"),
        language=settings.get("language"),
        delta=_path(settings, "delta", folder),
        on_event=on_event,
        should_stop=should_stop,
    )


def _is_written(folder: Path) -> bool:
    """Say whether this job has written its vector already: it was killed after that, and has nothing left to do."""
    return (folder / OUT / INFO).is_file() and not (folder / OUT / RUN).exists()


def _base(settings: Mapping[str, Any]) -> Base:
    return load_base(settings.get("base") or BUNDLED_BASE, device=own_device(settings.get("device")))


def _recipe(kind: str, settings: Mapping[str, Any], pairs: bool = False) -> Recipe:
    return recipe_for(kind, settings.get("preset") or "quick", pairs=pairs, **settings.get("recipe") or {})


def _needed(settings: Mapping[str, Any], name: str) -> Any:
    if not settings.get(name):
        raise JobError(f"The job does not say which {name} to learn from; start a new one that does.")
    return settings[name]


def _path(settings: Mapping[str, Any], name: str, folder: Path) -> Path | None:
    return folder / settings[name] if settings.get(name) else None
