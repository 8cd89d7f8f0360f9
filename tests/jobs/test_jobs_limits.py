"""How much one job may take: over it, the training stops as if asked to, keeps the best so far and says why."""

import json

import pytest
from job_helpers import wait_for, wait_for_state
from tiny_base import SHORT, write_corpus

from deftx.core.hosting import Hosting
from deftx.jobs import Scheduler, Store, state_of
from deftx.jobs.limits import BYTES, SECONDS, SPENT, JobLimits, limits_for
from deftx.jobs.scheduler import WORKER
from deftx.jobs.state import worker_of

LONG = {**SHORT, "epochs": 100_000, "max_steps": 1_000_000, "evaluate_every": 20, "batch_size": 4}


def test_limits_hold_for_peoples_jobs_alone(tmp_path):
    hosting = Hosting(job_hours=2, job_megabytes=3)
    mine = Store(tmp_path).of("ana").add("language", "x", {})
    assert limits_for(hosting, mine) == {SECONDS: "7200", BYTES: "3000000"}
    assert limits_for(hosting, Store(tmp_path).add("language", "x", {})) == {}
    assert limits_for(Hosting(job_hours=0, job_megabytes=0), mine) == {}


def test_the_time_of_all_runs_counts(tmp_path):
    (tmp_path / SPENT).write_text(json.dumps({"seconds": 100}))
    assert not JobLimits(tmp_path, {SECONDS: "1000"}).is_reached()
    limits = JobLimits(tmp_path, {SECONDS: "99"})
    assert limits.is_reached()
    assert "DEFTX_JOB_HOURS" in limits.exceeded
    assert not JobLimits(tmp_path, {}).is_reached()
    with JobLimits(tmp_path, {}):
        pass
    assert json.loads((tmp_path / SPENT).read_text())["seconds"] > 100


@pytest.mark.slow
def test_the_time_is_never_half_written(tmp_path):
    for _ in range(100):  # the thread and the end of the block write the same file
        with JobLimits(tmp_path, {}, every=0.0):
            pass
        assert json.loads((tmp_path / SPENT).read_text()).keys() == {"seconds"}


@pytest.mark.slow
def test_a_training_over_its_limit_stops_keeps_the_best_so_far_and_says_why(page_base, tmp_path):
    store = Store(tmp_path / "home")
    corpus = write_corpus(tmp_path / "text.txt")
    job = store.add("language", "x", {"corpus": str(corpus), "base": str(page_base), "recipe": LONG, "device": "cpu"})
    limits = {BYTES: "40000"}  # reached by the first values that are kept
    with Scheduler(store, interval=0.1, command=WORKER, limits=lambda job: limits):
        for said, after in (("DEFTX_JOB_MB", {SECONDS: "1"}), ("DEFTX_JOB_HOURS", {})):
            wait_for_state(store, job, "stopped", "failed", "finished", seconds=300)
            state = state_of(store.get(job.id))
            assert (state.name, state.resumable) == ("stopped", True)
            assert said in state.meaning
            kept = [path for path in job.out.rglob("*") if path.is_file() and path.stat().st_size > 10_000]
            assert kept  # the checkpoint, with the best so far
            if after:
                wait_for(lambda: worker_of(store.get(job.id)) is None, "its process to end")
                limits = after
                store.requeue(job.id)
