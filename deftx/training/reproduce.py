"""A training request as the command and as the Python that do the same, to be copied."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from deftx.training.request import HF_JOBS, TrainingRequest

OPTIONS = ("method", "rank", "keep", "ablate", "k", "seed")  # settings that have an option of their own
FIELDS = ("column", "valid", "source", "language", "base", "device", "delta", "preset")  # and fields of a request


def to_command(request: TrainingRequest) -> str:
    """Write the command line of a training; run in a shell it does the same as the job."""
    return shlex.join([*_launched(request), "-m", "deftx", *to_argv(request)])


def to_argv(request: TrainingRequest) -> list[str]:
    """Give the arguments of ``python -m deftx`` that ask for the training; its vector goes to ``out_name``.

    The name is not among them, nor are the processes, which a launcher starts.
    """
    files = [*request.corpus, *([request.train] if request.train else [])]
    words = [request.kind, *(f"./{file}" if file.startswith("-") else file for file in files)]
    words += _option("out", out_name(request))
    for name in FIELDS:
        if (value := getattr(request, name)) and not (name == "delta" and request.flavor):  # there it has its place
            words += _option(name, value)
    if request.flavor:
        words += ["--on", HF_JOBS, *_option("flavor", request.flavor), *_option("hours", f"{request.hours:.12g}")]
    words += _push(request, "push-to")
    for name in ("columns", "valid_columns"):
        if columns := getattr(request, name):
            words += [f"--{name.replace('_', '-')}", *(f"{here}={there}" for here, there in columns.items())]
    own = {name: request.recipe[name] for name in OPTIONS if request.recipe.get(name) is not None}
    for name, value in own.items():
        words += _option(name, _typed(value))
    if rest := {name: value for name, value in request.recipe.items() if name not in own}:
        words += ["--set", *(f"{name}={_typed(value)}" for name, value in rest.items())]
    return words


def to_python(request: TrainingRequest) -> str:
    """Write the Python of a training; on a machine elsewhere it is the same, without the word where."""
    changed = "".join(f", {name}={value!r}" for name, value in request.recipe.items())
    device = f", device={request.device!r}" if request.device else ""
    given = {"out": out_name(request)}
    given |= {name: value for name in ("source", "language", "delta") if (value := getattr(request, name))}
    named = ", ".join(f"{name}={value!r}" for name, value in given.items())
    if request.valid:
        named += f", valid={_table(request.valid, request.valid_columns)}"
    lines = ["import deftx"]
    if len(launch := _launched(request)) > 1:
        lines = [f"# To be started as: {shlex.join([*launch, 'FILE.py'])}", "import os", "", *lines]
        device = ", device=f\"cuda:{os.environ['LOCAL_RANK']}\""
    lines += ["", f"base = deftx.load_base({repr(request.base) if request.base else 'deftx.BUNDLED_BASE'}{device})"]
    if request.kind == "task":
        lines += [f"train = {_table(request.train, request.columns)}"]
        lines += [f"recipe = deftx.recipe_for('task', {request.preset!r}, pairs=train.pairs{changed})"]
        lines += [f"vector = deftx.learn_task(train, base, recipe, {named})"]
    else:
        corpus = request.corpus[0] if len(request.corpus) == 1 else list(request.corpus)
        lines += [f"recipe = deftx.recipe_for('language', {request.preset!r}{changed})"]
        read = f"deftx.read_corpus({corpus!r}, column={request.column!r})" if request.column else repr(corpus)
        lines += [f"vector = deftx.learn_language({read}, base, recipe, {named})"]
    if request.push_to:
        words = ["python", "-m", "deftx", "push", given["out"], *_push(request, "to")]
        lines += [f"# The push is a command of its own: {shlex.join(words)}"]
    return "\n".join(lines) + "\n"


def out_name(request: TrainingRequest) -> str:
    """Suggest a folder for the vector: the language or kind in letters that no shell minds."""
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
    return f"deftx.read_table({path!r}{f', columns={dict(columns)!r}' if columns else ''})"


def _typed(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
