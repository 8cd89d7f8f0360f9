"""Confusion matrices in words, and the texts of the three languages."""

from string import Formatter

import pytest

from deftx.core.errors import RecipeError
from deftx.publish.score_words import known_score, languages_in_words, scores_in_words, validation_in_words
from deftx.publish.spoken import SPOKEN, texts_in

LABELS, CONFUSION = ["complaint", "neutral", "praise"], [[100, 4, 49], [10, 1_000, 0], [2, 3, 80]]


def test_what_is_right_and_what_is_taken_for_what():
    assert scores_in_words(LABELS, CONFUSION) == (
        "1,180 of 1,248 are right.",
        "49 of 153 “complaint” are taken for “praise”.",
        "10 of 1,010 “neutral” are taken for “complaint”.",
        "4 of 153 “complaint” are taken for “neutral”.",
        "Always answering “neutral” would be right for 1,010 of 1,248.",
    )


def test_nothing_is_taken_for_anything_where_all_is_right():
    assert scores_in_words(["a", "b"], [[3, 0], [0, 2]], "es") == (
        "5 de 5 son correctas.",
        "Responder siempre «a» acertaría 3 de 5.",
    )


def test_braces_in_a_label_are_text():
    assert "{total}" in scores_in_words(["{total}", "b"], [[0, 1], [0, 2]], "id")[1]


def test_the_validation_scores_of_a_task_vector_are_those_of_its_confusion_matrix():
    info = {"labels": LABELS, "scores": {"confusion": CONFUSION, "accuracy": {"after": 0.1}, "examples": 3}}
    assert validation_in_words(info) == scores_in_words(LABELS, CONFUSION)


def test_a_vector_without_a_usable_confusion_matrix_gets_one_sentence_or_none():
    scores = {"accuracy": {"before": 0.5, "after": 0.9}, "examples": 1_249}
    for confusion in (None, [[1, 2]], [[1, -2, 3]] * 3, "none", [[1, True, 3]] * 3):
        info = {"labels": LABELS, "scores": {**scores, "confusion": confusion}}
        assert validation_in_words(info) == ("1,124 of 1,249 are right.",)
    for unknown in ({}, {"accuracy": 0.9, "examples": 5}, {"accuracy": {"after": 7}, "examples": 5}, None):
        assert validation_in_words({"labels": LABELS, "scores": unknown}) == ()


def test_a_known_score_says_how_many_of_100_its_interval_and_what_it_was_measured_on():
    scores = {"accuracy": {"before": 0.5, "after": 0.9}, "examples": 1_249}
    info = {
        "scores": scores,
        "language": "ind",
        "corpus": {"trained_on": [{"file": "train.csv"}, {"file": "train.csv"}]},
    }
    assert known_score(info) == (
        "90 of 100 answers of the task vector alone are right (1,124 of 1,249; 95 % interval: 88 to 92 of 100).",
        "This was measured on validation rows of its training (`train.csv`, Indonesian (ind)).",
    )
    assert "(no indicada)." in known_score({"scores": scores}, "es")[1]
    counted = known_score({**info, "labels": LABELS, "scores": {"confusion": CONFUSION, **scores}})
    assert "(1,180 of 1,248;" in counted[0]
    for unknown in ({}, {"examples": 0, "accuracy": {"after": 0.5}}, None):
        assert known_score({"scores": unknown}) == ()


def test_what_is_written_in_place_of_a_language_or_a_file_is_no_markup():
    assert languages_in_words(["ban", None, "<b>"]) == ["Balinese (ban)", "`<b>`"]
    info = {"scores": {"accuracy": {"after": 1.0}, "examples": 5}, "corpus": {"trained_on": [{"file": "[a](b)"}, 7]}}
    assert "(`[a](b)`)" in known_score(info)[1]
    for given in (5, "train.csv", [{"file": ["a"]}, {"file": {}}], {}):
        assert "(not stated)" in known_score({**info, "corpus": {"trained_on": given}})[1]


def test_an_unknown_language_is_refused():
    with pytest.raises(RecipeError, match="Did you mean 'en'"):
        scores_in_words(LABELS, CONFUSION, "eng")


@pytest.mark.parametrize("language", SPOKEN)
def test_every_language_has_the_same_texts_with_the_same_values(language):
    english, own = texts_in("en"), texts_in(language)
    assert own.keys() == english.keys()
    fields = {name: {field for _, field, *_ in Formatter().parse(text) if field} for name, text in own.items()}
    assert fields == {name: {f for _, f, *_ in Formatter().parse(text) if f} for name, text in english.items()}
    assert language == "en" or sum(own[name] == english[name] for name in own) < 6  # Vector, Macro-F1 and the like
