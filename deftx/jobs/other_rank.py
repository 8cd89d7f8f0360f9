"""Another rank from the δ of an earlier job: a job of its own that begins after the dense phase."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from deftx.jobs.job import Job, JobError
from deftx.jobs.store import Store
from deftx.training.finish import RUN
from deftx.training.pipeline import DELTA_FILE
from deftx.training.run_folder import refuse_if_full

DELTA = "delta"  # the folder in a job's own that keeps δ
DATA = ("corpus", "train", "valid")  # fields of a request that are paths


def kept_delta(job: Job) -> Path | None:
    """Return the file in which a job keeps δ; None before its dense phase is over, and once δ was freed."""
    named = job.settings.get("delta")
    folder = job.folder / str(named) if named else job.out / RUN / "delta"
    return folder / DELTA_FILE if (folder / DELTA_FILE).is_file() else None


def branch(store: Store, job: Job, strategy: str, name: str) -> Job:
    """Put a job into the queue that trains the sparse phase from this job's δ, with another rank strategy.

    All other settings are this job's. The new job owns δ: discarding the old one takes nothing away from it.

    Raises:
        RecipeError: the strategy cannot be read.
        JobError: δ is not there, or a file that the job learned from is gone.
    """
    delta = kept_delta(job)
    if delta is None:
        raise JobError(
            f"{job.name} keeps no δ: its dense phase is not over, or its checkpoints were freed. To train with another "
            "rank, start a new training; it begins with a dense phase."
        )
    recipe = {**job.request.recipe, "rank": strategy}
    if recipe.get("method", "deft-x") != "deft-x":  # the others have no rank
        recipe["method"] = "deft-x"
    request = replace(job.request, **_data(job), recipe=recipe, delta=DELTA)
    request.full_recipe()
    settings = {**request.to_job(), "delta_of": job.id}
    return store.add(job.kind, name, settings, lambda folder: _take_along(delta, folder / DELTA / DELTA_FILE))


def _data(job: Job) -> dict[str, Any]:
    """Return the job's files by absolute paths, for the new job lies in another folder."""
    found: dict[str, Any] = {}
    for name in DATA:
        if not (given := getattr(job.request, name)):
            continue
        paths = [job.folder / path for path in ([given] if isinstance(given, str) else given)]
        for path in paths:
            if not path.exists():
                raise JobError(f"{path.name}, from which {job.name} learned, is gone: δ belongs to it. Bring it back.")
        found[name] = str(paths[0]) if isinstance(given, str) else tuple(map(str, paths))
    return found


def _take_along(delta: Path, place: Path) -> None:
    place.parent.mkdir()
    try:
        try:
            os.link(delta, place)  # takes no space, and stays when the other name goes: δ is written once
        except FileNotFoundError:
            raise
        except OSError:  # another disk, or one that cannot link
            refuse_if_full(place.parent, delta.stat().st_size)
            shutil.copyfile(delta, place)
    except FileNotFoundError as error:
        raise JobError(
            "δ was freed this very moment; start a new training, which begins with a dense phase."
        ) from error
