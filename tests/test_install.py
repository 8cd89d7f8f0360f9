"""The package installed in an environment that holds what it declares and nothing else."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_FIND_LINKS")}
    environment |= {"HF_HUB_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The programs of a new environment; its packages are links to those of the tests, for an installation takes minutes."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "installed_base": str(folder)}))
    for found in needed(requirements(wheel)):
        link(found, packages)
    # pip has no index here: it fails where a package that the wheel declares is missing or of a version that it refuses.
    run(sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", wheel, cwd=folder)
    return folder / "bin"


def requirements(wheel):
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/"
    return PathDistribution(zipfile.Path(wheel, info)).requires


def needed(lines):
    """Return the installed distributions that requirements stand for, and all that those require."""
    found, left = {}, [(line, "") for line in lines]
    while left:
        line, extra = left.pop()
        one = Requirement(line)
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        extras = found.setdefault(canonicalize_name(one.name), set())
        for wanted in {"", *one.extras} - extras:
            extras.add(wanted)
            left += [(further, wanted) for further in distribution(one.name).requires or ()]
    return [distribution(name) for name in found]


def link(found, packages):
    for name in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
        if not (packages / name).exists():
            (packages / name).symlink_to(found.locate_file(name))


def test_the_command_classifies_with_the_bundled_base_and_vectors(programs, tmp_path):
    words = ("classify", "--task", "sentiment", "--language", "min", "Pelayanannyo elok jo ramah", "--json")
    (found,) = json.loads(run(programs / "deftx", *words, cwd=tmp_path))
    assert found["label"] == "positive"


def test_the_lines_of_the_readme_print_what_the_readme_says(programs, tmp_path):
    code, printed = re.search(
        r"```python\n(.+?)```\n\n```\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL
    ).groups()
    assert run(programs / "python", "-c", code, cwd=tmp_path) == printed


def test_every_module_of_the_library_is_imported_without_the_app(programs, tmp_path):
    code = (
        "import deftx, importlib, importlib.util, pkgutil, sys\n"
        "for module in pkgutil.walk_packages(deftx.__path__, 'deftx.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
        "print(len([name for name in sys.modules if name.startswith('deftx')]), deftx.__file__)\n"
        "print([name for name in ('gradio', 'plotly', 'ui', 'pytest') if importlib.util.find_spec(name)])"
    )
    number, file, present = run(programs / "python", "-c", code, cwd=tmp_path).split(maxsplit=2)
    assert int(number) > 100
    assert Path(file).is_relative_to(programs.parent)
    assert present.strip() == "[]"


def test_the_wheel_holds_the_library_its_files_and_its_types(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "deftx/py.typed",
        "deftx/_assets/bases/nusantara-e5/model.int8.safetensors",
        "deftx/_assets/lt_sft.toml",
        "deftx/_assets/published_bases.toml",
        "deftx/_assets/language_states.safetensors",
        "deftx/_assets/report/id.toml",
    } <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"deftx"}


def test_the_extras_are_the_requirements_files(wheel):
    def names(file):
        lines = (ROOT / file).read_text().splitlines()
        return {Requirement(line).name.lower() for line in lines if line and line[0] not in "#-"}

    extras = {"app": [], "files": [], "exports": [], "serve": [], "trackers": [], "slurm": [], "dev": []}
    for one in map(Requirement, requirements(wheel)):
        for extra, found in extras.items():
            found += [one.name.lower()] if one.marker and one.marker.evaluate({"extra": extra}) else []
    assert set(extras["app"]) == names("requirements.txt")
    assert set(extras["files"]) == names("requirements-files.txt") <= names("requirements.txt")
    assert set(extras["exports"]) == names("requirements-exports.txt")
    assert set(extras["serve"]) == names("requirements-serve.txt")
    assert set(extras["trackers"]) == names("requirements-trackers.txt")
    assert set(extras["slurm"]) == names("requirements-slurm.txt")
    parts = ("", "-exports", "-trackers", "-slurm", "-dev")
    assert set(extras["dev"]) == set().union(*(names(f"requirements{part}.txt") for part in parts))
