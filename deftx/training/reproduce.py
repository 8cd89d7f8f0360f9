"""A training request as a command line and as Python code."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from deftx.training.labelled_files import LabelledFile, short_names
from deftx.training.request import HF_JOBS, TrainingRequest

OPTIONS = ("method", "rank", "keep", "ablate", "k", "seed")  # settings with their own option
FIELDS = (
    "column",
    "valid",
    "start",
    "language",
    "base",
    "device",
    "delta",
    "preset",
)  # fields of a request with an option


def to_command(request: TrainingRequest) -> str:
    """Return the command line of a training run, which does the same as the job."""
    return shlex.join([*_launched(request), "-m", "deftx", *to_argv(request)])


def to_argv(request: TrainingRequest) -> list[str]:
    """Return the arguments of ``python -m deftx`` for the training run; its vector is written to ``out_name``.

    The name of the job and the number of processes, which a launcher starts, are omitted.
    """
    files = [*request.corpus, *(one.file for one in request.labelled)]
    words = [request.kind, *(f"./{file}" if file.startswith("-") else file for file in files)]
    words += _option("out", out_name(request))
    for name in FIELDS:
        if (value := getattr(request, name)) and not (
            name == "delta" and request.flavor
        ):  # remote jobs choose the folder
            words += _option(name, value)
    if request.flavor:
        words += ["--on", HF_JOBS, *_option("flavor", request.flavor), *_option("hours", f"{request.hours:.12g}")]
    words += _push(request, "push-to")
    words += _option("report-to", request.report_to) if request.report_to else []
    words += _of_files(request)
    if columns := request.valid_columns:
        words += ["--valid-columns", *(f"{here}={there}" for here, there in columns.items())]
    own = {name: request.recipe[name] for name in OPTIONS if request.recipe.get(name) is not None}
    for name, value in own.items():
        words += _option(name, _typed(value))
    if rest := {name: value for name, value in request.recipe.items() if name not in own}:
        words += ["--set", *(f"{name}={_typed(value)}" for name, value in rest.items())]
    return words


def _of_files(request: TrainingRequest) -> list[str]:
    """Return the options for the files of training data; with several labelled files, they name the file."""
    files = request.labelled
    if not files:
        return [word for path in request.lexicon for word in _option("lexicon", path)]
    names = [f"{name}=" for name in short_names([one.file for one in files])] if len(files) > 1 else [""]
    words = []
    for name, one in zip(names, files, strict=True):
        given = [("source", one.source), ("repeat", str(one.repeat) if one.repeat > 1 else "")]
        for option, value in [*given, *(("lexicon", path) for path in one.lexicon)]:
            words += _option(option, f"{name}{value}") if value else []
    columns = [f"{name}{here}={there}" for name, one in zip(names, files, strict=True)
               for here, there in one.columns.items()]  # fmt: skip
    if len(files) == 1:
        return [*words, *(["--columns", *columns] if columns else [])]
    return [*words, *(word for column in columns for word in _option("columns", column))]


def to_python(request: TrainingRequest) -> str:
    """Return the Python code of a training run; that of a remote one trains on the machine that runs it."""
    changed = "".join(f", {name}={value!r}" for name, value in request.recipe.items())
    device = f", device={request.device!r}" if request.device else ""
    given = {"out": out_name(request)}
    given |= {name: value for name in ("start", "language", "delta") if (value := getattr(request, name))}
    given |= _of_labelled(request.labelled) if request.further else _of_one(request)
    named = ", ".join(f"{name}={value!r}" for name, value in given.items())
    if request.valid:
        named += f", valid={_table(request.valid, request.valid_columns)}"
    lines = ["import deftx"]
    if len(launch := _launched(request)) > 1:
        lines = [f"# Start as: {shlex.join([*launch, 'FILE.py'])}", "import os", "", *lines]
        device = ", device=f\"cuda:{os.environ['LOCAL_RANK']}\""
    lines += ["", f"base = deftx.load_base({repr(request.base) if request.base else 'deftx.BUNDLED_BASE'}{device})"]
    if request.kind == "task":
        tables = [_table(one.file, one.columns) for one in request.labelled]
        several = len(tables) > 1
        lines += [f"train = {'[' + ', '.join(tables) + ']' if several else tables[0]}"]
        first = "train[0]" if several else "train"
        pairs = f"isinstance({first}, deftx.Table) and {first}.pairs"  # neither tagged words nor questions are pairs
        lines += [f"recipe = deftx.recipe_for('task', {request.preset!r}, pairs={pairs}{changed})"]
        lines += [f"vector = deftx.learn_task(train, base, recipe, {named})"]
    else:
        corpus = request.corpus[0] if len(request.corpus) == 1 else list(request.corpus)
        lines += [f"recipe = deftx.recipe_for('language', {request.preset!r}{changed})"]
        read = f"deftx.read_corpus({corpus!r}, column={request.column!r})" if request.column else repr(corpus)
        lines += [f"vector = deftx.learn_language({read}, base, recipe, {named})"]
    if request.push_to:
        words = ["python", "-m", "deftx", "push", given["out"], *_push(request, "to")]
        lines += [f"# To push the vector: {shlex.join(words)}"]
    return "\n".join(lines) + "\n"


def _of_one(request: TrainingRequest) -> dict[str, Any]:
    """Return the arguments of ``learn_task`` or ``learn_language`` for one file that are given."""
    found = {"source": request.source, "repeat": request.repeat, "lexicon": list(request.lexicon)}
    return {name: value for name, value in found.items() if value and value != 1}


def _of_labelled(files: list[LabelledFile]) -> dict[str, Any]:
    """Return the arguments of ``learn_task`` for several files: lists with a value for each."""
    found = {
        "source": [one.source or None for one in files],
        "repeat": [one.repeat for one in files],
        "lexicon": [list(one.lexicon) or None for one in files],
    }
    return {name: values for name, values in found.items() if any(value not in (None, 1) for value in values)}


def out_name(request: TrainingRequest) -> str:
    """Return a folder name for the vector, from its language or kind, without special characters."""
    plain = re.sub(r"[^\w.-]+", "-", request.language).strip("-.")
    return plain if plain else f"{request.kind}-vector"


def _option(name: str, value: str) -> list[str]:
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def _push(request: TrainingRequest, option: str) -> list[str]:
    if not request.push_to:
        return []
    return [*_option(option, request.push_to), *(["--private"] if request.push_private else [])]


def _launched(request: TrainingRequest) -> list[str]:
    if request.processes == 1:
        return ["python"]
    return ["accelerate", "launch", "--multi_gpu", "--num_processes", str(request.processes)]


def _table(path: str, columns: Mapping[str, str]) -> str:
    return f"deftx.read_labelled({path!r}{f', columns={dict(columns)!r}' if columns else ''})"


def _typed(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
