"""A check by hand: what is drawn, what a mark does, what the interval says, and what is kept of it."""

import json
import math
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tiny_vectors import make_vector

from deftx.classify.self_check import READABLE, Check, CheckError, Vector, accuracy, begin, draw, load, save, vector_of
from deftx.core.errors import VectorError

TASK, LANGUAGE, OTHER = (Vector(name, letter * 64) for name, letter in (("mood", "a"), ("min", "b"), ("ban", "c")))
LINES = [f"a sentence that has the number {number}" for number in range(200)]


def check(marks=(), answers="ppnu", language=LANGUAGE):
    begun = begin([f"sentence {n}" for n in answers], answers, task=TASK, language=language, corpus="a.txt", seed=1)
    for mark in marks:
        begun = begun.mark(mark)
    return begun


# Drawing


def test_a_seed_fixes_which_distinct_sentences_are_drawn():
    drawn = draw(LINES, count=50, seed=3)
    assert drawn == draw(LINES, count=50, seed=3)
    assert len(set(drawn)) == 50
    assert set(drawn) < set(LINES)
    assert drawn != draw(LINES, count=50, seed=4)
    assert drawn != tuple(LINES[:50])


def test_sentences_are_readable_and_equal_ones_count_once():
    lines = ["The food is good.", "the  food is GOOD.", "short", "x" * (READABLE[1] + 1)]
    assert len(draw(lines)) == 1
    assert len(draw(LINES[:7])) == 7
    with pytest.raises(CheckError, match="12 to 280 characters"):
        draw(["short", "x" * 300])


def test_of_equal_sentences_the_last_is_drawn_at_the_place_of_the_first():
    lines = [
        f"a Sentence  number {number % 60}" if number % 7 else f"A sentence number {number % 60}"
        for number in range(150)
    ]
    distinct = list({" ".join(line.casefold().split()): line for line in lines}.values())
    order = np.random.default_rng(5).permutation(60)
    assert draw(lines, count=40, seed=5) == tuple(distinct[place] for place in order[:40])


def test_a_draw_needs_less_memory_than_the_text():
    lines = [f"{'a sentence that is long enough ' * 5}{number}" for number in range(20_000)]
    tracemalloc.start()
    draw(lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < sum(map(sys.getsizeof, lines)) / 2


# Marking


def test_marks_go_from_sentence_to_sentence_and_the_last_is_taken_back():
    marked = check(["right", "unsure"])
    assert marked.marks == ("right", "unsure")
    assert marked.undo().marks == ("right",)
    assert check().undo().marks == ()
    done = check(["right", "wrong", "right", "unsure"])
    assert done.done
    assert done.mark("right") == done
    with pytest.raises(CheckError, match="Did you mean 'wrong'"):
        check().mark("wrog")


def test_what_cannot_be_said_does_not_count():
    assert check().accuracy() is None
    assert check(["unsure"]).accuracy() is None
    reached = check(["right", "wrong", "unsure", "right"]).accuracy()
    assert (reached.right, reached.judged) == (2, 3)


def test_marks_are_counted_by_answer():
    assert check(["right", "wrong", "unsure"]).by_answer() == {
        "p": {"right": 1, "wrong": 1, "unsure": 0},
        "n": {"right": 0, "wrong": 0, "unsure": 1},
    }


# The interval


def test_the_interval_is_wilsons():
    # Newcombe (1998), Statistics in Medicine 17, table I: method 3, without continuity correction.
    for right, judged, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = accuracy(right, judged)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    z, n, p = 1.959963984540054, 50, 41 / 50
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    found = accuracy(41, 50)
    assert (found.low, found.high) == pytest.approx(
        ((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    )
    assert accuracy(0, 0) is None


# Keeping


def test_a_check_survives_the_browser():
    marked = check(["right", "unsure"])
    assert Check.from_dict(json.loads(json.dumps(marked.to_dict()))) == marked
    alone = check(language=None)
    assert Check.from_dict(json.loads(json.dumps(alone.to_dict()))) == alone


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../../etc/x"},
        {"task": {"name": "mood", "fingerprint": "../x"}},
        {"marks": ["fine"]},
        {"marks": ["right"] * 5},
        {"answers": ["p"]},
        {"sentences": [], "answers": [], "marks": []},
        {"seed": "x"},
        {"sentences": None},
    ],
)
def test_what_a_browser_makes_up_is_refused(change):
    with pytest.raises(CheckError, match="Start the check again"):
        Check.from_dict({**check().to_dict(), **change})
    with pytest.raises(CheckError):
        Check.from_dict("nonsense")


def test_a_result_is_kept_for_both_vectors_without_a_sentence(tmp_path):
    done = check(["right", "wrong", "unsure", "right"])
    file = save(tmp_path, done)
    assert "sentence" not in file.read_text()
    (found,) = load(tmp_path, LANGUAGE.fingerprint)
    assert found == load(tmp_path, TASK.fingerprint, LANGUAGE.fingerprint)[0]
    assert (found["right"], found["judged"], found["unsure"], found["drawn"]) == (2, 3, 1, 4)
    assert (found["low"], found["high"]) == (done.accuracy().low, done.accuracy().high)
    assert found["answers"] == done.by_answer()
    assert load(tmp_path, OTHER.fingerprint) == load(tmp_path, TASK.fingerprint, OTHER.fingerprint) == []


def test_a_check_kept_again_replaces_its_result_and_others_stay(tmp_path):
    mine, others = check(["right"]), check(["wrong"])
    save(tmp_path, mine)
    save(tmp_path, others)
    save(tmp_path, mine.mark("right"))
    assert sorted(one["judged"] for one in load(tmp_path, TASK.fingerprint)) == [1, 2]
    save(tmp_path, mine.mark("wrong"))
    assert sorted(one["right"] for one in load(tmp_path, TASK.fingerprint)) == [0, 1]
    with pytest.raises(CheckError, match="right or wrong"):
        save(tmp_path, check(["unsure"]))


def test_the_newest_comes_first_and_damage_is_left_out(tmp_path):
    files = [save(tmp_path, check(["right"], language=language)) for language in (None, LANGUAGE)]
    for age, file in enumerate(files):
        file.write_text(json.dumps({**json.loads(file.read_text()), "created": age}))
    assert [one["created"] for one in load(tmp_path, TASK.fingerprint)] == [1, 0]
    files[0].write_text("{")
    assert [one["created"] for one in load(tmp_path, TASK.fingerprint)] == [1]


def test_a_vector_is_named_by_its_tensors(tmp_path):
    folders = [make_vector(draw).save(tmp_path / str(draw)) for draw in (0, 1)]
    first, second = (vector_of(folder, "one") for folder in folders)
    assert first.fingerprint != second.fingerprint
    assert replace(first, name="x") == vector_of(folders[0], "x")
    (folders[0] / "vector.json").write_text("[]")
    with pytest.raises(VectorError, match="can no longer be read"):
        vector_of(folders[0], "one")


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "now"},
        {"created": None},
        {"version": 9},
        {"task": []},
        {"right": ...},
        {"judged": ...},
        {"task": {"fingerprint": []}},
    ],
)
def test_records_that_were_changed_by_hand_are_left_out(tmp_path, changes):
    file = save(tmp_path, check(["right"]))
    whole = json.loads(file.read_text())
    assert len(load(tmp_path)) == 1
    file.write_text(json.dumps({name: value for name, value in {**whole, **changes}.items() if value is not ...}))
    assert load(tmp_path) == []
    file.write_text("[" * 100_000)
    assert load(tmp_path) == []


def test_a_browser_that_sends_an_infinite_seed_is_refused():
    with pytest.raises(CheckError, match="cannot be read"):
        Check.from_dict({**check().to_dict(), "seed": math.inf})
