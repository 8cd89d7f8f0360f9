"""Disk space: every byte is counted once, and what is freed never takes a vector along."""

import pytest
import tiny
from job_helpers import scheduler, step_of, total_of, wait_for, wait_for_state

from deftx.core.errors import TrainingStopped
from deftx.core.files import write_json
from deftx.jobs import JobError, Store, state_of
from deftx.jobs.disk import Usage, can_free, free_checkpoints, has_vector, usage_of
from deftx.jobs.job import LOCK, RESULT
from deftx.jobs.process import take_lock
from deftx.training.language import learn_language


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def fill(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


def end(job, outcome="finished"):
    write_json(job.folder / RESULT, {"outcome": outcome, "message": "Said."})


def test_every_byte_is_counted_once(store):
    job = store.add("language", "x", {"delta": "delta"})
    assert usage_of(job).training == usage_of(job).vector == 0
    before = usage_of(job).total
    for name, size in (("out/vector.safetensors", 1000), ("out/vector.json", 100), ("out/README.md", 10),
                       ("delta/delta.safetensors", 5000), ("log.txt", 7), ("log.1.txt", 3)):  # fmt: skip
        fill(job.folder / name, size)
    assert usage_of(job) == Usage(1110, 5000, before + 10)
    assert usage_of(job).total == sum(path.stat().st_size for path in job.folder.rglob("*") if path.is_file())


def test_a_vector_beside_its_checkpoints_may_be_half_written_and_counts_with_them(store):
    job = store.add("language", "x", {})
    fill(job.out / "vector.json", 10)
    fill(job.out / "run" / "sparse" / "checkpoint.safetensors", 100)
    end(job, "failed")
    assert not has_vector(job)
    assert (usage_of(job).vector, usage_of(job).training) == (0, 110)
    assert free_checkpoints(job) == 110
    assert not has_vector(job)
    assert list(job.out.rglob("*")) == []


def test_freeing_a_finished_job_keeps_its_vector(store):
    job = store.add("language", "x", {"delta": "delta"})
    fill(job.out / "vector.json", 10)
    fill(job.out / ".finished" / "dense" / "old.safetensors", 40)
    fill(job.folder / "delta" / "delta.safetensors", 50)
    end(job)
    assert can_free(job)
    assert free_checkpoints(job) == 90
    assert has_vector(job)
    assert not can_free(job)
    with pytest.raises(JobError, match="no checkpoints to free"):
        free_checkpoints(job)


def test_a_delta_outside_the_job_belongs_to_others_as_well(store, tmp_path):
    for place in ("..", "../shared", str(tmp_path / "elsewhere"), ".", "out"):
        job = store.add("language", "x", {"delta": place})
        fill(tmp_path / "elsewhere" / "delta.safetensors", 50)
        fill(store.folder / "shared" / "delta.safetensors", 50)
        end(job, "stopped")
        assert not can_free(job), place


def test_a_job_that_waits_or_runs_keeps_what_it_goes_on_from(store):
    job = store.add("language", "x", {})
    fill(job.out / "run" / "dense" / "checkpoint.safetensors", 100)
    with pytest.raises(JobError, match="stop it first"):
        free_checkpoints(job)
    end(job, "stopped")
    with take_lock(job.folder / LOCK), pytest.raises(JobError, match="stop it first"):
        free_checkpoints(job)
    assert usage_of(job).training == 100


def test_a_stopped_job_whose_checkpoints_were_freed_begins_anew(store):
    job = store.add("count", "long", {"steps": 40, "pause": 0.01})
    with scheduler(store):
        wait_for(lambda: step_of(job) > 1, "some steps")
        store.request_stop(job.id)
        stopped = wait_for_state(store, job, "stopped")
        wait_for(lambda: can_free(stopped), "the process to end")
        assert free_checkpoints(stopped) > 0
        store.requeue(job.id)
        assert total_of(wait_for_state(store, job, "finished")) == 40 * 41 // 2


def test_a_real_training_whose_checkpoints_were_freed_ends_in_the_same_vector(base, corpus_file, store, tmp_path):
    job, recipe = store.add("language", "x", {}), tiny.language_recipe(max_steps=4)
    note = job.out / "run" / "settings.json"
    with pytest.raises(TrainingStopped):
        learn_language(corpus_file, base, recipe, out=job.out, should_stop=note.is_file)
    end(job, "stopped")
    assert state_of(job).resumable
    assert free_checkpoints(job) > 0
    for out in (job.out, tmp_path / "other"):
        learn_language(corpus_file, base, recipe, out=out)
    files = [(out / "vector.safetensors").read_bytes() for out in (job.out, tmp_path / "other")]
    assert files[0] == files[1]
    assert has_vector(job)
