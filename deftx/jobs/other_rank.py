"""A new job with another rank strategy that reuses the δ of an earlier job and skips the dense phase."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from deftx.jobs.job import Job, JobError
from deftx.jobs.store import Store
from deftx.training.finish import RUN
from deftx.training.learned import DELTA_FILE
from deftx.training.request import HOURS
from deftx.training.run_folder import refuse_if_full

DELTA = "delta"  # the folder of δ in a job's folder
DATA = ("corpus", "train", "valid", "lexicon")  # fields of a request that are paths


def kept_delta(job: Job) -> Path | None:
    """Return the file with a job's δ; None if the dense phase is not finished or δ was deleted."""
    named = job.settings.get("delta")
    folder = job.folder / str(named) if named else job.out / RUN / "delta"
    return folder / DELTA_FILE if (folder / DELTA_FILE).is_file() else None


def add_with_rank(store: Store, job: Job, strategy: str, name: str) -> Job:
    """Add a job to the queue that trains the sparse phase from this job's δ with another rank strategy.

    The other settings are the same, but the new job trains on this machine and pushes nothing. It keeps δ even if the old
    job is discarded.

    Raises:
        RecipeError: If the strategy is invalid.
        JobError: If δ or a data file of the job no longer exists.
    """
    delta = kept_delta(job)
    if delta is None:
        raise JobError(
            f"{job.name} has no δ: its dense phase is not finished, or its checkpoints were deleted. To train with another "
            "rank, start a new training run, which begins with a dense phase."
        )
    recipe = {**job.request.recipe, "rank": strategy}
    if recipe.get("method", "deft-x") != "deft-x":  # the others have no rank
        recipe["method"] = "deft-x"
    # The new vector must not replace the pushed one, and a rented machine costs money, which nobody has agreed to.
    here = {"push_to": "", "push_private": True, "flavor": "", "hours": HOURS}
    request = replace(job.request, **_data(job), **here, recipe=recipe, delta=DELTA)
    request.full_recipe()
    settings = {**request.to_job(), "delta_of": job.id}
    return store.add(job.kind, name, settings, lambda folder: _link_or_copy(delta, folder / DELTA / DELTA_FILE))


def _data(job: Job) -> dict[str, Any]:
    """Return the job's data files by absolute paths, because the new job is in another folder."""
    found = {name: _absolute(job, given) for name in DATA if (given := getattr(job.request, name))}
    further = tuple(
        replace(one, file=_absolute(job, one.file), lexicon=_absolute(job, one.lexicon)) for one in job.request.further
    )
    return {**found, "further": further}


def _absolute(job: Job, given: str | tuple[str, ...]) -> Any:
    paths = [job.folder / path for path in ([given] if isinstance(given, str) else given)]
    for path in paths:
        if not path.exists():
            raise JobError(f"{path.name}, the data of {job.name}, no longer exists, but δ depends on it. Restore it.")
    return str(paths[0]) if isinstance(given, str) else tuple(map(str, paths))


def _link_or_copy(delta: Path, place: Path) -> None:
    place.parent.mkdir()
    try:
        try:
            os.link(delta, place)  # needs no space and stays when the other job is deleted
        except FileNotFoundError:
            raise
        except OSError:  # on another disk, or links are not supported
            refuse_if_full(place.parent, delta.stat().st_size)
            shutil.copyfile(delta, place)
    except FileNotFoundError as error:
        raise JobError("δ has just been deleted. Start a new training run, which begins with a dense phase.") from error
