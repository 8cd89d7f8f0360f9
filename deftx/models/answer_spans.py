"""The best answers in the windows of a question, from the logits of their first and last pieces."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.models.question_windows import QuestionWindow

LONGEST_ANSWER = 30  # tokens, as in BERT's script
MOST_ANSWERS = 20  # answers that are compared for a question, as in BERT's script


@dataclass(frozen=True)
class Span:
    """A part of a text that may be the answer, and its score: the sum of the logits of its first and its last piece."""

    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Found:
    """The best spans for a question, the best first, and the score of "no answer": that of the window's first token.

    As in BERT's script, the score of "no answer" is the lowest one over all windows.
    """

    spans: tuple[Span, ...]
    no_answer: float

    def probabilities(self, may_refuse: bool) -> tuple[list[float], float]:
        """Return the probability of each span and of "no answer", which is 0 if it is not a possible answer.

        Args:
            may_refuse: Whether "no answer" is possible.
        """
        scores = [span.score for span in self.spans] + [self.no_answer if may_refuse or not self.spans else -math.inf]
        *spans, none = torch.tensor(scores, dtype=torch.float64).softmax(0).tolist()
        return spans, none

    def best(self, may_refuse: bool) -> Span | None:
        """Return the best span; None if there is none, or if "no answer" is possible and has a higher score.

        Args:
            may_refuse: Whether "no answer" is possible.
        """
        refused = not self.spans or (may_refuse and self.no_answer > self.spans[0].score)
        return None if refused else self.spans[0]


def best_spans(
    windows: Sequence[QuestionWindow], logits: Sequence[Tensor], questions: int, most: int
) -> list[Found]:  # fmt: skip
    """Return the ``most`` best spans of each question over all of its windows.

    Args:
        windows: The windows of all questions.
        logits: The logits of each window (tokens, 2), for the first and the last piece of the answer.
        questions: The number of questions.
        most: How many spans are returned for a question.
    """
    spans: list[dict[tuple[int, int], float]] = [{} for _ in range(questions)]
    refusals = [math.inf] * questions
    for window, values in zip(windows, logits, strict=True):
        known = spans[window.question]
        for place, score in _of_window(window, values, most):
            known[place] = max(score, known.get(place, -math.inf))
        refusals[window.question] = min(refusals[window.question], float(values[0].sum()))
    return [Found(_ordered(known)[:most], none) for known, none in zip(spans, refusals, strict=True)]


def _ordered(known: dict[tuple[int, int], float]) -> tuple[Span, ...]:
    found = [Span(*place, score) for place, score in known.items()]
    return tuple(sorted(found, key=lambda span: (-span.score, span.start, span.end)))


def _of_window(window: QuestionWindow, logits: Tensor, most: int) -> Iterable[tuple[tuple[int, int], float]]:
    """Yield the best spans of one window, each with its score."""
    pieces = len(window.spans)
    begins, ends = logits[window.first : window.first + pieces].unbind(-1)
    longest = min(LONGEST_ANSWER, pieces)
    if not longest:
        return
    # A row for each length of the answer: adding the same begins to later and later ends.
    scores = torch.full((longest, pieces), -math.inf)
    for more in range(longest):
        scores[more, : pieces - more] = begins[: pieces - more] + ends[more:]
    best = scores.flatten().topk(min(most, int(scores.isfinite().sum())))
    for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        more, first = divmod(place, pieces)
        start, end = window.spans[first][0], window.spans[first + more][1]
        if start < end:
            yield (start, end), score
