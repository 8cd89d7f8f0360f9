"""A training as the command and as the Python that do the same, to be copied; the settings are those of a job."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

OPTIONS = ("method", "rank", "keep", "ablate", "k", "seed")  # settings that have an option of their own
ELSEWHERE = "hf-jobs"  # as the device of a job; the Python does the same on the machine that runs it
COLUMNS = ("columns", "valid_columns")
DATA = {"language": "corpus", "task": "train"}  # the setting that names what is learned from


def as_command(kind: str, settings: Mapping[str, Any]) -> str:
    """Write the command line of a training; run in a shell it does the same as the job."""
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
    recipe.pop("ablate", None)  # None: no part is left out, as in every preset
    if recipe:
        words += ["--set", *(f"{name}={_typed(value)}" for name, value in recipe.items())]
    return " ".join(shlex.quote(word) for word in words)


def as_python(kind: str, settings: Mapping[str, Any]) -> str:
    """Write the Python of a training."""
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
        lines = [f"# To be started as: {shlex.join([*launch, 'FILE.py'])}", "import os", "", *lines]
        device = ", device=f\"cuda:{os.environ['LOCAL_RANK']}\""
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
        lines += [f"# The push is a command of its own: {shlex.join(words)}"]
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
    """Suggest a folder for the vector: the language or name in letters that no shell minds."""
    plain = re.sub(r"[^\w.-]+", "-", str(settings.get("language") or "")).strip("-.")
    return plain if plain else f"{kind}-vector"


def _table(path: str, columns: Mapping[str, str] | None) -> str:
    return f"deftx.read_table({path!r}{f', columns={dict(columns)!r}' if columns else ''})"


def _files(data: Any) -> list[str]:
    return [str(path) for path in (data if isinstance(data, list | tuple) else [data])]


def _typed(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
