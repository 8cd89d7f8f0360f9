"""Without these, a language vector could be called useful that does not beat counting words."""

import os
from pathlib import Path

import pytest

from deftx.core.errors import RecipeError
from deftx.core.evaluation import score
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.evidence.baselines import BASELINES, predict

GOOD, BAD = "makanan sangat enak sekali", "pelayanan sangat buruk sekali"
TARGETS = ("min", "bjn", "ban", "ace", "mad")


def table(texts, labels=()):
    return Table(list(texts), list(labels), isinstance(texts[0], tuple), "a.csv", "")


@pytest.mark.parametrize("name", BASELINES)
def test_each_baseline_learns_words_whatever_their_case(name):
    train = table([GOOD, BAD] * 5, ["positive", "negative"] * 5)
    tests = {"min": table(["ENAK", "Buruk", "Makanan ENAK"]), "ban": table(["BURUK"])}
    assert predict(name, train, tests) == {"min": ["positive", "negative", "positive"], "ban": ["negative"]}


@pytest.mark.parametrize("name", BASELINES)
def test_both_texts_of_a_pair_count(name):
    pairs = [("hujan", "basah"), ("hujan", "kering"), ("panas", "basah"), ("panas", "kering")]
    for side in (0, 1):
        labels = [pair[side] for pair in pairs]
        assert predict(name, table(pairs * 3, labels * 3), {"x": table(pairs)}) == {"x": labels}


def test_a_rare_label_counts_as_much_as_a_frequent_one():
    train = table([GOOD] * 30 + [BAD], ["positive"] * 30 + ["negative"])
    assert predict("tfidf-word", train, {"x": table(["buruk"])}) == {"x": ["negative"]}


def test_an_unknown_baseline_is_refused():
    with pytest.raises(RecipeError, match="Did you mean 'tfidf-word'"):
        predict("tfidf-wrd", table([GOOD], ["a"]), {})


@pytest.mark.slow
@pytest.mark.data
def test_counting_words_reaches_what_it_is_known_to_reach():
    data = Path(os.environ["DEFTX_DATA"])
    tests = {language: read_table(data / "nusax" / language / "test.csv") for language in ("ind", *TARGETS)}
    found = predict("tfidf-word", read_table(data / "smsa" / "train.csv"), tests)
    points = {
        language: 100 * score("f1", test.labels, found[language], sorted(set(test.labels)))
        for language, test in tests.items()
    }
    # Measured apart from this code; another release of scikit-learn may stop its solver elsewhere.
    assert points["ind"] == pytest.approx(82.7, abs=1.5)
    assert sum(points[language] for language in TARGETS) / 5 == pytest.approx(65.5, abs=1.5)
