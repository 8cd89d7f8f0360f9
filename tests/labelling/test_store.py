"""Labelling sessions on disk: what stands after answers, undo, several people, damage and a kill."""

import json
import os
import signal
import subprocess
import sys

import pytest

from deftx.labelling import store
from deftx.labelling.session import LABEL, NONE, SKIP, Judgement, LabellingError, begin
from deftx.labelling.store import JUDGEMENTS, SESSION, Sessions, person_name

LINES = [f"a sentence that has the number {number}" for number in range(50)]


@pytest.fixture
def sessions(tmp_path):
    return Sessions(tmp_path)


@pytest.fixture
def session(sessions):
    made = begin(LINES, ("good", "bad"), count=10, text="a.txt")
    sessions.add(made)
    return made


def answers(sessions, session, person=""):
    return [(p, one.mark, one.label) for p, one in sessions.judged(session.id).get(person, {}).items()]


def test_a_session_is_found_again_and_no_path_is_an_id(sessions, session, tmp_path):
    assert sessions.open(session.id) == session
    (tmp_path / "labelling" / "other").mkdir()
    assert sessions.list() == [session]
    for unknown in ("0" * 16, "../labelling", f"../labelling/{session.id}", "", None, 3):
        with pytest.raises(LabellingError, match="no such labelling session"):
            sessions.open(unknown)


def test_every_answer_is_kept_and_undo_takes_the_last_one_back(sessions, session):
    for judgement in (Judgement(0, LABEL, "good"), Judgement(1, SKIP), Judgement(2, NONE)):
        sessions.record(session.id, "", [judgement])
    assert answers(Sessions(sessions.folder.parent), session) == [(0, LABEL, "good"), (1, SKIP, ""), (2, NONE, "")]
    sessions.undo(session.id, "")
    sessions.undo(session.id, "")
    assert answers(sessions, session) == [(0, LABEL, "good")]
    sessions.record(session.id, "", [Judgement(0, LABEL, "bad")])
    assert answers(sessions, session) == [(0, LABEL, "bad")]
    for _ in range(3):
        sessions.undo(session.id, "")
    assert sessions.judged(session.id) == {}
    assert len((sessions.folder / session.id / JUDGEMENTS).read_text().splitlines()) == 7  # nothing is rewritten


def test_people_have_answers_of_their_own(sessions, session):
    sessions.record(session.id, " Made  Ayu ", [Judgement(0, LABEL, "good")])
    sessions.record(session.id, "Ketut", [Judgement(0, LABEL, "bad")])
    sessions.undo(session.id, "Ketut")
    assert answers(sessions, session, "Made Ayu") == [(0, LABEL, "good")]
    assert answers(sessions, session, "Ketut") == []
    assert len(person_name("x" * 100)) == 60
    assert person_name("a\u202eb\nc") == "a\\u202eb c"


def test_an_answer_that_does_not_fit_is_not_stored(sessions, session):
    with pytest.raises(LabellingError, match="no sentence 11"):
        sessions.record(session.id, "", [Judgement(0, SKIP), Judgement(10, SKIP)])
    assert sessions.judged(session.id) == {}


@pytest.mark.parametrize("rest", [b'{"person": "", "place": 1, "ma', b"\xff\xfe", b"[1]\n", b'{"person": ""}\n{"undo"'])
def test_a_line_that_was_cut_off_costs_no_other(sessions, session, rest):
    sessions.record(session.id, "", [Judgement(0, LABEL, "good")])
    with (sessions.folder / session.id / JUDGEMENTS).open("ab") as file:
        file.write(rest)
    sessions.record(session.id, "", [Judgement(2, LABEL, "bad")])
    assert answers(sessions, session) == [(0, LABEL, "good"), (2, LABEL, "bad")]


def test_lines_changed_by_hand_are_passed_over(sessions, session):
    lines = [{"person": "", "place": 99, "mark": SKIP, "label": ""}, {"person": "", "place": "1", "mark": SKIP, "label": ""},
             {"person": "", "place": 1, "mark": "other", "label": ""}, {"person": "", "undo": True}]  # fmt: skip
    (sessions.folder / session.id / JUDGEMENTS).write_text("\n".join(map(json.dumps, lines)))
    assert sessions.judged(session.id) == {}
    (sessions.folder / session.id / SESSION).write_text("[" * 100_000)
    assert sessions.list() == []


def test_removing_leaves_nothing(sessions, session):
    sessions.record(session.id, "", [Judgement(0, SKIP)])
    sessions.remove(session.id)
    assert list(sessions.folder.iterdir()) == []
    with pytest.raises(LabellingError, match="no such labelling session"):
        sessions.record(session.id, "", [Judgement(0, SKIP)])


def test_a_full_disk_is_said(sessions, session, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(LabellingError, match=r"No space left on device\. Free some space"):
        sessions.record(session.id, "", [Judgement(0, SKIP)])


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(sessions, session):
    """A process that answers sentence after sentence and says so is killed in the midst of it."""
    code = f"""
from pathlib import Path
from deftx.labelling.session import Judgement
from deftx.labelling.store import Sessions
sessions = Sessions(Path({str(sessions.folder.parent)!r}))
while True:
    for place in range(10):
        sessions.record({session.id!r}, "", [Judgement(place, "label", "good" if place % 2 else "bad")])
        print(place, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        said = [int(process.stdout.readline()) for _ in range(7)]
        os.kill(process.pid, signal.SIGKILL)
    kept = answers(sessions, session)
    assert [place for place, *_ in kept][:7] == said == list(range(7))
    assert {label for place, _, label in kept if place % 2} == {"good"}
