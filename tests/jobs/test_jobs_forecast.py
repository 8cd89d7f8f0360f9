"""Estimated starts: from what runs and what was like it; never a number where there is nothing to take it from."""

import pytest

from deftx.core.events import Event
from deftx.core.files import write_json
from deftx.jobs import Store, Turn, turns
from deftx.jobs.job import EVENTS, LOCK, RESULT
from deftx.jobs.process import ProcessId, process_id, take_lock

NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def finished(store, seconds, settings, kind="language"):
    job = store.add(kind, f"took {seconds}", settings)
    store.set_process(job.id, ProcessId(2**22 + 1, NOW - 5000))
    write_json(job.folder / RESULT, {"outcome": "finished", "time": NOW - 5000 + seconds})
    return job


@pytest.fixture
def run(store):
    """Let a job run, as far as this process lives."""
    locks = []

    def start(job, *events):
        locks.append(take_lock(job.folder / LOCK))
        write_json(job.folder / "heartbeat", process_id()._asdict())
        store.set_process(job.id, process_id())
        with open(job.folder / EVENTS, "a", encoding="utf-8") as file:
            file.writelines(event.to_json() + "\n" for event in events)

    yield start
    for lock in locks:
        lock.close()


def forecast(store):
    return {store.get(job_id).name: turn for job_id, turn in turns(store.list(), store.queue(), NOW).items()}


def test_nothing_is_known_of_the_first_jobs_but_their_order(store):
    for name in "abc":
        store.add("language", name, {})
    assert forecast(store) == {"a": Turn(1, 0.0), "b": Turn(2, None), "c": Turn(3, None)}


def test_a_start_is_what_the_running_one_has_left_and_what_those_before_it_will_take(store, run):
    for seconds in (90, 100, 120):
        finished(store, seconds, {"preset": "quick"})
    run(store.add("language", "now", {}), Event("dense", 5, 10, seconds_left=60.0, time=NOW - 20))
    for name in "ab":
        store.add("language", name, {"preset": "quick"})
    assert forecast(store) == {"a": Turn(1, 40.0), "b": Turn(2, 140.0)}
    store.move(store.queue()[1].id, 0)
    assert forecast(store) == {"b": Turn(1, 40.0), "a": Turn(2, 140.0)}


def test_the_estimate_is_that_of_the_same_recipe_where_there_is_one(store):
    for rank, seconds in (("mp", 500), ("optimal", 50)):
        finished(store, seconds, {"recipe": {"rank": rank}})
    for rank in ("optimal", "mp", "none", "uniform:3"):
        store.add("language", rank, {"recipe": {"rank": rank}})
    assert [turn.seconds for turn in forecast(store).values()] == [0.0, 50.0, 550.0, 825.0]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("task", {}), ("language", {"base": "large"}), ("language", {"preset": "paper"}), ("language", {"device": "cpu"})],
)
def test_a_job_of_another_kind_says_nothing_about_this_one(store, kind, settings):
    finished(store, 100, settings, kind)
    for name in "ab":
        store.add("language", name, {})
    assert forecast(store)["b"] == Turn(2, None)


def test_a_job_that_ran_in_parts_or_failed_is_no_measure(store):
    parts, failed = finished(store, 1, {}), finished(store, 1, {})
    (parts.folder / "log.1.txt").touch()
    write_json(failed.folder / RESULT, {"outcome": "failed", "time": NOW})
    for name in "ab":
        store.add("language", name, {})
    assert forecast(store)["b"] == Turn(2, None)


def test_a_job_on_another_device_keeps_nobody_waiting(store, run):
    run(store.add("language", "now", {"device": "cuda:0"}), Event("dense", 5, 10, seconds_left=60.0, time=NOW))
    for device in ("cuda:1", "cuda", ""):
        store.add("language", device, {"device": device})
    assert forecast(store) == {"cuda:1": Turn(1, 0.0), "cuda": Turn(2, 60.0), "": Turn(3, None)}


def test_a_job_that_goes_on_needs_what_it_had_left_however_long_it_has_waited(store):
    first = store.add("language", "first", {})
    (first.folder / EVENTS).write_text(Event("dense", 5, 10, seconds_left=30.0, time=NOW - 9_000).to_json() + "\n")
    store.add("language", "second", {})
    assert forecast(store)["second"] == Turn(2, 30.0)


def test_a_late_job_is_due_now_and_not_in_the_past(store, run):
    run(store.add("language", "now", {}), Event("dense", 5, 10, seconds_left=60.0, time=NOW - 500))
    store.add("language", "next", {})
    assert forecast(store) == {"next": Turn(1, 0.0)}
