"""Progress: right after a resume, a kill in the middle of a line, and with a history of 20,000 events."""

import math

import pytest

from deftx.core.events import Event, WordGuess, event_from_json
from deftx.jobs import Store, progress, progress_of


@pytest.fixture
def job(tmp_path):
    return Store(tmp_path).add("count", "a job", {})


def append(job, *events):
    with open(job.folder / "events.jsonl", "a", encoding="utf-8") as file:
        file.writelines(event.to_json() + "\n" for event in events)


def test_nothing_is_known_before_the_first_event(job):
    progress = progress_of(job)
    assert (progress.phase, progress.step, progress.seconds_left, progress.losses) == ("", 0, None, {})


def test_phases_curves_warnings_and_messages_are_kept_apart(job):
    append(
        job,
        Event("tokenise", message="12 lines are empty", warning=True),
        Event("dense", 10, 100, loss=2.0, seconds_left=90.0),
        Event("dense", 20, 100, loss=1.5, evaluation=1.7, seconds_left=80.0),
        Event("sparse", 5, 50, loss=1.0, seconds_left=40.0, time=1234.5),
    )
    progress = progress_of(job)
    assert (progress.phase, progress.step, progress.total, progress.loss) == ("sparse", 5, 50, 1.0)
    assert (progress.seconds_left, progress.updated) == (40.0, 1234.5)
    assert progress.losses == {"dense": ((10, 2.0), (20, 1.5)), "sparse": ((5, 1.0),)}
    assert progress.evaluations == {"dense": ((20, 1.7),)}
    assert progress.warnings == ("12 lines are empty",)
    assert progress.messages == ()


def test_what_the_scores_measure_is_remembered_and_the_estimate_keeps_its_own_time(job):
    append(job, Event("dense", 10, 20, evaluation=0.5, metric="f1", seconds_left=9.0, time=100.0))
    append(job, Event("denoise", 1, 4, time=200.0))
    progress = progress_of(job)
    assert progress.metric == "f1"
    assert (progress.seconds_left, progress.updated) == (9.0, 100.0)


def test_an_estimate_from_before_a_pause_is_dropped_on_resumption(job):
    append(job, Event("dense", 10, 20, seconds_left=90.0, time=100.0), Event("dense", message="stopped", time=101.0))
    assert progress_of(job).seconds_left == 90.0
    append(job, Event("tokenise", message="resumed", time=9_000.0), Event("dense", 10, 20, time=9_001.0))
    assert (progress_of(job).seconds_left, progress_of(job).updated) == (None, None)
    append(job, Event("dense", 11, 20, seconds_left=80.0, time=9_002.0))
    assert (progress_of(job).seconds_left, progress_of(job).updated) == (80.0, 9_002.0)


def test_the_first_guesses_and_the_latest_are_kept(job):
    before, later, last = (WordGuess("the ", "day", " is", said) for said in ("it", "night", "day"))
    append(job, Event("evaluate", 1, 2, evaluation=9.0, guesses=(before,)))
    assert (progress_of(job).first_guesses, progress_of(job).guesses) == ((before,), ())
    append(job, Event("dense", 5, 9, evaluation=3.0, guesses=(later,)), Event("dense", 6, 9, loss=2.0))
    assert progress_of(job).guesses == (later,)
    append(job, Event("evaluate", 1, 2, evaluation=9.0, guesses=(before,)))  # a resumed run measures the base again
    assert progress_of(job).guesses == (later,)
    append(job, Event("evaluate", 2, 2, evaluation=2.0, guesses=(last,)))
    assert (progress_of(job).first_guesses, progress_of(job).guesses) == ((before,), (last,))


def test_a_message_does_not_throw_the_bar_back(job):
    append(job, Event("dense", 30, 100), Event("dense", message="best so far", time=7.0))
    progress = progress_of(job)
    assert (progress.step, progress.total) == (30, 100)
    assert [(m.time, m.phase, m.text) for m in progress.messages] == [(7.0, "dense", "best so far")]


def test_a_resumed_training_replaces_the_steps_that_it_takes_again(job):
    warning = Event("dense", message="careful", warning=True)
    append(job, warning, *(Event("dense", step, 100, loss=float(step)) for step in range(1, 8)))
    before = progress_of(job).reached
    append(job, warning, *(Event("dense", step, 100, loss=-float(step)) for step in range(5, 7)))
    progress = progress_of(job)
    assert progress.losses["dense"] == ((1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (5, -5.0), (6, -6.0))
    assert progress.warnings == ("careful",)
    append(job, Event("dense", 3, 100), Event("tokenise", message="again"))
    assert progress_of(job).reached == before + 1  # no new ground but a phase that was not seen before
    append(job, Event("dense", 8, 100, loss=0.0))
    assert progress_of(job).reached == before + 2


def test_a_line_is_read_when_it_is_whole(job):
    append(job, Event("dense", 1, 10, loss=1.0))
    line = Event("dense", 2, 10, loss=0.5).to_json() + "\n"
    path = job.folder / "events.jsonl"
    with open(path, "a", encoding="utf-8") as file:
        file.write(line[:20])
        file.flush()
        assert progress_of(job).step == 1
        file.write(line[20:])
    assert progress_of(job).step == 2


def test_damaged_lines_are_passed_over(job):
    path = job.folder / "events.jsonl"
    path.write_bytes(
        b'{"phase": "dense", "st\n{"phase": "x", "guesses": [{"before": 1}]}\n{"phase": "x", "guesses": 3}\n\xff\xfe\n[1]\n{"colour": 1}\n\n'
        + Event("dense", 3, 9).to_json().encode()
        + b"\n"
    )
    assert progress_of(job).step == 3


def test_values_that_cannot_be_drawn_stay_out_of_the_curves(job):
    append(job, Event("dense", 1, 9, loss=1.0), Event("dense", 2, 9, loss=math.nan, evaluation=math.inf))
    progress = progress_of(job)
    assert progress.losses["dense"] == ((1, 1.0),)
    assert progress.evaluations == {"dense": ()}
    assert math.isnan(progress.loss)


def test_a_file_that_begins_anew_is_read_anew(job):
    append(job, *(Event("dense", step, 9) for step in range(9)))
    assert progress_of(job).step == 8
    (job.folder / "events.jsonl").unlink()
    assert progress_of(job).phase == ""
    append(job, Event("sparse", 1, 9))
    assert (progress_of(job).phase, progress_of(job).reached) == ("sparse", 2)


def test_asking_again_reads_only_what_is_new(job, monkeypatch):
    append(job, *(Event("dense", n, 20_000, loss=1 / (n + 1), seconds_left=1.0) for n in range(20_000)))
    progress_of(job)
    lines = []
    monkeypatch.setattr(progress, "event_from_json", lambda line: lines.append(line) or event_from_json(line))
    for step in range(20_000, 20_010):
        append(job, Event("dense", step, 20_000, loss=0.1))
        assert progress_of(job).step == step
    assert len(lines) == 10
    assert progress_of(job) is progress_of(job)  # nothing new: nothing to redraw
