"""Without these, a vector could be called better by chance, or by a score that is not the command line's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support

from deftx.core.errors import TableError
from deftx.core.evaluation import evaluate_predictions
from deftx.evidence.comparison import Predictions, compare, hardest_mistakes, per_label

LABELS = ["negative", "neutral", "positive"]


def predictions(name, gold, right, seed):
    """Probabilities of somebody who is right with this probability."""
    generator = np.random.default_rng(seed)
    scores = generator.random((len(gold), 3))
    for row, label in enumerate(gold):
        if generator.random() < right:
            scores[row, LABELS.index(label)] += 1
    return Predictions(name, LABELS, torch.tensor(scores / scores.sum(1, keepdims=True)))


@pytest.fixture(scope="module")
def gold():
    return np.random.default_rng(7).choice(LABELS, 200, p=[0.5, 0.2, 0.3]).tolist()


def test_every_line_has_the_scores_of_evaluate_and_the_reference_no_difference(gold):
    found = [predictions("weak", gold, 0.2, 1), predictions("task", gold, 0.6, 2)]
    lines = compare(found, gold, "task")
    for line, one in zip(lines, found, strict=True):
        for metric in ("f1", "accuracy"):
            assert line.scores[metric] == evaluate_predictions(metric, gold, one.predicted, LABELS)
    assert lines[1].differences == {}
    change = lines[0].differences["accuracy"]
    assert change.mean == pytest.approx(lines[0].scores["accuracy"].score - lines[1].scores["accuracy"].score)
    assert change.high < 0  # surely worse


def test_a_difference_is_paired_so_it_is_surer_than_two_intervals_apart(gold):
    """One classifier that is the other with ten rows put right: the rows they share say nothing about the difference."""
    one = predictions("task", gold, 0.6, 2)
    better = one.probabilities.clone()
    wrong = [row for row, said in enumerate(one.predicted) if said != gold[row]][:10]
    for row in wrong:
        better[row] = torch.eye(3, dtype=better.dtype)[LABELS.index(gold[row])]
    lines = compare([one, Predictions("both", LABELS, better)], gold, "task")
    first, second = (line.scores["accuracy"] for line in lines)
    assert first.high > second.low  # the intervals overlap
    change = lines[1].differences["accuracy"]
    assert change.low > 0
    assert change.mean == pytest.approx(10 / 200)


def test_lines_are_plain_data(gold):
    line = compare([predictions("task", gold, 0.6, 2), predictions("both", gold, 0.7, 3)], gold, "task")[1].to_dict()
    assert line["name"] == "both"
    assert list(line["scores"]["f1"]) == ["metric", "score", "low", "high", "n", "labels", "confusion"]
    assert list(line["differences"]["f1"]) == ["mean", "low", "high"]


def test_what_cannot_be_compared_is_refused(gold):
    one = predictions("task", gold, 0.6, 2)
    with pytest.raises(TableError, match="no row"):
        compare([one], [], "task")
    with pytest.raises(TableError, match="'mixed' is not known"):
        compare([one], [*gold[:-1], "mixed"], "task")


def test_each_label_by_itself_is_scikit_learns(gold, recwarn):
    predicted = predictions("task", gold, 0.5, 4).predicted
    for found, *wanted in zip(
        per_label(gold, predicted, LABELS),
        *precision_recall_fscore_support(gold, predicted, labels=LABELS),
        strict=True,
    ):
        assert [found.precision, found.recall, found.f1, found.rows] == wanted
    absent = per_label(["negative"], ["negative"], LABELS)[2]
    assert (absent.label, absent.precision, absent.recall, absent.f1, absent.rows) == ("positive", 0, 0, 0, 0)
    assert not recwarn.list


def test_the_hardest_mistakes_are_those_of_which_the_classifier_was_surest():
    probabilities = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.6, 0.4], [0.8, 0.2]])
    found = Predictions("task", ["bad", "good"], probabilities)
    mistakes = hardest_mistakes(found, list("abcde"), ["bad", "bad", "good", "good", "good"], 3)
    assert [(m.row, m.text, m.gold, m.predicted) for m in mistakes] == [
        (2, "c", "good", "bad"), (4, "e", "good", "bad"), (1, "b", "bad", "good"),
    ]  # fmt: skip
    assert mistakes[2].probability == pytest.approx(0.6)
