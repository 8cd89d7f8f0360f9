"""The library installed as a wheel works without the repository: its command, its Python, its bundled files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds the installed package and nothing else; what it depends on is that of the tests."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", folder, ROOT], check=True, capture_output=True, text=True)
    return folder


def run(installed, *command):
    environment = {**os.environ, "PYTHONPATH": str(installed), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=installed.parent, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_classifies_with_the_bundled_base_and_vectors(installed):
    assert (installed / "bin" / "deftx").is_file()
    printed = run(installed, "-m", "deftx", "classify", "--task", "sentiment", "--language", "min", "Rancak bana")
    assert "positive" in printed


def test_python_finds_the_installed_package_and_its_files(installed):
    code = (
        "import deftx; from deftx.core.assets import ASSETS; from deftx.publish.catalogue import published\n"
        "base = deftx.load_base(deftx.BUNDLED_BASE)\n"
        "made = deftx.compose(base, task=deftx.SparseVector.load('sentiment'), language=deftx.SparseVector.load('ind'))\n"
        "print(ASSETS, deftx.__file__, made.predict(['Makanannya enak sekali'])[0], len(published()) > 40)"
    )
    assets, file, label, many = run(installed, "-c", code).split()
    assert Path(assets).is_relative_to(installed)
    assert Path(file).is_relative_to(installed)
    assert (label, many) == ("positive", "True")
