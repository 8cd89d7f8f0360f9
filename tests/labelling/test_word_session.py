"""Sessions of corrected words: which sentences are asked, what a click changes, what stands on disk, and what comes out."""

import json
from dataclasses import replace

import pytest

from deftx.classify.self_check import draw
from deftx.classify.tag_files import write_tagged
from deftx.classify.tagger import marked
from deftx.data.token_tables import read_tokens
from deftx.labelling.session import LabellingError
from deftx.labelling.store import JUDGEMENTS
from deftx.labelling.word_session import Correction, WordSession, begin_words, with_label
from deftx.labelling.word_store import WordSessions, as_file, word_score

TAGS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
LINES = [f"Ayu came to town number {number}" for number in range(40)]


def tag(texts):
    """Find "Ayu" and the number, for which the higher number is less sure."""
    found = []
    for text in texts:
        words, at = [], 0
        for word in text.split():
            words.append((text.index(word, at), text.index(word, at) + len(word)))
            at = words[-1][1]
        tags = ["B-PER", "O", "O", "O", "O", "B-LOC"]
        sure = 1 - int(text.split()[-1]) / 100
        found.append(marked(text, words, tags, [1.0] * 5 + [sure], entities=True))
    return found


@pytest.fixture
def session():
    return begin_words(LINES, tag, TAGS, text="a.txt", made_of="Names", count=10)


@pytest.fixture
def sessions(tmp_path, session):
    kept = WordSessions(tmp_path)
    kept.add(session)
    return kept


def test_half_is_drawn_at_random_and_the_others_are_the_least_sure(session):
    assert [one.drawn for one in session.sentences] == [True, False] * 5
    assert len({one.text for one in session.sentences}) == 10
    order = list(draw(LINES, count=len(LINES), seed=0))
    assert [one.text for one in session.sentences if one.drawn] == order[:10:2]
    least = [one.text for one in session.sentences if not one.drawn]
    assert least == sorted(order[1::2], key=lambda line: -int(line.split()[-1]))[:5]
    again = begin_words(LINES, tag, TAGS, count=40, without=[one.text for one in session.sentences])
    assert not {one.text for one in again.sentences} & {one.text for one in session.sentences}
    assert (session.labels, session.entities) == (("LOC", "PER"), True)
    assert WordSession.from_dict(json.loads(json.dumps(session.to_dict()))) == session
    with pytest.raises(LabellingError, match="in a labelling session already"):
        begin_words(LINES, tag, TAGS, without=LINES)
    with pytest.raises(LabellingError, match="not possible"):
        begin_words(LINES, tag, TAGS, count=1)


@pytest.mark.parametrize(
    ("before", "place", "label", "after"),
    [
        ("O O O", 1, "PER", "O B-PER O"),
        ("B-PER O O", 1, "PER", "B-PER I-PER O"),
        ("B-PER O O", 1, "LOC", "B-PER B-LOC O"),
        ("O B-PER I-PER", 0, "PER", "B-PER I-PER I-PER"),
        ("B-PER O B-PER", 1, "PER", "B-PER I-PER I-PER"),
        ("B-PER I-PER I-PER", 1, "PER", "B-PER O B-PER"),
        ("B-PER I-PER O", 0, "LOC", "B-LOC B-PER O"),
        ("B-PER I-PER O", 0, "", "O B-PER O"),
    ],
)
def test_a_click_on_a_word(before, place, label, after):
    assert " ".join(with_label(before.split(), place, label, entities=True)) == after


def test_a_click_where_each_word_has_a_class():
    assert with_label(("NOUN", "AUX"), 1, "NOUN", entities=False) == ("NOUN", "NOUN")


def test_every_click_is_kept_and_the_last_one_stands(sessions, session, tmp_path):
    first = session.sentences[0].tags
    changed = with_label(first, 0, "PER", entities=True)
    sessions.record(session.id, Correction(0, changed))
    sessions.record(session.id, Correction(0, first))
    sessions.record(session.id, Correction(0, changed, done=True))
    with (tmp_path / "labelling-words" / session.id / JUDGEMENTS).open("ab") as file:
        file.write(b'{"place": 1, "tags": ["O"], "done": true}\n{"place": 1')
    assert WordSessions(tmp_path).corrected(session.id) == {0: Correction(0, changed, done=True)}
    with pytest.raises(LabellingError, match="no sentence 11"):
        sessions.record(session.id, Correction(10, first))
    with pytest.raises(LabellingError, match="one tag"):
        sessions.record(session.id, Correction(0, ("O",)))
    with pytest.raises(LabellingError, match="Did you mean"):
        sessions.record(session.id, Correction(0, ("B-LOCA", *first[1:])))
    assert sessions.list() == [session]
    sessions.remove(session.id)
    assert sessions.list() == []


def test_finished_sentences_make_the_score_and_the_file(sessions, session, tmp_path):
    assert word_score(session, {}) is None
    none = replace(session, sentences=tuple(replace(one, tags=("O",) * 6) for one in session.sentences))
    assert word_score(none, {0: Correction(0, ("O",) * 6, done=True)}) is None
    with pytest.raises(LabellingError, match="No sentence is finished"):
        as_file(session, {})
    without = with_label(session.sentences[0].tags, 0, "PER", entities=True)
    done = {
        0: Correction(0, without, done=True),
        1: Correction(1, ("O",) * 6, done=True),  # not drawn: it does not count
        2: Correction(2, session.sentences[2].tags, done=True),
        4: Correction(4, ("O",) * 6),  # not finished
    }
    found = word_score(session, done)
    assert (found.metric, found.sentences, found.n) == ("entity_f1", 2, 12)
    assert found.score == pytest.approx(2 * 3 / (3 + 4))  # three of the four names found are right, three there are
    for ending in (".conll", ".jsonl"):
        write_tagged(tmp_path / f"out{ending}", as_file(session, done))
        table = read_tokens(tmp_path / f"out{ending}")
        assert table.tags == [without, ("O",) * 6, session.sentences[2].tags]
        assert table.sentences[0] == tuple(session.sentences[0].text.split())


def test_a_changed_file_is_refused(session):
    with pytest.raises(LabellingError, match="changed by hand"):
        WordSession.from_dict({"sentences": [{}]})
