"""The environment of MAD-X: a folder with its own Python packages, made on first use, and the jobs that run in it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from deftx.core.errors import DeftxError, TrainingError

FOLDER = Path(__file__).resolve().parent
REQUIREMENTS, PROGRAM = FOLDER / "requirements.txt", FOLDER / "train.py"
DONE = "done.json"  # what a finished job says about itself; written last

# Prints the installed version of each package that is named, or null.
VERSIONS = """import importlib.metadata as m, json, sys
print(json.dumps({n: next((d.version for d in m.distributions(name=n)), None) for n in sys.argv[1:]}))"""


def pinned() -> dict[str, str]:
    """Return the version of each package that the requirements name."""
    return dict(re.findall(r"^([\w-]+)==(\S+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE))


def python_of(folder: Path) -> Path:
    """Return the Python of an environment, whether it is there or not."""
    return folder / "bin/python"


def prepare(folder: Path) -> Path:
    """Make the environment unless it is there, and return its Python.

    Raises:
        DeftxError: If its packages cannot be installed, or have other versions than the requirements say.
    """
    python = python_of(folder)
    if not python.is_file():
        _run([sys.executable, "-m", "venv", str(folder)], f"{folder} could not be made")
    if _differ(python):
        _run(
            [str(python), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)],
            f"{REQUIREMENTS} could not be installed",
        )
    if differ := _differ(python):
        found = ", ".join(
            f"{name} {version or 'not there'} in place of {pinned()[name]}" for name, version in differ.items()
        )
        raise DeftxError(f"{folder} has {found}. Name another folder with --environment.")
    return python


def work(python: Path, what: str, folder: Path) -> dict:
    """Do the job that is described in a folder, and return what it says about itself.

    Raises:
        TrainingError: If it fails. What it has printed says why.
    """
    _run([str(python), str(PROGRAM), what, str(folder)], f"The job in {folder} failed", TrainingError)
    return done(folder) or {}


def done(folder: Path) -> dict | None:
    """Return what a finished job says about itself, or None."""
    file = folder / DONE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _differ(python: Path) -> dict[str, str | None]:
    """Return the installed version, or None, of each package that has another one than the requirements say."""
    wanted = pinned()
    done = subprocess.run([str(python), "-c", VERSIONS, *wanted], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    # A build for one kind of machine has a part of its own after "+".
    return {name: found[name] for name in wanted if (found[name] or "").split("+")[0] != wanted[name]}


def _run(command: list[str], failed: str, error: type[DeftxError] = DeftxError) -> None:
    if status := subprocess.run(command).returncode:
        raise error(f"{failed}: see the lines above (exit status {status}).")
