"""``--on hf-jobs``: a training of the command line on a machine of Hugging Face Jobs, watched from here until its end.

The job lies in the folder ``hf-job`` of ``--out``. The same command finds a training that still runs, or goes on from its
checkpoint.
"""

import argparse
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deftx.commands import output
from deftx.core.errors import RecipeError
from deftx.core.events import Event
from deftx.jobs.job import EVENTS, HF_JOBS, OUT, SETTINGS, read_json, write_json
from deftx.jobs.remote import places

HERE, FOLDER = "here", "hf-job"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a training runs."""
    parser.add_argument("--on", choices=(HERE, HF_JOBS), default=HERE,
                        help="where to train: here, or on a machine of Hugging Face Jobs, which costs money (here)")  # fmt: skip
    parser.add_argument("--flavor", metavar="NAME", help="with --on hf-jobs: the machine, e.g. l4x1")
    parser.add_argument("--hours", type=float, metavar="H",
                        help=f"with --on hf-jobs: it is switched off after so many hours ({places.HOURS:g})")  # fmt: skip


def is_remote(arguments: argparse.Namespace) -> bool:
    """Say whether the training runs on another machine; RecipeError for options that do not go together."""
    if arguments.on == HF_JOBS:
        if arguments.encoding:
            raise RecipeError(f"With --on {HF_JOBS} every file has to be UTF-8: save it so, and leave --encoding away.")
        for name in ("delta", "device"):
            if getattr(arguments, name):
                raise RecipeError(f"--{name} is about this machine; leave it away with --on {HF_JOBS}.")
        return True
    for name in ("flavor", "hours"):
        if getattr(arguments, name) is not None:
            raise RecipeError(f"--{name} is about a machine of Hugging Face Jobs; give --on {HF_JOBS} as well.")
    return False


def learn(
    kind: str, arguments: argparse.Namespace, recipe: Any, should_stop: Callable[[], bool], pairs: bool = False
) -> Any:
    """Train on Hugging Face Jobs and return the vector, which lies in ``--out`` then.

    Raises:
        DeftxError: it cannot be ordered, or failed there. TrainingStopped: it was stopped; its checkpoint is here.
    """
    from deftx.jobs.remote.watcher import train_elsewhere
    from deftx.jobs.worker import EventLog
    from deftx.training.recipes import recipe_for
    from deftx.vectors.vector import SparseVector

    preset = recipe_for(kind, arguments.preset, pairs=pairs)
    settings = _settings(kind, arguments, recipe, preset)
    out = Path(arguments.out).expanduser()
    _say_price(places.remote_request(settings))
    folder = _claim(out, kind, settings)
    told, shown = EventLog(folder / EVENTS), output.ProgressLine()

    def on_event(event: Event) -> None:
        told.write(event)
        shown(event)

    train_elsewhere(settings, folder, on_event, should_stop)
    for entry in sorted((folder / OUT).iterdir()):
        os.replace(entry, out / entry.name)
    shutil.rmtree(folder)
    return SparseVector.load(out)


def _settings(kind: str, arguments: argparse.Namespace, recipe: Any, preset: Any) -> dict[str, Any]:
    before = asdict(preset)
    changed = {name: value for name, value in asdict(recipe).items() if value != before[name]}
    hours = places.HOURS if arguments.hours is None else arguments.hours
    settings = {
        "preset": arguments.preset,
        "recipe": changed,
        "language": arguments.language,
        "base": _place(arguments.base),
    }
    if kind == "language":
        settings["corpus"] = [os.path.abspath(path) for path in arguments.corpus]
        settings["column"] = arguments.column
    else:
        settings["train"] = os.path.abspath(arguments.train)
        settings["valid"] = arguments.valid and os.path.abspath(arguments.valid)
        settings["source"] = _place(arguments.source)
        for name in ("columns", "valid_columns"):
            settings[name] = dict(text.split("=", 1) for text in getattr(arguments, name))
    given = {name: value for name, value in settings.items() if value}
    return {**given, **places.settings_for(arguments.flavor or "", hours)}


def _place(name: str | None) -> str | None:
    """Give a folder by its full path; names of the Hub and bundled ones stay as they are."""
    from deftx.jobs.remote.package import is_bundled

    if not name or is_bundled(name) or not Path(name).expanduser().is_dir():
        return name
    return os.path.abspath(Path(name).expanduser())


def _say_price(order: places.RemoteRequest) -> None:
    from deftx.jobs.remote import flavors

    flavor = flavors.find(flavors.ask(places.client()), order.flavor)
    price = (
        f"{flavor.price(1)} an hour, {flavor.price(order.hours)} at most"
        if flavor.dollars is not None
        else "price not known"
    )
    output.say(
        f"On {flavor.machine}, for {order.hours:g} h at most: {price}. How long it takes there is not known beforehand."
    )


def _claim(out: Path, kind: str, settings: Mapping[str, Any]) -> Path:
    """Make the job's folder, or make sure that the one that is there belongs to the same training."""
    folder = out / FOLDER
    there = read_json(folder / SETTINGS)
    if there is not None:
        differ = [
            name for name in {**there["settings"], **settings} if there["settings"].get(name) != settings.get(name)
        ]
        if differ or there["kind"] != kind:
            raise RecipeError(
                f"{folder} holds a training with other settings ({', '.join(differ) or 'kind'}). Choose another --out."
            )
        return folder
    if out.exists() and (not out.is_dir() or any(entry.name != FOLDER for entry in out.iterdir())):
        raise RecipeError(f"{out} is not empty. Choose another --out for the vector.")
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    write_json(folder / SETTINGS, {"id": now, "kind": kind, "name": out.name, "settings": dict(settings)})
    return folder
