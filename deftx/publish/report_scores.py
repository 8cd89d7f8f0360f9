"""A classifier scored on a labelled table for its report: the score, the confusion matrix, and the worst mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass

from deftx.classify.classifier import Classifier
from deftx.core.evaluation import Evaluation, evaluate_predictions, refuse_unscorable
from deftx.data.labels import check_kind
from deftx.data.tables import Table, with_spellings_of
from deftx.vectors.vector import SparseVector

MISTAKES = 10  # shown in a report


@dataclass(frozen=True)
class Mistake:
    """A text with a wrong answer, its true label, and the probability of the answer."""

    text: str
    label: str
    answer: str
    probability: float


@dataclass(frozen=True)
class Tested:
    """The scores on a file: the first is that of the task's metric.

    ``cut`` counts the texts that were not read to their end, ``left_out`` the rows of the file that were not scored, and
    ``seen`` the texts that the task vector was trained on; it is None if that is not known.
    """

    file: str
    scores: tuple[Evaluation, ...]
    mistakes: tuple[Mistake, ...]  # the most probable answers first
    cut: int
    left_out: int
    seen: int | None


def score_on(classifier: Classifier, task: SparseVector, table: Table) -> Tested:
    """Score a classifier on a labelled table.

    Raises:
        TableError: If the table is of another kind than the task, or has a label that the task does not have.
    """
    table = with_spellings_of(table, classifier.labels)
    check_kind(task.name, task.takes_pairs, table.name, table.pairs)
    refuse_unscorable(_metric_of(task), table.labels, classifier.labels)
    return score_answers(classifier, task, table, classifier.classify(table.texts).tolist())


def score_answers(
    classifier: Classifier, task: SparseVector, table: Table, rows: Sequence[Sequence[float]], seen: int | None = None
) -> Tested:
    """Score the probabilities that a classifier gave for the texts of a table, a row for each text.

    ``seen`` is the number of these texts that the task vector was trained on, if it is known.

    Raises:
        TableError: If the table has a label that the task does not have.
    """
    answers = [classifier.labels[row.index(max(row))] for row in rows]
    metrics = dict.fromkeys((_metric_of(task), "f1", "accuracy"))
    scores = tuple(evaluate_predictions(metric, table.labels, answers, classifier.labels) for metric in metrics)
    wrong = [
        Mistake(text if isinstance(text, str) else " / ".join(text), label, answer, max(row))
        for text, label, answer, row in zip(table.texts, table.labels, answers, rows, strict=True)
        if label != answer
    ]
    worst = sorted(wrong, key=lambda mistake: -mistake.probability)[:MISTAKES]
    cut, left_out = len(classifier.cut(table.texts)), sum(table.dropped.values())
    return Tested(table.name, scores, tuple(worst), cut, left_out, seen)


def _metric_of(task: SparseVector) -> str:
    return (task.info.get("recipe") or {}).get("metric", "f1")
