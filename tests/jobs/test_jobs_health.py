"""Health in numbers, and every reason for which it is not."""

import shutil
from collections import namedtuple

from job_helpers import scheduler, step_of, wait_for

from deftx import __version__
from deftx.jobs import Store, health
from deftx.jobs.shutdown import stop_workers


def test_a_studio_at_work_says_what_runs_and_what_waits(tmp_path):
    store = Store(tmp_path)
    jobs = [store.add("count", name, {"steps": 1000, "pause": 0.01}) for name in ("one", "two", "three")]
    looking = scheduler(store)
    with looking:
        wait_for(lambda: step_of(jobs[0]), "the first to run")
        found = health.health(store, looking, "tiny", loaded=True)
    stop_workers(store)
    assert (found.status, found.code, found.running, found.queue) == ("ok", 200, 1, 2)
    assert (found.version, found.base, found.problems) == (__version__, "tiny", [])
    assert found.disk_free > 0
    assert not any(job.id in str(found.to_dict()) for job in jobs)


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    store = Store(tmp_path)
    full = namedtuple("Usage", "total used free")(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    found = health.health(store, scheduler(store), "tiny", loaded=False)
    assert found.code == 503
    assert found.problems == [
        "The base model is not loaded (yet).", "Nobody looks after the jobs.", "The disk is full."
    ]  # fmt: skip


def test_a_queue_that_cannot_be_read_is_a_problem(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "jobs.sqlite").write_bytes(b"not a database" * 1000)
    for extra in ("-wal", "-shm"):
        (tmp_path / f"jobs.sqlite{extra}").unlink(missing_ok=True)
    with scheduler(store, interval=60.0) as looking:
        found = health.health(store, looking, "tiny", loaded=True)
    assert found.code == 503
    assert "The queue cannot be read" in found.problems[0]
