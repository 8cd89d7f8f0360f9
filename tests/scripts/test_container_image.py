"""The Dockerfile keeps the rules of Spaces and of its linter; what its image does at work, test_kill_container.py shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from image_at_work import ROOT, instructions, left_out


def front_matter():
    return yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def test_the_front_matter_is_that_of_a_docker_space():
    found = front_matter()
    assert (found["sdk"], found["app_port"], found["license"]) == ("docker", 7860, "apache-2.0")
    assert found["hf_oauth"] is True
    assert "hf_oauth_scopes" not in found  # nothing here uses the login's token, so nobody is asked to give it rights
    assert found["suggested_hardware"] == "cpu-basic"
    assert len(found["short_description"]) <= 60
    assert (ROOT / "README.md").read_text().split("---\n")[2].lstrip().startswith("# DeFT-X studio")


def test_the_image_keeps_the_rules_of_spaces():
    found = instructions()
    assert found["FROM"] == ["python:3.11-slim"]
    assert list(found).index("USER") < list(found).index("COPY") < list(found).index("CMD") == len(found) - 1
    assert all("--chown=1000" in value for value in found["COPY"])
    assert "useradd -m -u 1000 user" in found["RUN"][0]
    assert found["EXPOSE"] == [str(front_matter()["app_port"])]
    assert (found["STOPSIGNAL"], found["CMD"]) == (
        ["SIGTERM"],
        ['["python", "app.py"]'],
    )  # a shell would hide the signal


@pytest.mark.parametrize("torch", ["cpu", "cuda"])
def test_the_build_argument_chooses_the_torch_that_is_installed(torch):
    pin = re.search(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[0]
    script = f'pip() {{ echo "$*"; }}\n{instructions()["RUN"][-1]}'
    done = subprocess.run(["/bin/sh", "-ec", script], env={"TORCH": torch}, capture_output=True, text=True, check=True)
    *first, last = done.stdout.splitlines()
    expected = [f"install --no-cache-dir {pin} --index-url https://download.pytorch.org/whl/cpu"]
    assert (first, last) == (expected * (torch == "cpu"), "install --no-cache-dir -r requirements.txt")


def test_a_linter_finds_nothing():
    linter = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if linter is None:
        pytest.skip("hadolint is not installed (requirements-dev.txt)")
    done = subprocess.run([linter, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_image_leaves_out_is_nothing_that_runs():
    out = (
        "tests/test_cli.py",
        ".git/config",
        "ui/__pycache__",
        "docs/walk.md",
        "a/b.pyc",
        "c.pyc",
        "scripts/make_base.py",
    )
    kept = (
        "app.py",
        "ui/page.py",
        "deftx/cli.py",
        "assets/bases/nusantara-e5/model.int8.safetensors",
        "requirements.txt",
    )

    def is_left_out(name):
        return any(left_out(ROOT / place.parent, [place.name]) for place in (Path(name), *Path(name).parents[:-1]))

    assert all(map(is_left_out, out))
    assert not any(map(is_left_out, kept))
