"""The Dockerfile: its steps are done in a folder, and the result runs as user 1000, is healthy, ends, and goes on."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import pytest
import yaml
from job_helpers import wait_for

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import run_dockerfile  # noqa: E402 (a script, not a part of the library)

# Adds a training, or says how one stands, as the user of the container.
ASK = """
import json, sys
from deftx.jobs import Store, state_of
store = Store()
for settings in map(json.loads, sys.argv[1:]):
    store.add("language", "Minangkabau", settings)
job = store.list()[0]
print(json.dumps([state_of(job).name, len((job.folder / "events.jsonl").read_text()) if (job.folder / "events.jsonl").exists() else 0]))
"""


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


@pytest.fixture
def place(page_base, corpus_file):
    """A folder that user 1000 may enter, as pytest's own is not, with a tiny base and a text."""
    folder = Path(tempfile.mkdtemp(prefix="deftx-image-"))
    folder.chmod(0o755)
    shutil.copytree(page_base, folder / "tiny")
    for path in (folder / "tiny", *(folder / "tiny").iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.copyfile(corpus_file, folder / "corpus.txt")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def image(place):
    """What the Dockerfile makes, with the packages of this Python."""
    return run_dockerfile.build(place / "image", reuse=True)


class Running:
    """The image at work: its server, and questions asked as its user."""

    def __init__(self, image, base):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.image, self.log = image, image.folder / "log.txt"
        self.environment = {"GRADIO_SERVER_PORT": str(self.port), "DEFTX_BASE": str(base), "OMP_NUM_THREADS": "1"}
        self.server = None

    def start(self):
        with open(self.log, "ab") as log:
            self.server = self.image.start(self.image.command, env=self.environment, stdout=log, stderr=log)
        health = [part.replace("7860", str(self.port)) for part in self.image.health]

        def healthy():
            assert self.server.poll() is None, self.log.read_text()
            return self.image.start(health, stderr=subprocess.DEVNULL).wait() == 0

        wait_for(healthy, "the health check to pass", seconds=300)

    def ask(self, *settings):
        places = {"DEFTX_HOME": f"{self.image.folder}/data/deftx",
                  "DEFTX_DATABASE": f"{self.image.folder}/home/user/studio/jobs.sqlite"}  # fmt: skip
        asked = self.image.start(["python", "-c", ASK, *map(json.dumps, settings)], env=places, stdout=subprocess.PIPE)
        return json.loads(asked.communicate(timeout=120)[0])

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def test_the_image_trains_as_user_1000_and_goes_on_after_a_stop(image, place):
    recipe = {"max_steps": 400, "epochs": 1000, "min_steps": 0, "batch_size": 4, "max_length": 16, "k": 50,
              "evaluate_every": 200}  # fmt: skip
    running = Running(image, place / "tiny")
    try:
        running.start()
        if os.getuid() == 0:
            assert psutil.Process(running.server.pid).uids().effective == 1000
        lasting = httpx.get(f"http://127.0.0.1:{running.port}/health", timeout=30).json()["lasting"]
        said = "not-lasting" in httpx.get(f"http://127.0.0.1:{running.port}/config", timeout=30).text
        assert said == (not lasting)
        running.ask(
            {"corpus": str(place / "corpus.txt"), "base": str(place / "tiny"), "preset": "quick", "recipe": recipe}
        )
        wait_for(lambda: running.ask()[1] > 1500, "the training to be under way", seconds=120)
        began = time.monotonic()
        running.server.terminate()
        assert running.server.wait(timeout=30) == 0
        assert time.monotonic() - began < 10
        events = [line["event"] for line in running.lines()]
        assert {"places", "job_started", "stopping", "job_asked", "job_saved", "stopped"} <= set(events)
        shutil.rmtree(image.folder / "home" / "user" / "studio")  # the container's own disk
        running.start()
        wait_for(lambda: running.ask()[0] == "finished", "the training to end", seconds=180)
        assert "restored" in [line["event"] for line in running.lines()]
    finally:
        if running.server.poll() is None:
            running.server.terminate()
            running.server.wait()
