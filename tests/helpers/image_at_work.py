"""The image at work: what the Dockerfile starts, as its user, over a folder that outlives it and a disk that does not."""

import json
import os
import re
import shutil
import signal
import site
import socket
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import psutil
from job_helpers import wait_for

from deftx.jobs import progress_of
from deftx.jobs.job import OUT, RESULT, read_json

ROOT = Path(__file__).resolve().parents[2]
# Adds trainings, each given as [kind, settings], as the user of the container, and prints their ids.
ADD = """
import json, sys
from deftx.jobs import Store
store = Store()
for kind, settings in map(json.loads, sys.argv[1:]):
    print(store.add(kind, kind, settings).id)
"""
MARK = "DEFTX_LOCAL"  # of all variables of its processes the one whose value is this image's alone


def instructions():
    """Return the values of the Dockerfile's instructions by name, in their order; continued lines are put together."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    found = defaultdict(list)
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition(" ")
            found[name].append(value)
    return found


def left_out(folder, names):
    """Return the names within a folder of the repository that .dockerignore leaves out; for ``shutil.copytree``."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    places = {name: str(Path(folder, name).relative_to(ROOT)) for name in names}
    return [name for name, place in places.items() for pattern in patterns
            if fnmatch(place, pattern) or fnmatch(f"/{place}", pattern.replace("**/", "*/"))]  # fmt: skip


class Training:
    """A job as its files say how it stands, without the queue."""

    def __init__(self, folder):
        self.folder, self.out = folder, folder / OUT

    @property
    def progress(self):
        return progress_of(SimpleNamespace(folder=self.folder))

    @property
    def outcome(self):
        return (read_json(self.folder / RESULT) or {}).get("outcome", "")


def python_for_all():
    """Return a Python of this version that every user may run: this one, but not where it lies in a home of root's."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = [Path(sys.executable).resolve(), Path("/usr/local/bin", name), Path("/usr/bin", name)]
    return next(place for place in places if place.exists() and all(up.stat().st_mode & 0o001 for up in place.parents))


class ImageAtWork:
    """What the Dockerfile describes, in a folder: its CMD can be started, stopped as docker does it, and killed."""

    def __init__(self, folder, base, **environment):
        """Lay out in ``folder`` what the Dockerfile has in /home/user and /data, with the packages of this Python."""
        found = instructions()
        self.user, self.app = folder / "home" / "user", folder / "home" / "user" / "app"
        shutil.copytree(ROOT, self.app, ignore=left_out)
        (folder / "data").mkdir()
        for path in (self.user, folder / "data", *self.app.rglob("*")) if os.getuid() == 0 else ():
            os.chown(path, 1000, 1000)  # the working folder itself is root's own, as with docker before BuildKit
        self.log = folder / "log.txt"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = json.loads(found["CMD"][0])
        self.health = json.loads(found["HEALTHCHECK"][0].partition("CMD ")[2].replace("7860", str(self.port)))
        set_there = dict(pair.split("=", 1) for line in found["ENV"] for pair in line.split())
        self.environment = {
            **{name: re.sub(r"^(?=/(home|data)\b)", str(folder), value) for name, value in set_there.items()},
            "PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
            "GRADIO_SERVER_PORT": str(self.port), "DEFTX_BASE": str(base), "OMP_NUM_THREADS": "1", **environment,
        }  # fmt: skip
        self.data, self.disk = folder / "data" / "deftx", self.user / "studio"
        self.server = None

    def start(self):
        """Start what CMD says."""
        with open(self.log, "ab") as log:
            self.said_before = log.tell()
            self.server = self.run(*self.command[1:], stdout=log, stderr=log)

    def is_silent(self):
        """Say whether nothing has been heard of it since its start: it still imports, and looks after nothing yet."""
        return self.log.stat().st_size == self.said_before

    def run(self, *arguments, env=None, **settings):
        """Start this Python as the image's, as user 1000 where root may do so."""
        user = {"user": 1000, "group": 1000, "extra_groups": []} if os.getuid() == 0 else {}
        command = [python_for_all(), *arguments]
        return subprocess.Popen(command, cwd=self.app, env={**self.environment, **(env or {})}, **user, **settings)

    def wait_until_healthy(self):
        """Wait for what HEALTHCHECK says."""

        def healthy():
            assert self.server.poll() is None, self.log.read_text()
            return self.run(*self.health[1:], stderr=subprocess.DEVNULL).wait() == 0

        wait_for(healthy, "the health check to pass", seconds=300)

    def add(self, *jobs):
        """Put trainings, each (kind, settings), into the queue."""
        places = {"DEFTX_HOME": str(self.data), "DEFTX_DATABASE": str(self.disk / "jobs.sqlite")}
        adding = self.run("-c", ADD, *map(json.dumps, jobs), env=places, stdout=subprocess.PIPE)
        added = [Training(self.data / "jobs" / name) for name in adding.communicate(timeout=120)[0].decode().split()]
        assert len(added) == len(jobs)
        return added

    def members(self):
        """List all processes of the container that live: whatever their parents are, they have its variables."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.disk) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue  # another user's, or it has just ended
        return found

    def stop(self):
        """End it as ``docker stop`` does: SIGTERM to the entry point; return its exit status once all processes have ended."""
        self.server.terminate()
        code = self.server.wait(timeout=60)
        wait_for(lambda: not self.members(), "the last process to end")
        return code

    def kill(self):
        """End all processes at once, as a power cut or a kill of the whole container does: none sees another's end."""
        frozen = set()
        while new := set(self.members()) - frozen:  # until nobody is left who could start one more
            for process in new:
                process.suspend()
            frozen |= new
        for process in frozen:
            process.send_signal(signal.SIGKILL)
        self.server.wait(timeout=60)
        wait_for(lambda: not self.members(), "the last process to end")

    def lose_disk(self):
        """Take away what goes with a container: all but the mounted folder."""
        shutil.rmtree(self.disk, ignore_errors=True)  # it may not have come to have one

    def lines(self):
        """Give the log so far; a line that a kill cut off is left out, with the one that was written behind it."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines() if self.log.exists() else ():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def events(self, name):
        """Give the lines of the log that are about one kind of event."""
        return [line for line in self.lines() if line["event"] == name]
