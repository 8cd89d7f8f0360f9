"""The Dockerfile keeps the rules of Spaces and of its linter; what its image does at work, test_kill_container.py shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import run_dockerfile  # noqa: E402 (a script, not a part of the library)


def front_matter():
    return yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def instructions():
    return run_dockerfile.parse((ROOT / "Dockerfile").read_text())


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
    names = [one.name for one in found]
    assert found[0].value == "python:3.11-slim"
    assert names.index("USER") < names.index("COPY") < names.index("CMD") == len(names) - 1
    assert all("--chown=1000" in one.value for one in found if one.name == "COPY")
    assert any("useradd -m -u 1000" in one.value for one in found if one.name == "RUN")
    assert next(one.value for one in found if one.name == "EXPOSE") == str(front_matter()["app_port"])
    pin = re.search(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[0]
    assert [pin in one.value for one in found if "torch==" in one.value] == [True]


def test_a_linter_finds_nothing():
    linter = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if linter is None:
        pytest.skip("hadolint is not installed (requirements-dev.txt)")
    done = subprocess.run([linter, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_image_leaves_out_is_nothing_that_runs():
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    left_out = ("tests/test_cli.py", ".git/config", "ui/__pycache__/page.pyc", "docs/walk.md", "a/b.pyc")
    assert all(run_dockerfile.is_ignored(Path(name), ignored) for name in left_out)
    kept = (
        "app.py",
        "ui/page.py",
        "deftx/cli.py",
        "assets/bases/nusantara-small/model.safetensors",
        "requirements.txt",
    )
    assert not any(run_dockerfile.is_ignored(Path(name), ignored) for name in kept)


def test_a_dockerfile_that_is_not_understood_is_refused_with_its_line():
    with pytest.raises(ValueError, match=r"line 3: 'ADD'"):
        run_dockerfile.parse("# a comment\nFROM python:3.11\nADD x y\n")
    with pytest.raises(ValueError, match="nothing follows"):
        run_dockerfile.parse("RUN a && \\\n")
    assert [one.value for one in run_dockerfile.parse("ENV A=1 \\\n    B=2\n")] == ["A=1 B=2"]
