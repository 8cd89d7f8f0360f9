"""Converting the page's training requests, which contain names of files and vectors, to those of jobs, which contain paths."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deftx.core.errors import BaseModelError, RecipeError, unknown_name
from deftx.jobs import Job
from deftx.jobs.other_rank import DELTA
from deftx.training.request import TrainingRequest, tuples_of
from deftx.vectors import vector_files
from ui import strings
from ui.corpus.corpora import SAMPLE, SAMPLE_FILE
from ui.library import vector_index
from ui.workspace import Workspace, full_name

# Fields that an API call may set, besides those in NAMED. Devices, folders and columns are set by the page.
OPTIONS = (
    "name",
    "language",
    "base",
    "preset",
    "recipe",
    "processes",
    "flavor",
    "hours",
    "push_to",
    "push_private",
    "report_to",
)
NAMED = {
    "language": ("corpus", "lexicon"),
    "task": ("train", "valid", "source", "repeat", "further", "lexicon", "start"),
}


def from_options(kind: str, options: Mapping[str, Any]) -> TrainingRequest:
    """Return the request for the options of an API call. Options that are None or empty count as not given.

    Args:
        kind: "language" or "task".
        options: Values by name.

    Raises:
        RecipeError: If an option is unknown or its value cannot be used.
    """
    if not isinstance(options, Mapping):
        raise RecipeError("The options of a training run must be an object of values by name.")
    known = (*OPTIONS, *NAMED[kind])
    for name in options:
        if name not in known:
            raise unknown_name("The option", str(name), known)
    given = {name: value.strip() if isinstance(value, str) else value for name, value in options.items()}
    given = {name: value for name, value in given.items() if value not in (None, "")}
    for name in ("corpus", "lexicon"):
        if isinstance(given.get(name), str):
            given[name] = (given[name],)
    given |= tuples_of(given)
    return TrainingRequest(kind=kind, **given)


def resolve(workspace: Workspace, request: TrainingRequest) -> TrainingRequest:
    """Return the job's request for a request of the page.

    Raises:
        DeftxError: If a file, vector or base in the request does not exist here.
    """
    place = {"device": "", "processes": 1} if request.flavor else {"device": workspace.training_device}
    return replace(
        request,
        language=request.language or request.name,
        base=base_of(workspace, request.base),
        delta=DELTA,  # kept after training, to train other ranks, until its space is freed
        **place,
        **_files(workspace, request),
    )


def named(workspace: Workspace, job: Job) -> TrainingRequest:
    """Return the page's request for a job. Deleted files and vectors keep their names."""
    request = job.request
    return replace(
        request,
        base=request.base or workspace.base_name,
        language="" if request.language == job.name else request.language,
        corpus=tuple(map(_name_of, request.corpus)),
        train=_name_of(request.train),
        valid=_name_of(request.valid),
        source=_key_of(workspace, request.source),
        start=_key_of(workspace, request.start, "task"),
        lexicon=tuple(map(_name_of, request.lexicon)),
        further=tuple(
            replace(
                one,
                file=_name_of(one.file),
                source=_key_of(workspace, one.source),
                columns={},
                lexicon=tuple(map(_name_of, one.lexicon)),
            )
            for one in request.further
        ),
        columns={},
        valid_columns={},
        device="",
        delta="",
    )


def base_of(workspace: Workspace, named: str) -> str:
    """Return the base of a request: by default that of the page; a folder as its absolute path.

    Raises:
        BaseModelError: If someone other than the host names a folder of this machine.
    """
    base = full_name(named.strip() or workspace.base_name)
    elsewhere = Path(base).is_absolute() or ".." in Path(base).parts or base.startswith("~")
    if not workspace.is_host and base != workspace.base_name and elsewhere:
        raise BaseModelError(strings.NO_FOLDER_AS_BASE)
    return base


def _files(workspace: Workspace, request: TrainingRequest) -> dict[str, Any]:
    lexicon = _lexicons(workspace, request.lexicon)
    if request.kind == "language":
        return {"corpus": (str(workspace.corpora.path(request.data)),), "lexicon": lexicon}
    tables = workspace.tables
    valid = request.valid
    return {
        "lexicon": lexicon,
        "further": tuple(
            replace(
                one,
                file=str(tables.path(one.file)),
                columns=_own_columns(tables.columns(one.file)),
                source=_folder(workspace, "language", one.source),
                lexicon=_lexicons(workspace, one.lexicon),
            )
            for one in request.further
        ),
        "train": str(tables.path(request.train)),
        "columns": _own_columns(tables.columns(request.train)),
        "valid": str(tables.path(valid)) if valid else "",
        "valid_columns": _own_columns(tables.columns(valid)) if valid else {},
        "source": _folder(workspace, "language", request.source),
        "start": _folder(workspace, "task", request.start),
    }


def _folder(workspace: Workspace, kind: str, key: str) -> str:
    return str(vector_index.find(workspace.store, kind, key).folder) if key else ""


def _lexicons(workspace: Workspace, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(workspace.lexicons.path(name)) for name in names)


def _own_columns(columns: Mapping[str, str]) -> dict[str, str]:
    return dict(columns) if any(here != there for here, there in columns.items()) else {}


def _name_of(path: str) -> str:
    return SAMPLE if path and Path(path) == SAMPLE_FILE else Path(path).name


def _key_of(workspace: Workspace, path: str, kind: str = "language") -> str:
    if not path:
        return ""
    folder = Path(path)
    if folder.parent == vector_files.BUNDLED_VECTORS:
        return f"bundled:{folder.name}"
    return next(
        (e.key for e in vector_index.entries(workspace.store, kind) if e.folder == folder),
        f"job:{folder.parent.name}",
    )
