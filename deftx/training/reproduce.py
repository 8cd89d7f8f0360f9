"""A training run as a command line and as Python code, from the settings of a job."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

OPTIONS = ("method", "rank", "keep", "ablate", "k", "seed")  # settings with their own option
ELSEWHERE = "hf-jobs"  # device of remote jobs; the Python code trains on the machine that runs it
COLUMNS = ("columns", "valid_columns")
DATA = {"language": "corpus", "task": "train"}  # the setting with the training data


def as_command(kind: str, settings: Mapping[str, Any]) -> str:
    """Return the command line of a training run, which does the same as the job."""
    words = [*_launched(settings), "-m", "deftx", kind, *_files(settings[DATA[kind]])]
    words += ["--out", out_name(kind, settings)]
    away = settings.get("device") == ELSEWHERE
    for name in ("valid", "source", "language", "base", "device", "delta", "preset"):
        if settings.get(name) and not (away and name in ("device", "delta")):
            words += [f"--{name}", str(settings[name])]
    if away:
        words += ["--on", ELSEWHERE, "--flavor", str(settings["flavor"]), "--hours", f"{settings['hours']:g}"]
    words += _push(settings, "--push-to")
    for name in COLUMNS:
        if settings.get(name):
            words += [f"--{name.replace('_', '-')}", *(f"{here}={there}" for here, there in settings[name].items())]
    recipe = dict(settings.get("recipe") or {})
    for name in OPTIONS:
        if recipe.get(name) is not None:
            words += [f"--{name}", _typed(recipe.pop(name))]
    recipe.pop("ablate", None)  # None is the default of every preset
    if recipe:
        words += ["--set", *(f"{name}={_typed(value)}" for name, value in recipe.items())]
    return " ".join(shlex.quote(word) for word in words)


def as_python(kind: str, settings: Mapping[str, Any]) -> str:
    """Return the Python code of a training run."""
    data, preset, recipe = settings[DATA[kind]], settings.get("preset") or "quick", settings.get("recipe") or {}
    changed = "".join(f", {name}={value!r}" for name, value in recipe.items())
    device = f", device={settings['device']!r}" if settings.get("device") not in (None, "", ELSEWHERE) else ""
    base = repr(settings["base"]) if settings.get("base") else "deftx.BUNDLED_BASE"
    given = {name: settings[name] for name in ("valid", "source", "language", "delta") if settings.get(name)}
    given = {"out": out_name(kind, settings), **given}
    named = ", ".join(f"{name}={value!r}" for name, value in given.items() if name != "valid")
    if settings.get("valid"):
        named += f", valid={_table(settings['valid'], settings.get('valid_columns'))}"
    lines = ["import deftx"]
    if len(launch := _launched(settings)) > 1:
        lines = [f"# Start as: {shlex.join([*launch, 'FILE.py'])}", "import os", "", *lines]
        device = ", device=f\"cuda:{os.environ['LOCAL_RANK']}\""
    if kind == "task":
        lines += ["from deftx.data.tables import read_table"]
    lines += ["", f"base = deftx.load_base({base}{device})"]
    if kind == "task":
        lines += [f"train = {_table(data, settings.get('columns'))}"]
        lines += [f"recipe = deftx.recipe_for({kind!r}, {preset!r}, pairs=train.pairs{changed})"]
        lines += [f"vector = deftx.learn_task(train, base, recipe, {named})"]
    else:
        lines += [f"recipe = deftx.recipe_for({kind!r}, {preset!r}{changed})"]
        lines += [f"vector = deftx.learn_language({data!r}, base, recipe, {named})"]
    if settings.get("push_to"):
        words = ["python", "-m", "deftx", "push", given["out"], *_push(settings, "--to")]
        lines += [f"# To push the vector: {shlex.join(words)}"]
    return "\n".join(lines) + "\n"


def _push(settings: Mapping[str, Any], option: str) -> list[str]:
    if not settings.get("push_to"):
        return []
    return [option, settings["push_to"], *(["--private"] if settings.get("push_private") else [])]


def _launched(settings: Mapping[str, Any]) -> list[str]:
    processes = settings.get("processes") or 1
    if processes == 1:
        return ["python"]
    return ["accelerate", "launch", "--multi_gpu", "--num_processes", str(processes)]


def out_name(kind: str, settings: Mapping[str, Any]) -> str:
    """Return a folder name for the vector, from its language, without special characters."""
    plain = re.sub(r"[^\w.-]+", "-", str(settings.get("language") or "")).strip("-.")
    return plain if plain else f"{kind}-vector"


def _table(path: str, columns: Mapping[str, str] | None) -> str:
    return f"read_table({path!r}, columns={dict(columns)!r})" if columns else f"read_table({path!r})"


def _files(data: Any) -> list[str]:
    return [str(path) for path in (data if isinstance(data, list | tuple) else [data])]


def _typed(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
