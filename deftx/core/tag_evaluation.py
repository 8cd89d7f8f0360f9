"""Scores of tagged words, with bootstrap intervals over sentences: entity F1 and accuracy."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deftx.core.errors import TableError, unknown_name
from deftx.core.evaluation import LEVEL, RESAMPLES
from deftx.core.tags import marks_entities, spans

ENTITY_F1, ACCURACY = "entity_f1", "accuracy"
METRICS = {ENTITY_F1: "entity F1", ACCURACY: "accuracy of words"}

Tags = Sequence[Sequence[str]]  # of each sentence


@dataclass(frozen=True)
class Line:
    """The scores of one type of entity, or of one tag: of its ``found`` and ``gold`` ones, ``right`` are equal."""

    label: str
    right: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """The share of the found ones that are right; 0 if none was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of the gold ones that were found; 0 if there is none."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 2·right / (found + gold)."""
        return 2 * self.right / (self.found + self.gold) if self.found + self.gold else 0.0


@dataclass(frozen=True)
class TagEvaluation:
    """A score from 0 to 1 over ``n`` words in ``sentences`` sentences, its 95 % interval, and the counts by label."""

    metric: str
    score: float
    low: float
    high: float
    n: int
    sentences: int
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        found = asdict(self)
        found["lines"] = [
            {**asdict(line), "precision": line.precision, "recall": line.recall, "f1": line.f1} for line in self.lines
        ]
        return found


def metrics_for(labels: Sequence[str]) -> list[str]:
    """Return the metrics that fit tags: entity F1 only if they mark entities, and accuracy."""
    return list(METRICS) if marks_entities(labels) else [ACCURACY]


def metric_for(name: str, labels: Sequence[str]) -> str:
    """Return the metric of tagged words that a metric of a task stands for.

    "f1" is entity F1, or accuracy for tags that mark no entities, where the two would be the same.

    Raises:
        RecipeError: If the metric is unknown, or entity F1 of tags that mark no entities.
    """
    fitting = metrics_for(labels)
    if name == "f1":
        return fitting[0]
    if name not in fitting:
        raise unknown_name("The metric of these tags", name, ("f1", *fitting))
    return name


def tag_score(metric: str, gold: Tags, predicted: Tags) -> float:
    """Return the score of predicted tags, from 0 to 1.

    "entity_f1" is the F1 of entities, which are right only if type, first and last word are (seqeval's ``f1_score``).
    "accuracy" is the share of the words with the right tag.

    Raises:
        TableError: If the metric is entity F1 and there is no entity, neither gold nor predicted.
        RecipeError: If the metric is unknown.
    """
    return float(_ratio(_counts(metric, gold, predicted).sum(0)))


def evaluate_tags(
    metric: str, gold: Tags, predicted: Tags, *, resamples: int = RESAMPLES, seed: int = 0
) -> TagEvaluation:
    """Return the score of predicted tags with its interval. The bootstrap draws sentences, whose words belong together.

    Samples in which there is no entity, neither gold nor predicted, have no entity F1 and are left out of the interval.

    Args:
        metric: "entity_f1" or "accuracy", as in ``tag_score``.
        gold: The correct tags of each sentence.
        predicted: The predicted tags of each sentence.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Raises:
        TableError: If there are no sentences, or the metric is entity F1 and there is no entity, neither gold nor predicted.
        RecipeError: If the metric is unknown.
    """
    counts = _counts(metric, gold, predicted)
    if not len(counts):
        raise TableError("There are no sentences to score.")
    score = float(_ratio(counts.sum(0)))
    drawn = np.random.default_rng(seed).integers(len(counts), size=(resamples, len(counts)))
    sums = np.array([counts[rows].sum(0) for rows in drawn])
    scores = [_ratio(one) for one in sums if one[1]]
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    lines = _lines(_ITEMS[metric], gold, predicted)
    return TagEvaluation(metric, score, float(low), float(high), sum(map(len, gold)), len(gold), lines)


def _counts(metric: str, gold: Tags, predicted: Tags) -> np.ndarray:
    """Return what a metric divides, for each sentence: (sentences, 2) with the numerator and the denominator."""
    if metric not in METRICS:
        raise unknown_name("The metric of tagged words", metric, METRICS)
    if [*map(len, gold)] != [*map(len, predicted)]:
        raise ValueError("gold and predicted tags are not of the same words")
    items = _ITEMS[metric]
    found = [(items(one), items(other)) for one, other in zip(gold, predicted, strict=True)]
    rows = [(2 * len(one & other), len(one) + len(other)) for one, other in found]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _ratio(counts: np.ndarray) -> float:
    if not counts[1]:
        raise TableError(
            "There is no entity F1, because the sentences have no entity and none was found in them. Score sentences with "
            "entities, or choose the metric accuracy."
        )
    return counts[0] / counts[1]


def _entities(tags: Sequence[str]) -> set[tuple]:
    return {(span.label, span.start, span.end) for span in spans(tags)}


def _words(tags: Sequence[str]) -> set[tuple]:
    return {(tag, place) for place, tag in enumerate(tags)}


# What is right or wrong. For words, 2·right / (found + gold) is the accuracy, as every word has one tag on both sides.
_ITEMS: dict[str, Callable[[Sequence[str]], set[tuple]]] = {ENTITY_F1: _entities, ACCURACY: _words}


def _lines(items: Callable[[Sequence[str]], set[tuple]], gold: Tags, predicted: Tags) -> tuple[Line, ...]:
    counts: dict[str, list[int]] = {}
    for one, other in zip(map(items, gold), map(items, predicted), strict=True):
        for place, part in enumerate((one & other, other, one)):
            for label, *_ in part:
                counts.setdefault(label, [0, 0, 0])[place] += 1
    return tuple(Line(label, *counts[label]) for label in sorted(counts))
