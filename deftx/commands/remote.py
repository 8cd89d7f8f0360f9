"""``--on hf-jobs``: training from the command line on Hugging Face Jobs, monitored until it ends.

The job is stored in the folder ``hf-job`` of ``--out``. The same command finds a job that is still running, or continues
from its checkpoint.
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
from deftx.core.events import Event, OnEvent
from deftx.core.files import expanded, move, require_empty, write_json
from deftx.jobs.job import EVENTS, OUT, SETTINGS, read_json
from deftx.jobs.remote import places
from deftx.training.request import HF_JOBS, HOURS, NO_FLAVOR, TrainingRequest

HERE, FOLDER = "here", "hf-job"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for remote training."""
    parser.add_argument("--on", choices=(HERE, HF_JOBS), default=HERE,
                        help="where to train: on this machine, or on Hugging Face Jobs, which costs money (here)")  # fmt: skip
    parser.add_argument("--flavor", metavar="NAME", help="with --on hf-jobs: the machine, e.g. l4x1")
    parser.add_argument("--hours", type=float, metavar="H",
                        help=f"with --on hf-jobs: time limit in hours ({HOURS:g})")  # fmt: skip


def check_options(arguments: argparse.Namespace) -> None:
    """Check the options for where to train. Raise RecipeError for options that cannot be combined."""
    if arguments.on == HF_JOBS:
        if arguments.encoding:
            raise RecipeError(f"With --on {HF_JOBS} every file must be UTF-8: save it as UTF-8 and omit --encoding.")
        for name in ("delta", "device"):
            if getattr(arguments, name):
                raise RecipeError(f"--{name} applies only to this machine; omit it with --on {HF_JOBS}.")
        if not arguments.flavor:
            raise RecipeError(NO_FLAVOR)
        return
    for name in ("flavor", "hours"):
        if getattr(arguments, name) is not None:
            raise RecipeError(f"--{name} applies only to Hugging Face Jobs; add --on {HF_JOBS}.")


def learn(
    request: TrainingRequest, out: Path, on_event: OnEvent, should_stop: Callable[[], bool], pairs: bool = False
) -> Any:
    """Train on Hugging Face Jobs, write the vector to ``out`` and return it.

    Raises:
        DeftxError: If the job cannot be started, or failed.
        TrainingStopped: If it was stopped; its checkpoint was downloaded.
    """
    from deftx.jobs.remote.watcher import train_remotely
    from deftx.jobs.worker import EventLog
    from deftx.vectors.vector import SparseVector
    from deftx.vectors.vector_files import INFO

    request = _for_a_job(request, pairs)
    _say_price(request)
    folder = _claim(out, request)
    event_log = EventLog(folder / EVENTS)

    def both(event: Event) -> None:
        event_log.write(event)
        on_event(event)

    train_remotely(request.to_job(), folder, both, should_stop)
    for entry in sorted(
        (folder / OUT).iterdir(), key=lambda entry: entry.name == INFO
    ):  # INFO last: it marks a complete vector
        move(entry, out / entry.name)
    shutil.rmtree(folder)
    return SparseVector.load(out)


def _for_a_job(request: TrainingRequest, pairs: bool) -> TrainingRequest:
    """Return the request for a job: absolute paths, only settings that differ from the preset, and no push."""
    preset = replace(request, recipe={}).full_recipe(pairs).to_dict()
    recipe = {name: value for name, value in request.full_recipe(pairs).to_dict().items() if value != preset[name]}
    files = {name: os.path.abspath(path) for name in ("train", "valid") if (path := getattr(request, name))}
    several = {name: tuple(map(os.path.abspath, getattr(request, name))) for name in ("corpus", "lexicon")}
    places = {name: _place(getattr(request, name)) for name in ("base", "source", "start")}
    further = tuple(
        replace(one, file=os.path.abspath(one.file), source=_place(one.source),
                lexicon=tuple(map(os.path.abspath, one.lexicon)))
        for one in request.further
    )  # fmt: skip
    return replace(
        request,
        recipe=recipe,
        further=further,
        push_to="",
        push_private=True,
        report_to="",
        **files,
        **several,
        **places,
    )


def _place(name: str) -> str:
    """Return a folder as an absolute path, and a Hub id or bundled name unchanged."""
    from deftx.jobs.remote.package import is_bundled

    if not name or is_bundled(name) or not expanded(name).is_dir():
        return name
    return os.path.abspath(expanded(name))


def _say_price(request: TrainingRequest) -> None:
    from deftx.jobs.remote import flavors

    flavor = flavors.find(flavors.ask(places.client()), request.flavor)
    price = (
        f"{flavor.price(1)} an hour, {flavor.price(request.hours)} at most"
        if flavor.dollars is not None
        else "price unknown"
    )
    output.say(
        f"On {flavor.machine}, for {request.hours:g} h at most: {price}. The training time is not known in advance."
    )


def _claim(out: Path, request: TrainingRequest) -> Path:
    """Create the job's folder, or check that the existing one has the same settings."""
    folder = out / FOLDER
    if existing := read_json(folder / SETTINGS):
        before = TrainingRequest.from_job(existing["kind"], existing["settings"])
        differ = [one.name for one in fields(request) if getattr(before, one.name) != getattr(request, one.name)]
        if differ:
            raise RecipeError(
                f"{folder} contains a training run with other settings ({', '.join(differ)}). Choose another --out."
            )
        return folder
    require_empty(out, "vector", besides={FOLDER}, error=RecipeError)
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    write_json(folder / SETTINGS, {"id": now, "kind": request.kind, "name": out.name, "settings": request.to_job()})
    return folder
