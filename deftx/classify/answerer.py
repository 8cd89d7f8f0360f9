"""A composed model that answers questions: it marks the answer in a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from deftx.classify.classifier import Classifier
from deftx.core.errors import DeftxError, VectorError
from deftx.models.answer_spans import MOST_ANSWERS, Found, best_spans
from deftx.models.batches import Text, pad_id
from deftx.models.question_windows import STRIDE, encode_questions
from deftx.training.question_objective import span_logits

OnShare = Callable[[float], None]


@dataclass(frozen=True)
class FoundAnswer:
    """A part of a text that may be the answer, with its place in the text, in characters, and its probability."""

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class Answered:
    """A question on a text with the possible answers, the most probable first.

    ``no_answer`` is the probability that the text has no answer; None if the task has learned no such questions. ``answer``
    is the first of ``answers``, or None if "no answer" is more probable or the text has no word. Probabilities are shares
    among the ``answers`` and "no answer".
    """

    question: str
    context: str
    answers: tuple[FoundAnswer, ...]
    no_answer: float | None
    answer: FoundAnswer | None

    @property
    def text(self) -> str:
        """The answer; empty if there is none."""
        return self.answer.text if self.answer is not None else ""


@dataclass(frozen=True)
class Answerer(Classifier):
    """A composed model that answers questions. Long texts are read in windows, and no part is left out."""

    does: ClassVar[str] = "answers questions"

    stride: int = STRIDE
    n_best: int = MOST_ANSWERS
    may_refuse: bool = False  # whether the task has learned that a text can have no answer

    def answer(self, asked: Sequence[tuple[str, str]], on_share: OnShare | None = None) -> list[Answered]:
        """Answer questions from texts.

        Args:
            asked: Pairs of a question and its text.
            on_share: Called after each batch with the share that is done, from 0 to 1; it may raise to stop.

        Raises:
            DeftxError: If something is not a pair of texts.
        """
        if isinstance(asked, str) or not all(isinstance(one, tuple | list) and len(one) == 2 for one in asked):
            raise DeftxError("answer takes a list of pairs: a question, and the text in which the answer stands.")
        pairs = [(question, context) for question, context in asked]
        windows = encode_questions(self.base.tokenizer, pairs, self.max_length, self.stride)
        logits = span_logits(self.model, windows, pad_id(self.base.tokenizer), on_share)
        found = best_spans(windows, logits, len(pairs), self.n_best)
        return [self._answered(*pair, one) for pair, one in zip(pairs, found, strict=True)]

    def classify(self, texts: Sequence[Text], on_share: OnShare | None = None) -> NoReturn:
        """Refuse to classify texts. Raise DeftxError."""
        raise DeftxError(
            "This task vector answers questions and does not classify texts. Use it with `answer`, or choose another one."
        )

    def cut(self, texts: Sequence[Text]) -> list[int]:
        """Return the texts that are truncated: none, for long ones are read in windows."""
        return []

    def _answered(self, question: str, context: str, found: Found) -> Answered:
        probabilities, none = found.probabilities(self.may_refuse)
        answers = tuple(
            FoundAnswer(context[span.start : span.end], span.start, span.end, probability)
            for span, probability in zip(found.spans, probabilities, strict=True)
        )
        best = answers[0] if found.best(self.may_refuse) is not None else None
        return Answered(question, context, answers, none if self.may_refuse else None, best)


def answerer(classifier: Classifier, task: str) -> Answerer:
    """Return a composed model as an Answerer. Raise VectorError if the ``task`` vector does not answer questions."""
    if not isinstance(classifier, Answerer):
        raise VectorError(f"The task vector {task} {classifier.does} and answers no questions. Choose another one.")
    return classifier
