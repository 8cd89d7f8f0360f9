"""What labelled text says about several classifiers: scores, differences on the same rows, and where one goes wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from deftx.core.errors import TableError
from deftx.core.evaluation import METRICS, Evaluation, evaluate_predictions
from deftx.evidence.cells import Scored
from deftx.evidence.statistics import Interval, joint_difference
from deftx.models.batches import Text


@dataclass(frozen=True)
class Predictions:
    """What one classifier made of n texts: probabilities (n, labels)."""

    name: str
    labels: list[str]
    probabilities: Tensor

    @property
    def predicted(self) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[place] for place in self.probabilities.argmax(-1).tolist()]


@dataclass(frozen=True)
class Line:
    """One classifier's scores by metric, and their differences to those of the reference; it has none to itself."""

    name: str
    scores: dict[str, Evaluation]
    differences: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Return name, scores and differences, fit for JSON."""
        return {
            "name": self.name,
            "scores": {metric: found.to_dict() for metric, found in self.scores.items()},
            "differences": {metric: found._asdict() for metric, found in self.differences.items()},
        }


@dataclass(frozen=True)
class LabelScore:
    """How well one label is found: precision, recall and F1 from 0 to 1, and the rows that have it."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Mistake:
    """A row whose most probable label is not its own; ``row`` counts from 0 in the file's usable rows."""

    row: int
    text: Text
    gold: str
    predicted: str
    probability: float  # of the label that was predicted

    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, fit for JSON."""
        return asdict(self)


def compare(found: Sequence[Predictions], gold: Sequence[str], reference: str) -> list[Line]:
    """Score several classifiers on the same rows, each with its difference to the one called ``reference``.

    Intervals are those of ``evaluate_predictions``. The difference resamples the rows jointly for both (paired), so it
    can be sure where the two intervals overlap.

    Raises:
        TableError: there is no row, or a gold label that the classifiers do not know.
    """
    if not gold:
        raise TableError("There is no row to score.")
    other = next(one for one in found if one.name == reference)
    return [_line(one, other, list(gold)) for one in found]


def per_label(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> list[LabelScore]:
    """Give precision, recall and F1 of each label; 0 where there is nothing to divide by."""
    from sklearn.metrics import precision_recall_fscore_support  # as in evaluation

    columns = precision_recall_fscore_support(gold, predicted, labels=list(labels), zero_division=0)
    return [
        LabelScore(label, float(precision), float(recall), float(f1), int(rows))
        for label, precision, recall, f1, rows in zip(labels, *columns, strict=True)
    ]


def hardest_mistakes(found: Predictions, texts: Sequence[Text], gold: Sequence[str], count: int) -> list[Mistake]:
    """List the wrong rows in which the classifier was surest, the surest first; equally sure ones in the file's order."""
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
    pair = [Scored(each.name, "", 0, gold, said) for each, said in ((one, predicted), (other, other.predicted))]
    differences = {metric: joint_difference([pair[0]], [pair[1]], metric) for metric in METRICS}
    return Line(one.name, scores, differences)
