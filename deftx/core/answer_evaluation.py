"""Scores of answers to questions, as SQuAD's official script computes them, with bootstrap intervals over paragraphs.

The rules are those of the script for SQuAD 2.0. For files in which every question has an answer they are those of 1.1; the
scores are shares from 0 to 1, and not percentages.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deftx.core.errors import TableError, unknown_name
from deftx.core.evaluation import LEVEL, RESAMPLES

ANSWER_F1, EXACT_MATCH = "answer_f1", "exact_match"
METRICS = {ANSWER_F1: "F1 of answers", EXACT_MATCH: "exact match of answers"}
ASKED_AS = {"f1": ANSWER_F1, "accuracy": EXACT_MATCH}  # what the metrics of a recipe stand for

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)  # that of ASCII, as in the script


@dataclass(frozen=True)
class Part:
    """The scores of the questions that have an answer, or of those that have none."""

    n: int
    exact_match: float
    answer_f1: float


@dataclass(frozen=True)
class AnswerEvaluation:
    """A score from 0 to 1 over ``n`` questions on ``paragraphs`` texts, its 95 % interval, and both scores.

    ``has_answer`` and ``no_answer`` are the scores of the questions with and without an answer, None if there are none.
    """

    metric: str
    score: float
    low: float
    high: float
    n: int
    paragraphs: int
    exact_match: float
    answer_f1: float
    has_answer: Part | None
    no_answer: Part | None

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)


def metric_for(name: str) -> str:
    """Return the metric of answers that a metric of a task stands for: "f1" is F1, "accuracy" is exact match.

    Raises:
        RecipeError: If the metric is unknown.
    """
    name = ASKED_AS.get(name, name)
    if name not in METRICS:
        raise unknown_name("The metric of answers", name, (*METRICS, *ASKED_AS))
    return name


def normalised(text: str) -> str:
    """Return an answer as it is compared: in lower case, without punctuation and the English articles, with single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def exact_match(gold: Sequence[str], predicted: str) -> float:
    """Return 1 if an answer is equal to a correct one after normalisation, else 0.

    Args:
        gold: The correct answers; none if the question has no answer.
        predicted: The answer; empty if there is said to be none.
    """
    return max(float(normalised(one) == normalised(predicted)) for one in _usable(gold))


def answer_f1(gold: Sequence[str], predicted: str) -> float:
    """Return the largest F1 of the words of an answer and of a correct one, after normalisation.

    Args:
        gold: The correct answers; none if the question has no answer.
        predicted: The answer; empty if there is said to be none.
    """
    return max(_f1(normalised(one).split(), normalised(predicted).split()) for one in _usable(gold))


def answer_scores(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, float]:
    """Return the mean of each metric over questions."""
    return {name: float(_each(name, gold, predicted).mean()) for name in METRICS}


def evaluate_answers(
    metric: str, gold: Sequence[Sequence[str]], predicted: Sequence[str], paragraphs: Sequence[Hashable],
    *, resamples: int = RESAMPLES, seed: int = 0,
) -> AnswerEvaluation:  # fmt: skip
    """Return the score of answers with its interval. The bootstrap draws paragraphs, whose questions belong together.

    Args:
        metric: A key of METRICS.
        gold: The correct answers of each question; none if it has no answer.
        predicted: The answer to each question; empty if there is said to be none.
        paragraphs: The paragraph of each question.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Raises:
        TableError: If there are no questions.
        RecipeError: If the metric is unknown.
    """
    if metric not in METRICS:
        raise unknown_name("The metric of answers", metric, METRICS)
    if not gold:
        raise TableError("There are no questions to score.")
    each = {name: _each(name, gold, predicted) for name in METRICS}
    places = {paragraph: place for place, paragraph in enumerate(dict.fromkeys(paragraphs))}
    of = np.array([places[paragraph] for paragraph in paragraphs])
    sums, counts = np.bincount(of, each[metric]), np.bincount(of)
    drawn = np.random.default_rng(seed).integers(len(counts), size=(resamples, len(counts)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    answered = np.array([bool(one) for one in gold])
    means = {name: float(values.mean()) for name, values in each.items()}
    return AnswerEvaluation(
        metric, means[metric], float(low), float(high), len(gold), len(counts), means[EXACT_MATCH], means[ANSWER_F1],
        _part(each, answered), _part(each, ~answered),
    )  # fmt: skip


def _part(each: dict[str, np.ndarray], chosen: np.ndarray) -> Part | None:
    if not chosen.any():
        return None
    return Part(int(chosen.sum()), *(float(each[name][chosen].mean()) for name in (EXACT_MATCH, ANSWER_F1)))


def _each(metric: str, gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> np.ndarray:
    return np.array([_METRICS[metric](*pair) for pair in zip(gold, predicted, strict=True)], dtype=np.float64)


def _usable(gold: Sequence[str]) -> Sequence[str]:
    """Return the correct answers that are not empty after normalisation, else the empty one, as the script does."""
    return [one for one in gold if normalised(one)] or [""]


def _f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    if not gold or not predicted:
        return float(gold == predicted)
    same = sum((Counter(gold) & Counter(predicted)).values())
    return 2 * same / (len(gold) + len(predicted))


_METRICS: dict[str, Callable[[Sequence[str], str], float]] = {ANSWER_F1: answer_f1, EXACT_MATCH: exact_match}
