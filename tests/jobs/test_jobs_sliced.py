"""A sliced job in the queue: no worker starts it, it can be stopped within a call, and it can change to the processor."""

import threading

import pytest
from job_helpers import scheduler, wait_for, wait_for_state
from zero_gpu import ZeroGpu

from deftx.jobs import JobError, Store, shutdown, state_of
from deftx.jobs.job import SETTINGS, STOP, read_json
from deftx.jobs.process import ProcessId, take_lock
from deftx.jobs.shutdown import Stopped, stop_workers
from deftx.jobs.slices import run_slice, slice_status
from deftx.jobs.worker import heartbeat

SLICED = {"device": "zero-gpu", "steps": 3}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def in_a_call(job):
    """Hold what a call holds while it trains."""
    return take_lock(job.folder / "lock"), heartbeat(job.folder)


def test_no_worker_starts_it_and_it_holds_up_nobody(store):
    sliced = store.add("count", "sliced", SLICED)
    other = store.add("count", "other", {"steps": 2})
    assert [job.id for job in store.queue()] == [other.id]
    with scheduler(store):
        wait_for_state(store, other, "finished")
    assert store.get(sliced.id).process is None
    state = state_of(store.get(sliced.id))
    assert state.name == "waiting"
    assert "open page" in state.meaning


def test_a_worker_starts_while_a_call_is_training(store):
    sliced = store.add("count", "sliced", SLICED)
    lock, beating = in_a_call(sliced)
    with lock, beating:
        assert state_of(sliced).name == "running"
        other = store.add("count", "other", {"steps": 2})
        with scheduler(store):
            wait_for_state(store, other, "finished")


def test_a_stop_request_reaches_the_call(store):
    job = store.add("count", "sliced", SLICED)
    lock, beating = in_a_call(job)
    with lock, beating:
        store.request_stop(job.id)
        assert state_of(store.get(job.id)).name == "stopping"
        scheduler(store).tick()
        assert (job.folder / STOP).exists()
    assert state_of(store.get(job.id)).name == "stopped"


def test_between_calls_it_stops_at_once_and_can_be_resumed(store):
    job = store.add("count", "sliced", SLICED)
    store.request_stop(job.id)
    assert state_of(store.get(job.id)).name == "stopped"
    store.requeue(job.id)
    assert state_of(store.get(job.id)).name == "waiting"


def test_it_continues_on_the_processor_if_asked_to(store):
    job = store.add("count", "sliced", SLICED)
    store.change_device(job.id, "cpu")
    assert read_json(job.folder / SETTINGS)["settings"] == {**SLICED, "device": "cpu"}
    with scheduler(store):
        done = wait_for_state(store, job, "finished")
    assert done.device == "cpu"


def test_it_does_not_change_its_device_within_a_call(store):
    job = store.add("count", "sliced", SLICED)
    lock, beating = in_a_call(job)
    with lock, beating, pytest.raises(JobError, match="it is running"):
        store.change_device(job.id, "cpu")
    assert store.get(job.id).is_sliced


def test_a_job_that_another_process_continues_while_the_server_ends_is_stopped_again_and_counted_once(
    store, monkeypatch
):
    store.add("count", "sliced", SLICED)
    # While a call begins or ends, its process is not known; the page may still make another one.
    calls = iter([ProcessId(0, 0.0), ProcessId(999_999_998, 1.0), ProcessId(0, 0.0), ProcessId(999_999_999, 1.0)])
    stops = []

    def worker_of(job):
        stops.append((job.folder / STOP).exists())
        (job.folder / STOP).unlink(missing_ok=True)  # as a call does when it begins
        return next(calls, None)

    monkeypatch.setattr(shutdown, "worker_of", worker_of)
    assert stop_workers(store) == Stopped(saved=1)
    assert stops[:5] == [False, True, True, True, True]


def test_the_end_of_the_server_stops_a_call_at_a_checkpoint_and_the_job_waits(store, base_folder, corpus_file):
    recipe = {"epochs": 10_000, "min_steps": 0, "max_steps": 100_000, "batch_size": 4, "max_length": 16, "k": 60}
    job = store.add("language", "l", {"device": "zero-gpu", "base": str(base_folder), "corpus": str(corpus_file),
                                      "recipe": recipe})  # fmt: skip
    call = threading.Thread(target=ZeroGpu().GPU(run_slice, duration=600), args=(job.folder, 500), daemon=True)
    call.start()
    wait_for(lambda: (job.folder / "events.jsonl").exists() and "dense" in (job.folder / "events.jsonl").read_text(),
             "the first steps")  # fmt: skip
    stopped = stop_workers(store, patience=60)
    call.join()
    assert stopped == Stopped(saved=1)
    assert state_of(store.get(job.id)).name == "waiting"
    assert slice_status(job.folder).step > 0
