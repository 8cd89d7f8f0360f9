"""``--on hf-jobs``: a training of the command line on a machine of Hugging Face Jobs, watched from here until its end.

The job lies in the folder ``hf-job`` of ``--out``. The same command finds a training that still runs, or goes on from its
checkpoint.
"""

import argparse
import os
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deftx.commands import output
from deftx.core.errors import RecipeError
from deftx.core.events import Event
from deftx.core.files import move, require_empty, write_json
from deftx.jobs.job import EVENTS, OUT, SETTINGS, read_json
from deftx.jobs.remote import places
from deftx.training.request import HF_JOBS, HOURS, NO_FLAVOR, TrainingRequest

HERE, FOLDER = "here", "hf-job"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a training runs."""
    parser.add_argument("--on", choices=(HERE, HF_JOBS), default=HERE,
                        help="where to train: here, or on a machine of Hugging Face Jobs, which costs money (here)")  # fmt: skip
    parser.add_argument("--flavor", metavar="NAME", help="with --on hf-jobs: the machine, e.g. l4x1")
    parser.add_argument("--hours", type=float, metavar="H",
                        help=f"with --on hf-jobs: it is switched off after so many hours ({HOURS:g})")  # fmt: skip


def check_options(arguments: argparse.Namespace) -> None:
    """Check the options that say where a training runs; RecipeError where they do not go together."""
    if arguments.on == HF_JOBS:
        if arguments.encoding:
            raise RecipeError(f"With --on {HF_JOBS} every file has to be UTF-8: save it so, and leave --encoding away.")
        for name in ("delta", "device"):
            if getattr(arguments, name):
                raise RecipeError(f"--{name} is about this machine; leave it away with --on {HF_JOBS}.")
        if not arguments.flavor:
            raise RecipeError(NO_FLAVOR)
        return
    for name in ("flavor", "hours"):
        if getattr(arguments, name) is not None:
            raise RecipeError(f"--{name} is about a machine of Hugging Face Jobs; give --on {HF_JOBS} as well.")


def learn(request: TrainingRequest, out: Path, should_stop: Callable[[], bool], pairs: bool = False) -> Any:
    """Train on Hugging Face Jobs and return the vector, which lies in ``out`` then.

    Raises:
        DeftxError: it cannot be started, or failed there. TrainingStopped: it was stopped; its checkpoint is here.
    """
    from deftx.jobs.remote.watcher import train_elsewhere
    from deftx.jobs.worker import EventLog
    from deftx.vectors.vector import SparseVector
    from deftx.vectors.vector_files import INFO

    request = _for_a_job(request, pairs)
    _say_price(request)
    folder = _claim(out, request)
    told, shown = EventLog(folder / EVENTS), output.ProgressLine()

    def on_event(event: Event) -> None:
        told.write(event)
        shown(event)

    train_elsewhere(request.to_job(), folder, on_event, should_stop)
    for entry in sorted((folder / OUT).iterdir(), key=lambda entry: entry.name == INFO):  # last: then it is whole
        move(entry, out / entry.name)
    shutil.rmtree(folder)
    return SparseVector.load(out)


def _for_a_job(request: TrainingRequest, pairs: bool) -> TrainingRequest:
    """Name files by full paths, and of the settings those alone that differ from the preset's; the command pushes itself."""
    preset = replace(request, recipe={}).full_recipe(pairs).to_dict()
    recipe = {name: value for name, value in request.full_recipe(pairs).to_dict().items() if value != preset[name]}
    files = {name: os.path.abspath(path) for name in ("train", "valid") if (path := getattr(request, name))}
    return replace(
        request, recipe=recipe, corpus=tuple(map(os.path.abspath, request.corpus)), **files,
        base=_place(request.base), source=_place(request.source), push_to="", push_private=True,
    )  # fmt: skip


def _place(name: str) -> str:
    """Give a folder by its full path; names of the Hub and bundled ones stay as they are."""
    from deftx.jobs.remote.package import is_bundled

    if not name or is_bundled(name) or not Path(name).expanduser().is_dir():
        return name
    return os.path.abspath(Path(name).expanduser())


def _say_price(request: TrainingRequest) -> None:
    from deftx.jobs.remote import flavors

    flavor = flavors.find(flavors.ask(places.client()), request.flavor)
    price = (
        f"{flavor.price(1)} an hour, {flavor.price(request.hours)} at most"
        if flavor.dollars is not None
        else "price not known"
    )
    output.say(
        f"On {flavor.machine}, for {request.hours:g} h at most: {price}. How long it takes there is not known beforehand."
    )


def _claim(out: Path, request: TrainingRequest) -> Path:
    """Make the job's folder, or make sure that the one that is there belongs to the same training."""
    folder = out / FOLDER
    if there := read_json(folder / SETTINGS):
        before = TrainingRequest.from_job(there["kind"], there["settings"])
        differ = [one.name for one in fields(request) if getattr(before, one.name) != getattr(request, one.name)]
        if differ:
            raise RecipeError(
                f"{folder} holds a training with other settings ({', '.join(differ)}). Choose another --out."
            )
        return folder
    require_empty(out, "vector", besides={FOLDER}, error=RecipeError)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    write_json(folder / SETTINGS, {"id": now, "kind": request.kind, "name": out.name, "settings": request.to_job()})
    return folder
