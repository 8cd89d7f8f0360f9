"""What each kind of job does: its settings, as the page or a script gave them, turned into one training.

The settings are those of a ``TrainingRequest``. Paths of data and of ``delta`` are absolute or relative to the job's
folder. Only a worker imports this module: it brings torch and transformers along.
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
    base, recipe = _base(request), request.full_recipe()  # refused before a long text is read
    deftx.training.language.learn_language(
        read_corpus([folder / path for path in request.corpus], column=request.column or None),
        base,
        recipe,
        out=folder / OUT,
        language=request.language or None,
        delta=_path(folder, request.delta),
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
    request = _request("task", settings)
    train = read_table(folder / request.train, columns=request.columns)
    valid = _path(folder, request.valid)
    deftx.training.task.learn_task(
        train,
        _base(request),
        request.full_recipe(train.pairs),
        out=folder / OUT,
        valid=read_table(valid, columns=request.valid_columns) if valid else None,
        source=request.source or None,
        language=request.language or None,
        delta=_path(folder, request.delta),
        on_event=on_event,
        should_stop=should_stop,
    )


def _is_written(folder: Path) -> bool:
    """Say whether this job has written its vector already: it was killed after that, and has nothing left to do."""
    return (folder / OUT / INFO).is_file() and not (folder / OUT / RUN).exists()


def _request(kind: str, settings: Mapping[str, Any]) -> TrainingRequest:
    request = TrainingRequest.from_job(kind, settings)
    if not request.data:
        raise JobError(f"The job does not say which {DATA[kind][0]} to learn from; start a new one that does.")
    return request


def _base(request: TrainingRequest) -> Base:
    return load_base(request.base or BUNDLED_BASE, device=own_device(request.device or None))


def _path(folder: Path, name: str) -> Path | None:
    return folder / name if name else None
