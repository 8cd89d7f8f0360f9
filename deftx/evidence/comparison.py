"""Comparison of classifiers on labelled text: scores, paired differences, and mistakes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from deftx.core.errors import TableError
from deftx.core.evaluation import METRICS, Evaluation, evaluate_predictions
from deftx.evidence.statistics import Interval, paired_differences
from deftx.models.batches import Text


@dataclass(frozen=True)
class Predictions:
    """The probabilities (n, labels) of one classifier for n texts."""

    name: str
    labels: list[str]
    probabilities: Tensor

    @property
    def predicted(self) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[place] for place in self.probabilities.argmax(-1).tolist()]


@dataclass(frozen=True)
class Line:
    """The scores of a classifier by metric, and their differences to the reference, which itself has none."""

    name: str
    scores: dict[str, Evaluation]
    differences: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return {
            "name": self.name,
            "scores": {metric: found.to_dict() for metric, found in self.scores.items()},
            "differences": {metric: found._asdict() for metric, found in self.differences.items()},
        }


@dataclass(frozen=True)
class LabelScore:
    """Precision, recall and F1 of a label, from 0 to 1, and its number of rows."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Mistake:
    """A row with a wrong prediction; ``row`` counts from 0 among the file's usable rows."""

    row: int
    text: Text
    gold: str
    predicted: str
    probability: float  # of the predicted label

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)


def compare(found: Sequence[Predictions], gold: Sequence[str], reference: str) -> list[Line]:
    """Score several classifiers on the same rows, each with its difference to the classifier named ``reference``.

    Intervals are those of ``evaluate_predictions``. Differences use paired resampling, so a difference can be significant
    even if the two intervals overlap.

    Raises:
        TableError: If there are no rows, or a gold label is unknown to the classifiers.
    """
    if not gold:
        raise TableError("There are no rows to score.")
    other = next(one for one in found if one.name == reference)
    return [_line(one, other, list(gold)) for one in found]


def per_label(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> list[LabelScore]:
    """Return precision, recall and F1 of each label; 0 if undefined."""
    from sklearn.metrics import precision_recall_fscore_support  # slow to import

    score: Any = precision_recall_fscore_support  # scikit-learn has no types
    columns = score(gold, predicted, labels=list(labels), zero_division=0)
    return [
        LabelScore(label, float(precision), float(recall), float(f1), int(rows))
        for label, precision, recall, f1, rows in zip(labels, *columns, strict=True)
    ]


def hardest_mistakes(found: Predictions, texts: Sequence[Text], gold: Sequence[str], count: int) -> list[Mistake]:
    """Return the mistakes with the highest probability, the highest first; equal ones in the file's order."""
    highest = found.probabilities.max(-1).values.tolist()
    wrong = [
        Mistake(row, text, right, said, probability)
        for row, (text, right, said, probability) in enumerate(zip(texts, gold, found.predicted, highest, strict=True))
        if right != said
    ]
    return sorted(wrong, key=lambda mistake: -mistake.probability)[:count]


def _line(one: Predictions, other: Predictions, gold: list[str]) -> Line:
    predicted = one.predicted
    scores = {metric: evaluate_predictions(metric, gold, predicted, one.labels) for metric in METRICS}
    if one is other:
        return Line(one.name, scores, {})
    differences = paired_differences(gold, predicted, other.predicted, one.labels)
    return Line(one.name, scores, differences)
