"""Scores of predictions, their bootstrap confidence intervals, and confusion matrices."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deftx.core.errors import TableError, unknown_name

LEVEL = 0.95  # of the interval
RESAMPLES = 1_000


@dataclass(frozen=True)
class Evaluation:
    """A score from 0 to 1 over ``n`` rows with its 95 % interval. ``confusion[i][j]`` counts rows of label i predicted as j."""

    metric: str
    score: float
    low: float
    high: float
    n: int
    labels: list[str]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)


def evaluate_predictions(
    metric: str,
    gold: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Return the score of predictions with its interval and confusion matrix.

    Args:
        metric: "f1" (macro-F1) or "accuracy".
        gold: The correct label of each row.
        predicted: The predicted label of each row.
        labels: All labels that may occur.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Raises:
        TableError: If there are no rows, or a label is not in ``labels``.
        RecipeError: If the metric is unknown.
    """
    low, high = interval(metric, gold, predicted, labels, resamples=resamples, seed=seed)
    value = score(metric, gold, predicted, labels)
    return Evaluation(metric, value, low, high, len(gold), list(labels), confusion(gold, predicted, labels))


def refuse_unscorable(metric: str, gold: Sequence[str], labels: Sequence[str]) -> None:
    """Raise what ``evaluate_predictions`` would raise for a metric or for correct labels, before anything is predicted."""
    _metric(metric)
    _codes(gold, gold, labels)


def score(metric: str, gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> float:
    """Return the score of predictions, from 0 to 1.

    "f1" is macro-F1: the unweighted mean of F1 = 2·TP / (2·TP + FP + FN) over the labels that occur in gold or predicted,
    as scikit-learn's f1_score(average="macro"). "accuracy" is the share of correct rows.
    """
    return float(_metric(metric)(np.array([confusion(gold, predicted, labels)]))[0])


def interval(
    metric: str,
    gold: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a score (Efron 1979), over rows drawn with replacement.

    Drawing n of n rows with replacement equals drawing the cells of the confusion matrix from a multinomial distribution.
    """
    counts = np.array(confusion(gold, predicted, labels))
    drawn = np.random.default_rng(seed).multinomial(len(gold), counts.ravel() / len(gold), size=resamples)
    scores = _metric(metric)(drawn.reshape(resamples, *counts.shape))
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def resampled_scores(
    metric: str, gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str], counts: np.ndarray
) -> np.ndarray:
    """Return the score of each bootstrap sample, shape (draws,).

    ``counts`` (draws, n) says how often each row is in each sample. Pass the same counts for several lists of
    predictions to compare them on the same samples.
    """
    rows, columns = _codes(gold, predicted, labels)
    size = len(labels)
    cells = rows * size + columns  # of the confusion matrix; sums of integers are exact in float64
    drawn = [np.bincount(cells, weights=draw, minlength=size * size) for draw in counts]
    return _metric(metric)(np.reshape(drawn, (len(counts), size, size)))


def confusion(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> list[list[int]]:
    """Count, for each gold label (row), how often each label (column) was predicted."""
    rows, columns = _codes(gold, predicted, labels)
    size = len(labels)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size).tolist()


def _codes(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold labels, but {len(predicted)} predictions")
    if len(gold) == 0:
        raise TableError("There are no rows to score.")
    place = {label: index for index, label in enumerate(labels)}
    for label in (*gold, *predicted):
        if label not in place:
            raise unknown_name("The label", label, labels, TableError)
    first, second = (np.array([place[label] for label in column]) for column in (gold, predicted))
    return first, second


def _macro_f1_of(counts: np.ndarray) -> np.ndarray:
    """Return the macro-F1 of confusion matrices: (resamples, labels, labels) -> (resamples,)."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    sizes = counts.sum(axis=1) + counts.sum(axis=2)  # 2·TP + FP + FN
    return (2 * hits / np.maximum(sizes, 1)).sum(axis=1) / (sizes > 0).sum(axis=1)


def _accuracy_of(counts: np.ndarray) -> np.ndarray:
    """Return the accuracy of confusion matrices: (resamples, labels, labels) -> (resamples,)."""
    return np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))


# Each function takes many confusion matrices at once.
METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"f1": _macro_f1_of, "accuracy": _accuracy_of}


def _metric(name: str) -> Callable[[np.ndarray], np.ndarray]:
    if name not in METRICS:
        raise unknown_name("The metric", name, METRICS)
    return METRICS[name]
