"""Which words of a text mattered for a label, by a method of the table METHODS."""

from collections.abc import Callable
from dataclasses import dataclass

from deftx.classify.classifier import Classifier
from deftx.classify.gradient import gradient
from deftx.classify.leave_one_out import leave_one_out
from deftx.classify.weights import Weights
from deftx.classify.words import ReadText, read_text
from deftx.core.errors import DeftxError, unknown_name
from deftx.models.batches import Text

LEAVE_ONE_OUT = "leave-one-out"
NOTICEABLE = 0.05  # smaller changes of the probability count as none (reason and figures: docs/compose.md)
METHODS: dict[str, Callable[[Classifier, ReadText, str | None], Weights]] = {
    LEAVE_ONE_OUT: leave_one_out,
    "gradient": gradient,
}


@dataclass(frozen=True)
class WordWeight:
    """The contribution of a word to the log-odds of a label, positive if it supports the label.

    ``weight`` is None for a word that was truncated. ``without`` and ``answer`` are the probability of the label and the
    predicted label without the word; they are None for such a word, and for a method that does not remove words.
    """

    word: str
    weight: float | None
    start: int  # first character of the word in the text
    end: int  # one past its last character
    part: int = 0  # 0 for the first text of a pair, 1 for the second
    without: float | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Attribution:
    """The weights of all words, in order, for one label, by one method."""

    label: str
    words: tuple[WordWeight, ...]
    rest: float = 0.0  # total weight of tokens without a word, such as the start token; 0 where words are left out
    probability: float | None = None  # of the label, for the whole text
    method: str = LEAVE_ONE_OUT
    predicted: str | None = None  # the label predicted for the whole text; None for a method that does not remove words

    @property
    def supporting(self) -> tuple[WordWeight, ...]:
        """The words without which the probability is lower by ``NOTICEABLE`` or more, the strongest first.

        If there are none, no word alone carries the answer. For a method that does not remove words: those with the largest
        weights above 0.
        """
        found = [word for word in self.words if (word.weight or 0.0) > 0 and self._is_noticeable(word)]
        return tuple(sorted(found, key=lambda word: -(word.weight or 0.0)))

    @property
    def deciding(self) -> tuple[WordWeight, ...]:
        """The words without which another label is predicted; always empty for a method that does not remove words."""
        return tuple(word for word in self.words if word.answer not in (None, self.predicted))

    @property
    def marked(self) -> tuple[WordWeight, ...]:
        """The words to show, for and against the answer, in order; none if no word alone supports it.

        Words that oppose an answer do not explain it, so they are shown only beside words that support it.
        """
        return tuple(word for word in self.words if self._is_noticeable(word)) if self.supporting else ()

    def _is_noticeable(self, word: WordWeight) -> bool:
        if word.without is None or self.probability is None:
            return word.weight is not None
        return abs(self.probability - word.without) >= NOTICEABLE


def attribute(classifier: Classifier, text: Text, label: str | None = None, method: str = LEAVE_ONE_OUT) -> Attribution:
    """Return how much each word contributes to the log-odds of a label, by default the predicted one.

    Args:
        classifier: The classifier.
        text: A sentence, or a (premise, hypothesis) pair.
        label: One of the classifier's labels.
        method: "leave-one-out" classifies the text again without each word: the weight is the fall of the log-odds.
            "gradient" is gradient × input: faster, but only an approximation near this text.

    Raises:
        DeftxError: If the classifier does not have the label, or its tokenizer does not return token positions.
        RecipeError: If the method is unknown.
    """
    if label is not None and label not in classifier.labels:
        raise DeftxError(f"{label!r} is not one of the labels: {', '.join(classifier.labels)}.")
    if method not in METHODS:
        raise unknown_name("The method of attribution", method, METHODS)
    read = read_text(classifier, text)
    found = METHODS[method](classifier, read, label)
    nothing = [None] * len(read.words)
    answers = [None if place is None else classifier.labels[place] for place in found.answers or nothing]
    words = tuple(
        WordWeight(read.parts[part][start:end], weight, start, end, part, without, answer)
        for (part, start, end), weight, without, answer in zip(
            read.words, found.words, found.without or nothing, answers, strict=True
        )
    )
    predicted = None if found.predicted is None else classifier.labels[found.predicted]
    return Attribution(classifier.labels[found.label], words, found.rest, found.probability, method, predicted)
