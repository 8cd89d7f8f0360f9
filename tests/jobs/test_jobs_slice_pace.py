"""The clock of a slice: what it measures, when it says stop, and which slice it asks for next."""

import pytest

from deftx.core.errors import TrainingStopped
from deftx.core.events import Event
from deftx.jobs.slice_pace import LONGEST_GUESS, SliceClock, SliceTimes
from deftx.training.parts import DENOISING, ENDING, EVALUATION, OPENING, SAVING
from deftx.training.position import Position


class Now:
    """A clock that a test sets."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def opened(times, seconds):
    """Return the clock of a slice that has opened its run after 2 s, with an evaluation of 1 s, and its time."""
    now = Now()
    clock = SliceClock(times, seconds, now)
    with clock.part(EVALUATION, 0.0):
        now.time = 1.0
    now.time = 2.0
    assert not clock.must_stop()
    return clock, now


def steps(clock, now, each, most=1000):
    """Take steps until the clock says stop; return how many."""
    for step in range(most):
        now.time += each
        if clock.must_stop():
            return step + 1
    raise AssertionError


def test_it_stops_while_there_is_time_for_a_step_two_savings_and_a_margin():
    clock, now = opened(SliceTimes(seconds={SAVING: 1.0}), 20)
    steps(clock, now, 0.5)
    assert clock.is_over
    assert 20 - 1 - 2 - 2 * 0.5 <= now.time <= 20 - 1 - 2  # a margin of 5 %, two savings, and at most two steps


def test_what_parts_take_is_noted():
    times = SliceTimes()
    clock, now = opened(times, 100)
    with clock.part(SAVING, 0.0):
        now.time += 4
    steps(clock, now, 0.5)
    clock.stop()
    assert times.seconds == {EVALUATION: 1.0, OPENING: 2.0, SAVING: 4.0, "step": 0.5}


def test_a_shorter_time_counts_by_half_and_a_longer_one_at_once():
    times = SliceTimes(seconds={SAVING: 4.0})
    times.add(SAVING, 2.0)
    assert times.seconds[SAVING] == 3.0
    times.add(SAVING, 9.0)
    assert times.seconds[SAVING] == 9.0


@pytest.mark.parametrize(("name", "estimate"), [(DENOISING, 30.0), (EVALUATION, 30.0), (ENDING, 30.0)])
def test_a_part_that_would_not_end_in_time_does_not_begin(name, estimate):
    times = SliceTimes(seconds={name: 30.0})
    clock, _ = opened(times, 20) if name != EVALUATION else (SliceClock(times, 20, Now()), None)
    running = False
    with pytest.raises(TrainingStopped, match="too short"), clock.part(name, estimate):
        running = True
    assert not running
    assert clock.is_over


def test_an_estimate_counts_until_the_part_was_measured_and_a_checkpoint_is_always_written():
    times = SliceTimes()
    clock, _ = opened(times, 20)
    with pytest.raises(TrainingStopped), clock.part(DENOISING, 30.0):
        pass
    assert times.shortest(Position(1)) > 2.0 + 30.0
    with clock.part(SAVING, 1_000.0):
        pass


def test_an_interrupted_part_is_expected_to_take_twice_as_long():
    times = SliceTimes()
    clock, now = opened(times, 20)

    def interrupted():
        with clock.part(DENOISING, 0.0):
            now.time += 7
            raise TrainingStopped

    with pytest.raises(TrainingStopped):
        interrupted()
    assert times.seconds[DENOISING] == 14.0


def test_the_next_slice_is_as_long_as_the_next_part_needs():
    times = SliceTimes(seconds={OPENING: 5.0, EVALUATION: 1.0, SAVING: 2.0, "step": 0.5, DENOISING: 20.0, ENDING: 8.0},
                  steps={"dense": 10, "sparse": 10})  # fmt: skip
    dense, denoise, ending = (times.shortest(place) for place in (Position(0, 4), Position(1), Position(2, 10)))
    assert 5 + 0.5 + 1 + 2 * 2 < dense < 12
    assert 25 < denoise < 27
    assert 13 < ending < 14


def test_the_time_left_counts_what_lies_ahead():
    times = SliceTimes(seconds={OPENING: 5.0, SAVING: 2.0, DENOISING: 20.0, ENDING: 8.0})
    assert times.remaining(Position()) is None
    SliceClock(times, 10).take(Event("dense", 3, 10, seconds_left=100.0))
    assert times.remaining(Position(0, 3)) == pytest.approx(1.05 * 137.0)
    assert times.remaining(Position(2, 3)) == pytest.approx(1.05 * 117.0)


def test_a_slice_without_progress_is_followed_by_one_twice_as_long_up_to_a_limit():
    times = SliceTimes()
    for seconds, longer in ((10, 20), (100, LONGEST_GUESS)):
        times.begin(seconds, Position(0, 5))
        times.end(Position(0, 5))
        assert times.shortest(Position(0, 5)) == longer
    times.begin(100, Position(0, 5))
    times.end(Position(1))
    assert times.shortest(Position(1)) == 0


def test_a_killed_slice_widens_the_margin_of_the_next_ones(tmp_path):
    times = SliceTimes()
    before = times.margin(60)
    times.begin(60, Position())
    times.write(tmp_path)
    found = SliceTimes.read(tmp_path)
    found.end_killed(Position(0, 5))
    assert (found.killed, found.without_progress, found.running) == (1, 0, None)
    assert found.margin(60) == 2 * before
