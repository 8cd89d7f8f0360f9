"""What the tests of the jobs share: how to start a counting worker and a server, and how to wait."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from deftx.jobs import Scheduler, state_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COUNTING = (sys.executable, str(HERE / "counting_worker.py"))


def scheduler(store, **settings):
    """Make a scheduler of counting workers that looks every 20 ms."""
    return Scheduler(store, **{"interval": 0.02, "grace": 10.0, "command": COUNTING, **settings})


def start_server(home, jobs=0):
    """Start a server process that can be killed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    return subprocess.Popen([sys.executable, HERE / "counting_server.py", home, str(jobs)], env=environment)


def wait_for(condition, what, seconds=60.0, pause=0.02):
    """Wait until ``condition()`` is true and return what it gave; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(pause)
    return found


def wait_for_state(store, job, *names, seconds=60.0):
    """Wait until the job is in one of the states and return it as it is then."""

    def reached():
        found = store.get(job.id)
        return found if state_of(found).name in names else None

    return wait_for(reached, f"{job.name} to be {names}", seconds)


def step_of(job):
    """Return the step that the counting has saved."""
    checkpoint = job.out / "checkpoint.json"
    return json.loads(checkpoint.read_text())["step"] if checkpoint.exists() else 0


def total_of(job):
    """Return the sum that a finished counting left."""
    return json.loads((job.out / "vector.json").read_text())["sum"]
