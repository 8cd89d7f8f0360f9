"""Without these, the number that a person believes in could be another metric, or its interval a decoration."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from deftx.core.errors import DeftxError, TableError
from deftx.core.evaluation import METRICS, confusion, evaluate_predictions, interval, score

LABELS = ["negative", "neutral", "positive"]


def predictions(n=300, seed=0, right=0.6):
    generator = np.random.default_rng(seed)
    gold = generator.choice(LABELS, n, p=[0.5, 0.1, 0.4])
    return gold.tolist(), np.where(generator.random(n) < right, gold, generator.choice(LABELS, n)).tolist()


def reference(metric, gold, predicted):
    if metric == "accuracy":
        return accuracy_score(gold, predicted)
    return f1_score(gold, predicted, average="macro", zero_division=0)


def test_scores_are_those_of_scikit_learn():
    gold, predicted = predictions()
    assert score("f1", gold, predicted, LABELS) == f1_score(gold, predicted, average="macro")
    assert score("accuracy", gold, predicted, LABELS) == accuracy_score(gold, predicted)


def test_macro_f1_runs_over_the_labels_that_occur(recwarn):
    assert score("f1", ["negative", "positive"], ["negative", "positive"], LABELS) == 1.0
    # neutral is predicted but never right: it counts as 0. negative: 2·1/(2+1) = 2/3, positive: 1.
    gold, predicted = ["negative", "negative", "positive"], ["negative", "neutral", "positive"]
    assert score("f1", gold, predicted, LABELS) == pytest.approx((2 / 3 + 0 + 1) / 3, abs=1e-12)
    assert not recwarn.list


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "right"), [(300, 0.6), (7, 0.3), (40, 1.0)])
def test_scores_of_resampled_confusions_are_those_of_scikit_learn_on_the_rows(metric, n, right):
    gold, predicted = predictions(n, right=right)
    counts = np.array(confusion(gold, predicted, LABELS))
    drawn = np.random.default_rng(5).multinomial(n, counts.ravel() / n, size=50)
    cells = [(gold_label, predicted_label) for gold_label in LABELS for predicted_label in LABELS]
    slow = []
    for draw in drawn:
        rows = [cell for cell, count in zip(cells, draw, strict=True) for _ in range(count)]
        slow.append(reference(metric, *zip(*rows, strict=True)))
    np.testing.assert_allclose(METRICS[metric](drawn.reshape(-1, 3, 3)), slow, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_is_that_of_resampling_rows(metric):
    gold, predicted = map(np.array, predictions(150))
    generator = np.random.default_rng(11)
    slow = []
    for _ in range(1200):
        rows = generator.integers(150, size=150)
        slow.append(reference(metric, gold[rows], predicted[rows]))
    low, high = interval(metric, gold.tolist(), predicted.tolist(), LABELS, resamples=20_000)
    # A score of 150 rows varies by σ = 0.04; the 2.5 % quantile of 1,200 draws then by √(0.025·0.975/1200)·σ/0.058 =
    # 0.003. Four of them.
    assert (low, high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.012)


def test_the_interval_follows_its_seed_and_narrows_with_rows():
    few, many = predictions(100), predictions(4000)
    assert interval("f1", *few, LABELS, seed=1) == interval("f1", *few, LABELS, seed=1)
    assert interval("f1", *few, LABELS, seed=1) != interval("f1", *few, LABELS, seed=2)
    widths = [np.diff(interval("accuracy", *rows, LABELS))[0] for rows in (few, many)]
    assert widths[1] == pytest.approx(widths[0] / np.sqrt(40), rel=0.3)


def test_the_confusion_matrix_is_that_of_scikit_learn():
    gold, predicted = predictions()
    order = ["positive", "negative", "neutral"]
    assert confusion(gold, predicted, order) == confusion_matrix(gold, predicted, labels=order).tolist()


def test_an_evaluation_has_exactly_the_keys_of_the_contract():
    gold, predicted = predictions()
    found = evaluate_predictions("f1", gold, predicted, LABELS)
    assert found.low < found.score < found.high
    assert sum(map(sum, found.confusion)) == found.n == 300
    assert list(json.loads(json.dumps(found.to_dict()))) == [
        "metric", "score", "low", "high", "n", "labels", "confusion",
    ]  # fmt: skip


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(TableError, match="no row"):
        score("f1", [], [], LABELS)
    with pytest.raises(TableError, match="Did you mean 'neutral'"):
        score("f1", ["neutrl"], ["neutral"], LABELS)
    with pytest.raises(DeftxError, match="Did you mean 'f1'"):
        score("f2", ["neutral"], ["neutral"], LABELS)
    with pytest.raises(ValueError, match="2 gold labels, but 1"):
        confusion(["neutral"] * 2, ["neutral"], LABELS)
