"""The work of each kind of job: a training run with the job's settings.

The settings are those of a ``TrainingRequest``. Paths of data and of ``delta`` are absolute or relative to the job's
folder. Only workers import this module, because it imports torch and transformers.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import deftx.training.language
import deftx.training.task
from deftx.core.events import OnEvent
from deftx.data.table_rows import Table
from deftx.data.text import read_corpus
from deftx.data.token_tables import read_labelled
from deftx.jobs.job import OUT, JobError
from deftx.jobs.push import push_finished
from deftx.models.bases import BUNDLED_BASE, Base, load_base
from deftx.training.distributed import own_device
from deftx.training.finish import RUN
from deftx.training.recipes import LanguageRecipe, TaskRecipe
from deftx.training.request import DATA, TrainingRequest
from deftx.vectors.vector_files import INFO

ShouldStop = Callable[[], bool]


def learn_language(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Learn a language vector from ``corpus`` (a path or a list of paths)."""
    if not _is_written(folder):
        _learn_language(settings, folder, on_event, should_stop)
    push_finished(settings, folder, on_event)


def _learn_language(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    request = _request("language", settings)
    base = _base(request)
    recipe = cast(LanguageRecipe, request.full_recipe())  # refused before a long text is read
    deftx.training.language.learn_language(
        read_corpus([folder / path for path in request.corpus], column=request.column or None),
        base,
        recipe,
        out=folder / OUT,
        language=request.language or None,
        lexicon=[folder / path for path in request.lexicon],
        delta=_path(folder, request.delta),
        on_event=on_event,
        should_stop=should_stop,
    )


def learn_task(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    """Learn a task vector from ``train`` (a path), with ``valid`` (a path) and ``source`` (a vector) if given.

    ``columns`` and ``valid_columns`` map text, label, tokens and the like to the columns of the files. ``further`` has
    more labelled files, each with its columns, source, passes and word lists.
    """
    if not _is_written(folder):
        _learn_task(settings, folder, on_event, should_stop)
    push_finished(settings, folder, on_event)


def _learn_task(settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: ShouldStop) -> None:
    request = _request("task", settings)
    labelled = request.labelled
    train = [read_labelled(folder / one.file, columns=one.columns) for one in labelled]
    recipe = cast(TaskRecipe, request.full_recipe(isinstance(train[0], Table) and train[0].pairs))
    valid = _path(folder, request.valid)
    deftx.training.task.learn_task(
        train,
        _base(request),
        recipe,
        out=folder / OUT,
        valid=read_labelled(valid, columns=request.valid_columns) if valid else None,
        source=[one.source or None for one in labelled],
        repeat=[one.repeat for one in labelled],
        lexicon=[[folder / path for path in one.lexicon] for one in labelled],
        start=request.start or None,
        language=request.language or None,
        delta=_path(folder, request.delta),
        on_event=on_event,
        should_stop=should_stop,
    )


def _is_written(folder: Path) -> bool:
    """Return whether this job has already written its vector and was killed afterwards."""
    return (folder / OUT / INFO).is_file() and not (folder / OUT / RUN).exists()


def _request(kind: str, settings: Mapping[str, Any]) -> TrainingRequest:
    request = TrainingRequest.from_job(kind, settings)
    if not request.data:
        raise JobError(f"The setting {DATA[kind][0]} of the job is missing. Start a new job with it.")
    return request


def _base(request: TrainingRequest) -> Base:
    return load_base(request.base or BUNDLED_BASE, device=own_device(request.device))


def _path(folder: Path, name: str) -> Path | None:
    return folder / name if name else None
