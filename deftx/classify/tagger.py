"""A composed model that tags the words of texts: names of persons and places, or parts of speech."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, NoReturn

from torch import Tensor

from deftx.classify.classifier import Classifier
from deftx.core.errors import DeftxError, VectorError
from deftx.core.tags import marks_entities, spans
from deftx.models.batches import Text, pad_id
from deftx.models.windows import encode_words, split_words
from deftx.training.token_objective import best_tags, word_logits

OnShare = Callable[[float], None]


@dataclass(frozen=True)
class Mark:
    """A tagged part of a text: an entity, or a word with its class; the probability is the mean over its words."""

    label: str
    start: int
    end: int
    text: str
    probability: float


@dataclass(frozen=True)
class TaggedText:
    """A text with its words, as (start, end), and the tag of each with its probability; ``marks`` are its tagged parts."""

    text: str
    words: list[tuple[int, int]]
    tags: list[str]
    probabilities: list[float]
    marks: list[Mark]


@dataclass(frozen=True)
class Tagger(Classifier):
    """A composed model that tags words. Long texts are read in windows, and no word is left out."""

    does: ClassVar[str] = "tags words"

    @property
    def entities(self) -> bool:
        """Whether its tags mark entities, and not a class for each word."""
        return marks_entities(self.labels)

    def tag(self, texts: Sequence[str], on_share: OnShare | None = None) -> list[TaggedText]:
        """Tag the words of running texts, which are split at spaces, with punctuation apart.

        Args:
            texts: The texts.
            on_share: Called after each batch with the share that is done, from 0 to 1; it may raise to stop.

        Raises:
            DeftxError: If a text is a pair.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise DeftxError("tag takes a list of single texts.")
        words = [split_words(text) for text in texts]
        sentences = [[text[start:end] for start, end in each] for text, each in zip(texts, words, strict=True)]
        return [
            self._marked(text, each, logits)
            for text, each, logits in zip(texts, words, self._logits(sentences, on_share), strict=True)
        ]

    def tag_words(self, sentences: Sequence[Sequence[str]], on_share: OnShare | None = None) -> list[list[str]]:
        """Return the tags of sentences that are split into words already.

        Args:
            sentences: The words of each sentence.
            on_share: As for ``tag``.
        """
        return [best_tags(logits, self.labels) for logits in self._logits(sentences, on_share)]

    def mark_words(self, sentences: Sequence[Sequence[str]], on_share: OnShare | None = None) -> list[TaggedText]:
        """Tag sentences that are split into words already; the text of each is its words with a space between them.

        Args:
            sentences: The words of each sentence.
            on_share: As for ``tag``.
        """
        return [
            self._marked(" ".join(words), _places(words), logits)
            for words, logits in zip(sentences, self._logits(sentences, on_share), strict=True)
        ]

    def classify(self, texts: Sequence[Text], on_share: OnShare | None = None) -> NoReturn:
        """Refuse to classify whole texts. Raise DeftxError."""
        raise DeftxError(
            "This task vector tags the words of a text and does not classify the text. Choose another one."
        )

    def cut(self, texts: Sequence[Text]) -> list[int]:
        """Return the texts that are truncated: none, for long ones are read in windows."""
        return []

    def _logits(self, sentences: Sequence[Sequence[str]], on_share: OnShare | None) -> list[Tensor]:
        windows = encode_words(self.base.tokenizer, sentences, self.max_length)
        return word_logits(self.model, windows, len(sentences), pad_id(self.base.tokenizer), on_share)

    def _marked(self, text: str, words: list[tuple[int, int]], logits: Tensor) -> TaggedText:
        tags, best = best_tags(logits, self.labels), logits.softmax(-1).amax(-1).tolist()
        return marked(text, words, tags, best, entities=self.entities)


def marked(
    text: str, words: Sequence[tuple[int, int]], tags: Sequence[str], probabilities: Sequence[float], *, entities: bool
) -> TaggedText:
    """Return a text with the parts that the tags of its words mark.

    Args:
        text: The text.
        words: The (start, end) of each word.
        tags: The tag of each word.
        probabilities: The probability of each tag.
        entities: Whether the tags mark entities; otherwise each word is a mark.
    """
    if entities:
        parts = [(span.label, span.start, span.end) for span in spans(tags)]
    else:
        parts = [(tag, place, place + 1) for place, tag in enumerate(tags)]
    marks = []
    for label, first, after in parts:
        start, end = words[first][0], words[after - 1][1]
        marks.append(Mark(label, start, end, text[start:end], sum(probabilities[first:after]) / (after - first)))
    return TaggedText(text, list(words), list(tags), list(probabilities), marks)


def _places(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the (start, end) of words that stand in a text with a space between them."""
    starts = accumulate((len(word) + 1 for word in words), initial=0)
    return [(start, start + len(word)) for start, word in zip(starts, words, strict=False)]


def tagger(classifier: Classifier, task: str) -> Tagger:
    """Return a composed model as a Tagger. Raise VectorError if the ``task`` vector does not tag words."""
    if not isinstance(classifier, Tagger):
        raise VectorError(f"The task vector {task} {classifier.does} and does not tag words. Choose another one.")
    return classifier
