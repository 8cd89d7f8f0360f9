"""A container that is ended and started again: its jobs save, go on, and end as if nothing had happened."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from job_helpers import HERE, ROOT, scheduler, step_of, total_of, wait_for, wait_for_state

from deftx.jobs import Store, state_of
from deftx.jobs.places import choose
from deftx.jobs.process import kill
from deftx.jobs.shutdown import Stopped, stop_workers
from deftx.jobs.state import worker_of

pytestmark = pytest.mark.slow


class Box:
    """The entry point as a process, a folder that outlives it, and a disk that does not."""

    def __init__(self, place):
        self.kept, self.disk, self.log = place / "kept", place / "disk", place / "log.txt"
        self.kept.mkdir()
        self.process = None

    def start(self):
        settings = {"DEFTX_PERSISTENT": self.kept, "DEFTX_LOCAL": self.disk, "DEFTX_CONTAINER": "1",
                    "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name != "DEFTX_HOME"}
        environment.update({name: str(value) for name, value in settings.items()})
        before = len(self.lines())
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([sys.executable, HERE / "counting_container.py"], env=environment,
                                            stdout=log, stderr=log)  # fmt: skip
        wait_for(lambda: (self.disk / "jobs.sqlite").exists() and len(self.lines()) > before, "the container")
        return self.store()

    def store(self):
        """The store as the process sees it: rows on its own disk."""
        os.environ["DEFTX_DATABASE"], os.environ["DEFTX_HOME"] = (
            str(self.disk / "jobs.sqlite"),
            str(self.kept / "deftx"),
        )
        try:
            return Store()
        finally:
            del os.environ["DEFTX_DATABASE"], os.environ["DEFTX_HOME"]

    def end(self, number=signal.SIGTERM):
        """End it, and lose what a container loses; return the exit status."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=120)
        self._kill_what_a_container_would()
        shutil.rmtree(self.disk)
        return code

    def _kill_what_a_container_would(self):
        for job in (store := self.store()).list():
            if (worker := worker_of(store.get(job.id))) is not None:
                kill(worker)

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def events(self):
        return [line["event"] for line in self.lines()]


@pytest.fixture
def box(tmp_path):
    """A container; what is left of it ends with the test."""
    box = Box(tmp_path)
    yield box
    if box.process.poll() is None:
        box.end(signal.SIGKILL)


def copied(box):
    """Wait until the queue as it is now has been copied."""
    copy, since = box.kept / "deftx" / "jobs.sqlite", time.time()
    wait_for(lambda: copy.exists() and copy.stat().st_mtime > since, "a copy of the queue")


def test_sigterm_saves_every_job_and_the_next_start_goes_on_by_itself(box):
    store = box.start()
    jobs = [store.add("count", f"{number}", {"steps": 60, "pause": 0.05, "device": f"cuda:{number}"})
            for number in range(2)]  # fmt: skip
    waiting = store.add("count", "waiting", {"steps": 5, "device": "cuda:0"})
    wait_for(lambda: all(step_of(job) > 3 for job in jobs), "both at work")
    assert box.end() == 0
    saved = [step_of(job) for job in jobs]
    assert all(3 < step < 60 for step in saved)
    assert sorted(line["job"] for line in box.lines() if line["event"] == "job_saved") == sorted(j.id for j in jobs)
    store = box.start()
    done = [wait_for_state(store, job, "finished") for job in (*jobs, waiting)]
    assert [total_of(job) for job in done] == [1830, 1830, 15]
    for job, step in zip(done, saved, strict=False):
        assert f"starts after step {step}" in (job.folder / "events.jsonl").read_text()
    assert box.events().count("restored") == 1
    started = [line["job"] for line in box.lines() if line["event"] == "job_started"]
    assert started[2:] == [*(job.id for job in jobs), waiting.id]  # in the order that they had


def test_whatever_kills_the_container_however_often_the_sum_is_right(box):
    draw = random.Random(seed := int(os.environ.get("DEFTX_KILL_SEED", random.randrange(10**9))))
    print(f"the kills follow from DEFTX_KILL_SEED={seed}")
    store = box.start()
    job = store.add("count", "long", {"steps": 120, "pause": 0.03})
    copied(box)
    for number in [signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM]:
        before = step_of(job)
        wait_for(lambda before=before: step_of(job) > before, "new ground")  # what dies twice at one point stays
        time.sleep(draw.uniform(0, 0.2))
        assert box.end(number) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
        store = box.start()
    assert total_of(wait_for_state(store, job, "finished")) == 7260


def test_an_end_before_anything_has_begun_is_a_clean_one(box):
    box.start()
    assert box.end() == 0
    assert box.events()[-1] == "stopped"


def test_what_a_person_stopped_stays_stopped(tmp_path):
    store = Store(tmp_path)
    job = store.add("count", "slow to stop", {"steps": 10_000, "pause": 0.01, "saving": 0.5})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 2, "some steps")
        store.request_stop(job.id)
    assert stop_workers(store) == Stopped(saved=1)
    assert state_of(store.get(job.id)).name == "stopped"


def test_a_deaf_worker_is_killed_and_its_job_waits(tmp_path):
    store = Store(tmp_path)
    job = store.add("count", "deaf", {"steps": 5, "hang": True})
    with scheduler(store):
        wait_for(lambda: (job.folder / "child").exists(), "the hanging")
    assert stop_workers(store, patience=0.5) == Stopped(killed=1)
    assert state_of(store.get(job.id)).name == "waiting"
    assert not Path(f"/proc/{(job.folder / 'child').read_text()}").exists() or _is_zombie(job)


def _is_zombie(job):
    return ") Z" in Path(f"/proc/{(job.folder / 'child').read_text()}/stat").read_text()


def test_the_folder_is_chosen_by_trying_it(tmp_path):
    kept, local = tmp_path / "kept", tmp_path / "local"
    environment = {"DEFTX_PERSISTENT": str(kept), "DEFTX_LOCAL": str(local)}
    missing = choose(environment)
    assert (missing.home, missing.lasting, missing.snapshot) == (local / "home", False, None)
    assert f"The folder {kept} does not exist." in missing.reason
    kept.mkdir()
    there = choose(environment)
    assert (there.home, there.database) == (kept / "deftx", local / "jobs.sqlite")
    assert there.snapshot == kept / "deftx" / "jobs.sqlite"
    assert list(kept.iterdir()) == []
    assert choose({**environment, "DEFTX_HOME": str(kept)}).home == kept
    assert choose({**environment, "DEFTX_HOME": str(kept / "new")}).home == kept / "new"  # as outside of a container


def test_a_folder_that_its_user_may_not_write_is_not_taken():
    # What root may do says nothing; the module is imported before the user is changed, who may not read this Python.
    code = "import os, sys; from pathlib import Path; from deftx.jobs.places import why_not\n"
    code += "if os.getuid() == 0: os.setgroups([]); os.setgid(1000); os.setuid(1000)\nprint(why_not(Path(sys.argv[1])))"
    with tempfile.TemporaryDirectory() as folder:  # nobody else may enter pytest's own
        Path(folder).chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, capture_output=True, text=True)
    assert "cannot be written by user" in done.stdout, done.stderr
    assert "(Permission denied)" in done.stdout
