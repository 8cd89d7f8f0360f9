"""A finished job says how fast this machine trains, whatever interrupted it."""

import pytest

from deftx.core.events import Event
from deftx.core.files import write_json
from deftx.jobs import Store
from deftx.jobs.job import EVENTS, RESULT
from deftx.jobs.pace import expected_seconds, note_expected, pace_of, paces
from deftx.training.estimates import Estimate

EXPECTED = Estimate(10, 10, 2e6, (30.0, 60.0), 1e9, 100, 10, 5)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def job_with(store, *events, **settings):
    job = store.add("language", "x", {"base": "b", "device": "cpu", **settings})
    note_expected(job, EXPECTED)
    with open(job.folder / EVENTS, "w", encoding="utf-8") as file:
        file.writelines(event.to_json() + "\n" for event in events)
        file.write('{"phase": "de')
    write_json(job.folder / RESULT, {"outcome": "finished", "message": ""})
    return job


RUN = (
    Event("tokenise", 1, 1, time=0.0), Event("evaluate", 1, 2, time=3.0), Event("dense", 1, 10, time=4.0),
    Event("dense", 10, 10, time=13.0), Event("denoise", 1, 1, time=15.0), Event("sparse", 1, 10, time=15.0),
    Event("sparse", 10, 10, time=24.0), Event("evaluate", 2, 2, time=26.0),
)  # fmt: skip


def test_the_pace_is_that_of_the_steps_and_the_rest_stands_beside(store):
    pace = pace_of(job_with(store, *RUN))
    assert (pace.operations, pace.beside) == (pytest.approx(1e5 * 18 / 18), 8.0)


def test_time_in_which_nothing_ran_counts_nowhere(store):
    day = 86_400.0
    stopped = (
        *RUN[:3], Event("dense", 5, 10, time=8.0), Event("tokenise", 1, 1, time=day),
        Event("dense", 5, 10, time=day + 30, message="The dense phase goes on."), Event("dense", 10, 10, time=day + 35),
    )  # fmt: skip
    pace = pace_of(job_with(store, *stopped))
    assert (pace.operations, pace.beside) == (pytest.approx(1e5), 4.0)


def test_only_finished_jobs_of_the_same_base_and_device_count(store):
    job_with(store, *RUN)
    job_with(store, *RUN, base="other")
    job_with(store, *RUN, device="cuda")
    store.add("language", "waiting", {"base": "b", "device": "cpu"})
    assert len(paces(store.list(), "b", "cpu")) == 1


def test_what_cannot_be_told_is_not_told(store):
    job = store.add("language", "x", {})
    assert (pace_of(job), expected_seconds(job)) == (None, None)
    short = job_with(store, Event("dense", 1, 10, time=0.0), Event("dense", 10, 10, time=0.5))
    assert pace_of(short) is None
    assert expected_seconds(short) == (30.0, 60.0)
