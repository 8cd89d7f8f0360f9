"""Scores of answers: values written down from the rules of SQuAD's official script, version 2.0."""

import pytest

from deftx.core.answer_evaluation import (
    answer_f1,
    answer_scores,
    evaluate_answers,
    exact_match,
    metric_for,
    normalised,
)
from deftx.core.errors import RecipeError, TableError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The  Cat's\tpyjamas!", "cats pyjamas"),
        ("a an the", ""),
        ("An apple a day", "apple day"),
        ("theatre", "theatre"),  # an article only as a word of its own
        ("U.S.A.", "usa"),
        ("«Kia ora»", "«kia ora»"),  # the script removes the punctuation of ASCII alone
        ("the-end", "theend"),  # punctuation goes first, so that this is no article
        ("ÉCOLE", "école"),
        ("", ""),
    ],
)
def test_normalised(text, wanted):
    assert normalised(text) == wanted


@pytest.mark.parametrize(
    ("gold", "predicted", "exact", "f1"),
    [
        (["Denver Broncos"], "the Denver Broncos.", 1.0, 1.0),
        (["Denver Broncos"], "Denver", 0.0, 2 * 1 * 0.5 / 1.5),  # precision 1, recall 1/2
        (["Santa Clara, California"], "in Santa Clara", 0.0, 2 * (2 / 3) * (2 / 3) / (4 / 3)),
        (["Denver", "Denver Broncos"], "Denver Broncos", 1.0, 1.0),  # the best of several
        (["one two two"], "two two two", 0.0, 2 / 3),  # a word counts as often as it is in both
        (["Denver"], "Carolina", 0.0, 0.0),
        ([], "", 1.0, 1.0),  # no answer, and none given
        ([], "Denver", 0.0, 0.0),
        (["Denver"], "", 0.0, 0.0),
        (["Denver"], "the", 0.0, 0.0),  # nothing is left of it
        (["the"], "", 1.0, 1.0),  # a correct answer of which nothing is left counts as "no answer"
        (["the", "Denver"], "Denver", 1.0, 1.0),
        (["the", "Denver"], "", 0.0, 0.0),
    ],
)
def test_an_answer(gold, predicted, exact, f1):
    assert exact_match(gold, predicted) == exact
    assert answer_f1(gold, predicted) == pytest.approx(f1)


def test_means_parts_and_interval():
    gold = [["Denver Broncos"], ["Denver"], [], []]
    predicted = ["Denver", "Denver", "", "x"]
    found = evaluate_answers("answer_f1", gold, predicted, ["a", "a", "a", "b"])
    assert found.answer_f1 == found.score == pytest.approx((2 / 3 + 1 + 1 + 0) / 4)
    assert found.exact_match == pytest.approx(2 / 4)
    assert (found.n, found.paragraphs) == (4, 2)
    assert vars(found.has_answer) == {"n": 2, "exact_match": 0.5, "answer_f1": pytest.approx(5 / 6)}
    assert vars(found.no_answer) == {"n": 2, "exact_match": 0.5, "answer_f1": 0.5}
    assert answer_scores(gold, predicted) == {"answer_f1": pytest.approx(found.answer_f1), "exact_match": 0.5}
    # Whole paragraphs are drawn: only their means, and mixtures of the two, can come out.
    assert found.low == 0.0
    assert found.high == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert found.to_dict()["has_answer"]["n"] == 2


def test_questions_that_all_have_an_answer():
    found = evaluate_answers("exact_match", [["x"]], ["x"], ["a"])
    assert (found.score, found.low, found.high, found.no_answer) == (1.0, 1.0, 1.0, None)


def test_names():
    assert [metric_for(name) for name in ("f1", "accuracy", "answer_f1")] == ["answer_f1", "exact_match", "answer_f1"]
    with pytest.raises(RecipeError, match="Did you mean 'exact_match'"):
        metric_for("exact")
    with pytest.raises(RecipeError, match="metric of answers"):
        evaluate_answers("f1", [["x"]], ["x"], ["a"])
    with pytest.raises(TableError, match="no questions"):
        evaluate_answers("answer_f1", [], [], [])
