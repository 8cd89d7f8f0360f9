"""Without these, a file could keep the server busy without end, fill its memory, or end it."""

import ctypes
import errno
import os
import threading
import time
from pathlib import Path

import psutil
import pytest
from misreading import fill_memory, never_end_after, own_id

from deftx.core import bounded
from deftx.core.bounded import Stopped, TooCostly, call
from deftx.core.errors import CorpusError, DeftxError


def add(one, other=0):
    print("not an answer")
    return (one + other, Path("a"))


def refused():
    raise CorpusError("the file is “bad”")


def damaged():
    raise KeyError("no such part")


def full_disk():
    raise OSError(errno.ENOSPC, "No space left on device")


def crash():
    ctypes.string_at(0)


class Special(DeftxError):
    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def special():
    raise Special("a", "b")


def test_it_answers_from_another_process():
    assert call(add, [1], {"other": 2}) == (3, Path("a"))
    assert call(own_id) != os.getpid()


@pytest.mark.slow
def test_what_never_ends_is_stopped_at_its_time(tmp_path):
    note = tmp_path / "pid"
    with pytest.raises(TooCostly, match=r"longer than 3 s.*Use a part of it"):
        call(never_end_after, [note], seconds=3)
    assert not note.exists() or not psutil.pid_exists(int(note.read_text(encoding="utf-8")))


def test_what_takes_too_much_memory_ends_with_a_message():
    with pytest.raises(TooCostly, match=r"more than 200\.0 MB of memory"):
        call(fill_memory, memory=200_000_000)


def test_it_ends_when_asked_to(tmp_path):
    note = tmp_path / "pid"
    with pytest.raises(Stopped):
        call(never_end_after, [note], stop=note.exists)
    assert not psutil.pid_exists(int(note.read_text(encoding="utf-8") or os.getpid()))


def test_errors_arrive_as_they_are(caplog):
    with pytest.raises(CorpusError, match="the file is “bad”"):
        call(refused)
    with pytest.raises(DeftxError, match="a and b"):
        call(special)
    with pytest.raises(OSError, match="No space left") as caught:
        call(full_disk)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(RuntimeError):
        call(damaged)
    assert "no such part" in caplog.text


def test_a_crash_of_compiled_code_is_a_message_and_not_the_end_of_the_server():
    with pytest.raises(TooCostly, match="crashed or was ended"):
        call(crash)


def test_so_many_run_at_once_and_who_waits_can_leave(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "_turns", threading.BoundedSemaphore(1))
    done, note = threading.Event(), tmp_path / "pid"
    ended = []

    def first():
        with pytest.raises(Stopped):
            call(never_end_after, [note], stop=done.is_set)
        ended.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    try:
        while not note.exists():
            time.sleep(0.01)
        asked = iter([False, False, True])
        with pytest.raises(Stopped):
            call(add, [1], stop=lambda: next(asked))
        assert ended == []
    finally:
        done.set()
        thread.join()
    assert call(add, [1])[0] == 1  # its turn was given back


@pytest.mark.slow
def test_the_process_ends_with_the_one_that_started_it(tmp_path):
    note = tmp_path / "pid"
    starter = os.fork()
    if starter == 0:
        try:
            call(never_end_after, [note])
        finally:
            os._exit(0)
    while not (note.exists() and note.read_text(encoding="utf-8")):
        time.sleep(0.01)
    child = psutil.Process(int(note.read_text(encoding="utf-8")))
    os.kill(starter, 9)
    os.waitpid(starter, 0)
    child.wait(60)
    assert not child.is_running()
