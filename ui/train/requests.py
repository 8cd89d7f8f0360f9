"""Orders: what a person asked to be trained, by names; and the job's settings, which say the same by paths."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deftx.core.errors import BaseModelError
from deftx.jobs import Job
from deftx.jobs.other_rank import DELTA
from deftx.jobs.remote.places import HOURS, settings_for
from deftx.models.bases import ASSETS
from deftx.vectors import vector_files
from ui import strings
from ui.corpus.corpora import SAMPLE, SAMPLE_FILE
from ui.library import vector_index

if TYPE_CHECKING:
    from ui.studio import Studio

# An order has name, language (a code), base, preset and recipe, and by kind: corpus; or train, valid and source.
# One that is to run elsewhere has flavor (the machine's name) and hours.
# Where a machine has several GPUs, it may have processes: how many of them it takes. One that is to end in a push to the
# Hub has push_to (a repository) and push_private.
Order = Mapping[str, Any]


def job_settings(studio: "Studio", kind: str, order: Order) -> dict[str, Any]:
    """Turn an order into the settings of a job; DeftxError for a name that is not known here."""
    name = str(order.get("name") or "").strip()
    settings = {
        "language": str(order.get("language") or "").strip() or name,
        "base": base_of(studio, order),
        "device": studio.device,
        "preset": order.get("preset") or "quick",
        "recipe": dict(order.get("recipe") or {}),
        "delta": DELTA,  # stays after the training, for other ranks, until it is freed
    }
    if order.get("flavor"):
        settings |= settings_for(order["flavor"], order.get("hours") or HOURS)
    elif (processes := order.get("processes") or 1) > 1:
        settings["processes"] = processes
    if push_to := str(order.get("push_to") or "").strip():
        settings |= {"push_to": push_to, "push_private": bool(order.get("push_private", True))}
    if kind == "language":
        return {"corpus": str(studio.corpora.path(order.get("corpus") or "")), **settings}
    files = {"train": str(studio.tables.path(order.get("train") or ""))}
    files |= _own_columns("columns", studio.tables.columns(order["train"]))
    if order.get("valid"):
        files["valid"] = str(studio.tables.path(order["valid"]))
        files |= _own_columns("valid_columns", studio.tables.columns(order["valid"]))
    if order.get("source"):
        files["source"] = str(vector_index.find(studio.store, "language", order["source"]).folder)
    return {**files, **settings}


def order_of(studio: "Studio", job: Job) -> dict[str, Any]:
    """Turn a job back into the order it came of; files and vectors that are gone keep the name they had."""
    settings = job.settings
    order = {
        name: settings[name]
        for name in ("preset", "recipe", "processes", "push_to", "flavor", "hours")
        if settings.get(name)
    }
    if "push_to" in order:
        order["push_private"] = bool(settings.get("push_private"))
    order |= {"name": job.name, "base": settings.get("base") or studio.base_name}
    order["language"] = "" if settings.get("language") == job.name else settings.get("language") or ""
    for name in ("corpus", "train", "valid"):
        if settings.get(name):
            path = settings[name][0] if isinstance(settings[name], list) else settings[name]
            order[name] = SAMPLE if Path(path) == SAMPLE_FILE else Path(path).name
    if settings.get("source"):
        order["source"] = _key_of(studio, Path(settings["source"]))
    return order


def base_of(studio: "Studio", order: Order) -> str:
    """Name the base of an order: the page's where none is named, a folder by its full path.

    Raises:
        BaseModelError: a person's order names a folder of this machine; that is the host's alone.
    """
    base = full_name(str(order.get("base") or "").strip() or studio.base_name)
    if not studio.is_host and base != studio.base_name and (Path(base).is_absolute() or ".." in Path(base).parts):
        raise BaseModelError(strings.NO_FOLDER_AS_BASE)
    return base


def full_name(base: str) -> str:
    """Give a base's name as a worker started from elsewhere needs it: a folder as a full path."""
    bundled = (ASSETS / "bases" / base).is_dir()
    folder = Path(base).expanduser()
    return str(folder.resolve()) if folder.is_dir() and not bundled else base


def _own_columns(name: str, columns: Mapping[str, str]) -> dict[str, Any]:
    own = {here: there for here, there in columns.items() if here != there}
    return {name: dict(columns)} if own else {}


def _key_of(studio: "Studio", folder: Path) -> str:
    if folder.parent == vector_files.BUNDLED_VECTORS:
        return f"bundled:{folder.name}"
    return next(
        (e.key for e in vector_index.entries(studio.store, "language") if e.folder == folder),
        f"job:{folder.parent.name}",
    )
