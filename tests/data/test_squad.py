"""Reading SQuAD's JSON: both versions, offsets, and what is wrong, where, and what to do."""

import gzip
import json
from contextlib import suppress

import numpy as np
import pytest
import tiny
import tiny_questions

from deftx.core.errors import TableError
from deftx.data.question_rows import (
    Answer,
    check_questions,
    hold_out_paragraphs,
    join_question_tables,
)
from deftx.data.squad import NEAR, is_question_file, read_questions, write_answers
from deftx.data.token_tables import read_labelled

CONTEXT = "Kia ora. The Broncos won in Denver, and the Broncos left."


def squad(*qas, context=CONTEXT, **more):
    return {"version": "2.0", "data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(qas), **more}]}]}


def asked(text="Where?", answers=(("Denver", 28),), **more):
    return {"id": "1", "question": text, "answers": [{"text": t, "answer_start": s} for t, s in answers], **more}


@pytest.fixture
def write(tmp_path):
    def write(content, name="q.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def test_versions_1_and_2(write):
    table = read_questions(write(squad(
        asked(), asked("Who?", [("The Broncos", 9), ("Broncos", 13)], id=2),
        asked("Why?", [], id="3", is_impossible=True, plausible_answers=[{"text": "x", "answer_start": 900}]),
        asked("How?", [], id="4"),
    )))  # fmt: skip
    assert [one.id for one in table.questions] == ["1", "2", "3", "4"]
    assert [one.gold for one in table.questions] == [["Denver"], ["The Broncos", "Broncos"], [], []]
    assert table.questions[1].answers == (Answer("The Broncos", 9), Answer("Broncos", 13))
    assert table.texts == [CONTEXT] * 4
    assert (len(table), table.paragraphs, table.unanswerable, table.repaired, table.notes) == (4, 1, 2, 0, ())


def test_an_offset_is_corrected_where_one_place_is_meant(write):
    table = read_questions(write(squad(asked(answers=[("Denver", 30), (" Denver ", 26)]))))
    assert [answer.start for answer in table.questions[0].answers] == [28, 28]
    assert table.repaired == 2
    assert "2 answers stand elsewhere than at answer_start" in table.notes[0]


@pytest.mark.parametrize(
    ("context", "text", "start", "expected"),
    [
        ("In 1950 there were 5 of them.", "5", 4, 19),  # not inside of 1950
        (CONTEXT, "Broncos", 12, 13),  # the nearest one, although the same word stands 31 characters behind it
        (CONTEXT + " " * NEAR + "The Broncos.", "Broncos", 55 + NEAR, 61 + NEAR),
        (CONTEXT, "Denver", 10**30, 28),  # far away, but the only one
        (CONTEXT, "Denver", -2000, 28),
        ("他住在中国北京市。", "北京", 0, 5),  # no spaces between words
        ("ไปเชียงใหม่กัน", "เชียงใหม่", 0, 2),
        ("서울에서 왔다", "서울", 2, 0),
        ("caf\u00e9-bar", "bar", 0, 5),
    ],
)
def test_the_corrected_place_is_a_whole_word(write, context, text, start, expected):
    table = read_questions(write(squad(asked(answers=[(text, start)]), context=context)))
    assert (table.questions[0].answers, table.repaired) == ((Answer(text, expected),), 1)


def test_white_space_around_an_answer_is_left_out(write):
    table = read_questions(write(squad(asked(answers=[(" Denver", 27)]))))
    assert (table.questions[0].answers, table.repaired) == ((Answer("Denver", 28),), 0)


def test_questions_without_answers_are_left_out_unless_they_are_to_be_answered(write):
    path = write(squad(asked(), {"id": "2", "question": "Who?"}, asked("What?", [], id="3", is_impossible=False)))
    table = read_questions(path)
    assert [one.id for one in table.questions] == ["1"]
    assert table.dropped == {"no answers": 2}
    assert "2 questions without answers left out" in table.notes[0]
    assert [one.id for one in read_questions(path, need_answers=False).questions] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (squad(asked(answers=[("Broncos", 30)])), r"q\.json, data\[0\]\.paragraphs\[0\]\.qas\[0\]\.answers\[0\].*2 times elsewhere \(at 13, 44\)"),
        (squad(asked(answers=[("Seattle", 3)])), "“Seattle” does not stand at answer_start 3 of the context, where “ ora. T” st"),
        (squad(asked(answers=[("Den", 27)])), "nowhere in it as whole words"),
        (squad(asked(answers=[("Denver", "28")])), "answer_start"),
        (squad(asked(answers=[("Denver", True)])), "answer_start"),
        (squad(asked(answers=[("", 0)])), "not empty"),
        (squad({"id": "1", "question": "Where?", "answers": "Denver"}), '"answers" is no list'),
        (squad(asked(), context=" "), r'paragraphs\[0\] has no "context", the text in which the answer stands'),
        (squad(asked("")), 'has no "question"'),
        (squad("Where?"), "is no question"),
        ({"data": [{"title": "t"}]}, r'data\[0\] has no list "paragraphs"'),
        ({"data": [{"paragraphs": [{"context": CONTEXT}]}]}, 'no list "qas"'),
        ({"data": ["x"]}, 'no list "paragraphs"'),
        ({"version": "2.0"}, 'has no list "data". Expected'),
        ([1], 'has no list "data"'),
        (squad(), "no usable question"),
        ('{"text": "x"}\n{"text": "y"}', r"not JSON .* rename it to \.jsonl"),
        ("[" * 100_000, "not JSON"),
        ('{"data": ["\\ud83d"]}', "incomplete"),
    ],
)  # fmt: skip
def test_what_is_wrong(write, content, message):
    with pytest.raises(TableError, match=message):
        read_questions(write(content))


def test_files(write, tmp_path):
    path = write("\ufeff" + json.dumps(squad(asked())))
    assert len(read_questions(path)) == 1
    packed = tmp_path / "packed.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(read_questions(packed)) == 1
    (tmp_path / "latin.json").write_bytes(json.dumps(squad(asked("é")), ensure_ascii=False).encode("latin-1"))
    with pytest.raises(TableError, match="not UTF-8 text"):
        read_questions(tmp_path / "latin.json")
    assert read_questions(tmp_path / "latin.json", encoding="latin-1").questions[0].text == "é"
    with pytest.raises(TableError, match="does not exist"):
        read_questions(tmp_path / "missing.json")
    with pytest.raises(TableError, match="is a folder"):
        read_questions(tmp_path)
    with pytest.raises(TableError, match="no columns"):
        read_questions(path, columns={"text": "x"})


def test_recognised_by_content(write, tmp_path):
    for name in ("q.json", "q.txt", "q.jsonl"):
        path = write(squad(asked()), name)
        assert is_question_file(path)
        assert len(read_labelled(path)) == 1
    rows = tiny.write_csv(tmp_path / "rows.csv", ("text", "label"), tiny.labelled_rows())
    others = [
        rows,
        write('{"text": "{\\"data\\": [{", "label": "x"}', "a.jsonl"),
        write('{"data": ["x"]}', "b.jsonl"),
        tmp_path,
    ]
    assert not any(map(is_question_file, others))
    with pytest.raises(TableError, match="Did you mean 'questions'"):
        read_labelled(rows, kind="question")


def test_equal_texts_are_held_out_together(write):
    tables = [
        read_questions(tiny_questions.write_squad(write("", f"{n}.json"), tiny_questions.paragraphs(bool(n))))
        for n in (0, 1)
    ]
    joined = join_question_tables(tables)
    assert len(joined) == 96 + 192
    train, held = hold_out_paragraphs(joined, 0.1, 1)
    assert len(train) + len(held) == len(joined)
    assert not set(train.texts) & set(held.texts)
    assert 20 <= len(held) <= 29
    assert hold_out_paragraphs(joined, 0.1, 1)[1].fingerprint == held.fingerprint
    assert hold_out_paragraphs(joined, 0.1, 2)[1].fingerprint != held.fingerprint
    one = joined.keep([i for i, text in enumerate(joined.texts) if text == joined.texts[0]])
    with pytest.raises(TableError, match="only one text"):
        hold_out_paragraphs(one, 0.1, 1)


def test_findings(write):
    train = read_questions(write(squad(asked(), asked("Who?", [("Denver", 27)], id="2"))))
    valid = read_questions(write(squad(asked(), asked("Why?", [], id="2")), "v.json"))
    found = check_questions(train, valid)
    assert (found["paragraphs"], found["unanswerable"], found["valid_unanswerable"], found["shared"]) == (1, 0, 1, 1)
    assert found["repaired"] == 1
    assert (
        len(found["warnings"]) == 4
    )  # the repaired offset, few questions, questions without an answer, the shared text
    none = read_questions(write(squad(asked("Why?", []))))
    with pytest.raises(TableError, match="nothing to learn"):
        check_questions(none)


def test_answers_are_written_as_the_official_script_reads_them(tmp_path):
    write_answers(tmp_path / "out.json", {"1": "Denver", "2": ""})
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == {"1": "Denver", "2": ""}
    with pytest.raises(TableError, match="cannot be written"):
        write_answers(tmp_path / "missing" / "out.json", {})


def test_drawn_files_are_read_or_refused(tmp_path):
    """Parts of a good file replaced by other values: every outcome is a table or a TableError."""
    draw = np.random.default_rng(0)
    others = [None, 1, -1.5, True, "", "x", [], {}, [[]], {"a": 1}, "\u0000", float("inf")]
    for _ in range(300):
        content = squad(asked(), asked("Why?", [], id="2", is_impossible=True))
        node, path = content, tmp_path / "drawn.json"
        while True:
            key = draw.choice(list(node)) if isinstance(node, dict) else int(draw.integers(len(node)))
            if not isinstance(node[key], dict | list) or not node[key] or draw.random() < 0.3:
                node[key] = others[draw.integers(len(others))]
                break
            node = node[key]
        path.write_text(json.dumps(content), encoding="utf-8")
        with suppress(TableError):
            assert len(read_questions(path)) > 0
