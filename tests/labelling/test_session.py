"""Which sentences a labelling session asks about, and which labels and answers it takes."""

import pytest
import torch

from deftx.classify.self_check import CheckError
from deftx.core.errors import DeftxError
from deftx.labelling.session import (
    LABEL,
    NONE,
    SKIP,
    Judgement,
    LabellingError,
    Session,
    begin,
    check_labels,
    least_sure,
)

LINES = [f"a sentence that has the number {number}" for number in range(300)]
LABELS = ("good", "bad")


def number(text):
    return int(text.split()[-1])


def sure_of(doubtful):
    """A classifier that says "good" at 0.9, but is unsure about these numbers."""

    def classify(texts):
        return torch.tensor([[0.55, 0.45] if number(text) in doubtful else [0.9, 0.1] for text in texts])

    return classify


def parts(session):
    return [[one for one in session.sentences if one.drawn == drawn] for drawn in (True, False)]


def test_half_is_drawn_at_random_whatever_the_classifier_says_and_both_halves_take_turns():
    without = begin(LINES, LABELS, count=20, seed=5)
    session = begin(LINES, LABELS, classifiers=[sure_of(range(0, 300, 7))], count=20, seed=5)
    assert [one.drawn for one in session.sentences] == [True, False] * 10
    assert [one.text for one in parts(session)[0]] == [one.text for one in parts(without)[0]]
    assert len({one.text for one in session.sentences}) == 20


def test_the_other_half_is_where_the_classifier_is_least_sure():
    session = begin(LINES, LABELS, classifiers=[sure_of(range(0, 300, 7))], count=20, seed=5)
    chosen = parts(session)[1]
    assert [number(one.text) % 7 for one in chosen] == [0] * 10
    assert [one.probability for one in chosen] == [pytest.approx(0.55)] * 10
    assert {one.answer for one in session.sentences} == {"good"}


def test_where_classifiers_disagree_is_asked_before_where_both_are_a_little_unsure():
    both_unsure = torch.tensor([[0.7, 0.3], [0.95, 0.05], [0.99, 0.01]])
    other = torch.tensor([[0.7, 0.3], [0.05, 0.95], [0.99, 0.01]])
    assert least_sure([both_unsure, other]) == [1, 0, 2]
    assert least_sure([both_unsure]) == [0, 1, 2]


def test_without_a_classifier_there_are_no_answers():
    session = begin(LINES, LABELS, count=5)
    assert [(one.answer, one.probability) for one in session.sentences] == [("", 0.0)] * 5
    assert [one.drawn for one in session.sentences] == [True, False, True, False, True]


def test_sentences_of_earlier_sessions_are_not_asked_again():
    first = begin(LINES[:30], LABELS, count=20)
    asked = [one.text.upper() for one in first.sentences]
    second = begin(LINES[:30], LABELS, classifiers=[sure_of(())], count=20, without=asked)
    assert len(second.sentences) == 10
    assert not {one.text for one in first.sentences} & {one.text for one in second.sentences}
    with pytest.raises(LabellingError, match="add a longer text"):
        begin(LINES[:20], LABELS, without=LINES)


def test_the_random_half_of_a_later_session_has_no_sentence_that_an_earlier_one_looked_at_and_left_out():
    looked_at = []
    sure = sure_of(())

    def classify(texts):
        looked_at.extend(texts)
        return sure(texts)

    first = begin(LINES, LABELS, classifiers=[classify], count=20, seed=5)
    assert len(looked_at) > 100  # the ten of the score, and those among which the least sure ones were found
    asked = [one.text for one in first.sentences]
    second = begin(LINES, LABELS, classifiers=[sure], count=20, seed=5, without=asked)
    assert len(parts(second)[0]) == 10
    assert not {one.text for one in parts(second)[0]} & set(looked_at)


def test_a_text_with_one_sentence_is_a_session_of_one():
    session = begin(LINES[:1], LABELS, classifiers=[sure_of(())])
    assert [one.drawn for one in session.sentences] == [True]


def test_what_cannot_be_a_session_is_refused():
    for count in (3, 501):
        with pytest.raises(LabellingError, match="choose 4 to 500"):
            begin(LINES, LABELS, count=count)
    with pytest.raises(CheckError, match="12 to 280 characters"):
        begin(["short"], LABELS)


def test_a_session_is_the_same_after_it_was_written():
    session = begin(LINES, LABELS, classifiers=[sure_of(())], text="a.txt", made_of="Mood", task="job:1", count=6)
    assert Session.from_dict(session.to_dict()) == session
    for broken in (None, {}, {**session.to_dict(), "sentences": [{"text": 1}]}, {**session.to_dict(), "more": 1}):
        with pytest.raises(LabellingError, match="cannot be read"):
            Session.from_dict(broken)


def test_labels_of_ones_own_are_cleaned_and_checked():
    assert check_labels([" praise", " complaint ", "", " question"]) == ("praise", "complaint", "question")
    for names, message in (
        (["one"], "2 to 50 labels are needed"),
        (map(str, range(51)), "these are 51"),
        (["Good", "bad", " good"], "'good' is given twice"),
        (["good", "x" * 61], "not one line of 60 characters"),
        (["good", "ba\u202ed"], "not one line"),
        (["favor", "against", "None"], "'None' can say in a table that a row has no label"),
    ):
        with pytest.raises(LabellingError, match=message):
            check_labels(names)


def test_an_answer_must_fit_the_session():
    session = begin(LINES, LABELS, count=4)
    for mark, label in ((LABEL, "good"), (NONE, ""), (SKIP, "")):
        assert Judgement(3, mark, label).check(session).place == 3
    for wrong, message in (
        (Judgement(4, SKIP), "no sentence 5"),
        (Judgement(-1, SKIP), "no sentence 0"),
        (Judgement(0, "skipp"), "Did you mean 'skip'"),
        (Judgement(0, LABEL, "goood"), "Did you mean 'good'"),
        (Judgement(0, LABEL), "belongs to a judgement"),
        (Judgement(0, NONE, "good"), "belongs to a judgement"),
    ):
        with pytest.raises(DeftxError, match=message):
            wrong.check(session)
