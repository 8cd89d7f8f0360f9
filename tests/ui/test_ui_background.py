"""Long work for visitors: without these, one could wait for ever, or read what another asked for."""

import threading
import time
from itertools import count

import pytest

from deftx.core.errors import DeftxError
from ui import strings
from ui.shared import background
from ui.shared.background import BackgroundTasks, Stopped


@pytest.fixture
def line():
    return BackgroundTasks()


@pytest.fixture
def busy(line):
    """Hold the thread until the test lets go."""
    gate, running = threading.Event(), threading.Event()

    def work(on_share):
        running.set()
        gate.wait(20)

    line.start(work)
    assert running.wait(20)
    yield gate
    gate.set()


def test_work_is_done_in_turn_and_its_result_is_found_by_its_id(line, busy):
    order = []
    ids = [line.start(lambda on_share, n=n: order.append(n) or n) for n in range(3)]
    assert [line.before(line.find(id_)) for id_ in ids] == [1, 2, 3]
    busy.set()
    assert [line.wait(id_) for id_ in ids] == order == [0, 1, 2]
    assert line.find(ids[1]).result == 1
    assert line.before(line.find(ids[1])) == 0


def test_ids_cannot_be_guessed_and_unknown_ones_find_nothing(line):
    ids = {line.start(lambda on_share: None) for _ in range(5)}
    assert len(ids) == 5
    assert min(map(len, ids)) >= 20
    assert [line.find(wrong) for wrong in ("", "1", None)] == [None] * 3


def test_what_is_done_and_left_is_told(line):
    told = []

    def work(on_share):
        background_task = next(iter(line._known.values()))
        told.append(background_task.seconds_left)
        background_task.began = time.monotonic() - 30
        on_share(0.25)
        told.append(background_task.seconds_left)

    line.wait(line.start(work))
    assert told == [None, pytest.approx(90, abs=1)]


def test_running_work_ends_at_the_next_share_and_waiting_work_at_once(line, busy):
    waiting = line.start(lambda on_share: "never")
    line.stop(waiting)
    assert line.find(waiting).stopped
    busy.set()
    begun = threading.Event()

    def endless(on_share):
        for n in count():
            on_share(n / (n + 1))
            begun.set()
            time.sleep(0.001)

    id_ = line.start(endless)
    assert begun.wait(20)
    line.stop(id_)
    with pytest.raises(Stopped):
        line.wait(id_)
    assert line.find(id_).stopped


def test_a_visitor_who_starts_again_gives_up_what_was_asked_before(line, busy):
    first = line.start(lambda on_share: "old")
    second = line.start(lambda on_share: "new", instead_of=first)
    busy.set()
    assert line.wait(second) == "new"
    assert line.find(first).stopped


def test_a_failure_is_kept_for_its_visitor_and_the_next_work_goes_on(line, caplog):
    def fails(on_share):
        raise DeftxError("what to do")

    def breaks(on_share):
        raise KeyError("surprise")

    first, second, third = line.start(fails), line.start(breaks), line.start(lambda on_share: 3)
    assert line.wait(third) == 3
    assert str(line.find(first).error) == "what to do"
    assert isinstance(line.find(second).error, KeyError)
    assert [record.exc_info[0] for record in caplog.records] == [KeyError]  # what is nobody's fault is logged


def test_results_go_after_a_while_and_when_there_are_too_many(line, monkeypatch):
    monkeypatch.setattr(background, "MOST_KEPT", 2)
    ids = [line.start(lambda on_share, n=n: n) for n in range(3)]
    assert line.wait(ids[-1]) == 2
    assert [line.find(id_) is not None for id_ in ids] == [False, True, True]
    line.find(ids[1]).seen -= background.KEPT + 1
    assert line.find(ids[1]) is None
    assert line.find(ids[2]).result == 2


@pytest.mark.parametrize("hours", [2, -2])
def test_results_stay_when_the_clock_is_set(line, monkeypatch, hours):
    id_ = line.start(lambda on_share: 3)
    line.wait(id_)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + hours * 3_600)
    assert line.find(id_).result == 3


def test_a_line_that_is_too_long_is_refused(line, busy, monkeypatch):
    monkeypatch.setattr(background, "MOST_WAITING", 1)
    line.start(lambda on_share: None)
    with pytest.raises(DeftxError, match="few minutes"):
        line.start(lambda on_share: None)


def test_work_speaks_the_language_of_who_asked(line):
    with strings.speaking("es"):
        id_ = line.start(lambda on_share: strings.language())
    assert line.wait(id_) == "es"
