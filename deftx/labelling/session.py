"""A labelling session: which sentences of a text are judged, and which labels they may get.

Half of the sentences are drawn at random, and they alone make the score. The others are those about which the classifiers are
least sure, or do not agree: judging them teaches most. Both are shown alternately, so a session that ends early has both.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from typing import Any

import torch
from torch import Tensor

from deftx.classify.self_check import draw
from deftx.core.errors import LONGEST_MESSAGE, DeftxError, printable, unknown_name
from deftx.data.label_values import marks_of_none
from deftx.data.splitting import fold

COUNT = 50  # sentences of a session, about ten minutes
FEWEST, MOST = 4, 500
POOL = 100  # sentences, besides those drawn for the score, among which the least sure ones are found
FEWEST_LABELS, MOST_LABELS = 2, 50  # as for labelled files, more are mostly not labels
LONGEST_LABEL = 60  # characters
NONE_LEFT = "Every sentence of this text is in a labelling session already. Continue one of them, or add a longer text."
LABEL, SKIP, NONE = MARKS = ("label", "skip", "none")

Classify = Callable[[list[str]], Tensor]  # probabilities (sentences, labels)


class LabellingError(DeftxError):
    """A labelling session cannot be started, read or stored."""


@dataclass(frozen=True)
class Sentence:
    """A sentence to judge; ``answer`` is the classifier's label, empty without a classifier."""

    text: str
    drawn: bool  # at random, so that it counts for the score
    answer: str = ""
    probability: float = 0.0


@dataclass(frozen=True)
class Session:
    """Sentences in the order in which everybody judges them, and their possible labels."""

    id: str
    created: float  # seconds since 1970
    text: str  # the name of the text
    made_of: str  # the names of the vectors; empty without a classifier
    task: str  # the key of the task vector; empty without a classifier
    language: str  # the key of the language vector; may be empty
    labels: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Any) -> "Session":
        """Read what ``to_dict`` returned.

        Raises:
            LabellingError: If it is not a session.
        """
        try:
            sentences = tuple(Sentence(**one) for one in content["sentences"])
            return cls(**{**content, "labels": tuple(content["labels"]), "sentences": sentences})
        except (KeyError, TypeError) as error:
            raise LabellingError("A labelling session cannot be read: its file was changed by hand.") from error


@dataclass(frozen=True)
class Judgement:
    """What one person said about the sentence at a place: a label, that none fits, or nothing (skipped)."""

    place: int
    mark: str  # one of MARKS
    label: str = ""  # only with the mark LABEL

    def check(self, session: Session) -> "Judgement":
        """Return it. Raise LabellingError if the session has no such sentence or label."""
        if self.mark not in MARKS:
            raise unknown_name("The mark", self.mark, MARKS, LabellingError)
        if not 0 <= self.place < len(session.sentences):
            raise LabellingError(f"There is no sentence {self.place + 1}: the session has {len(session.sentences)}.")
        if (self.mark == LABEL) != bool(self.label):
            raise LabellingError("A label belongs to a judgement that is not skipped, and to no other.")
        if self.mark == LABEL and self.label not in session.labels:
            raise unknown_name("The label", self.label, session.labels, LabellingError)
        return self


def check_labels(names: Iterable[str]) -> tuple[str, ...]:
    """Return label names that a person typed, without outer spaces and empty ones.

    Raises:
        LabellingError: If there are too few or too many, or if one is too long, is given twice or cannot be printed.
    """
    labels = tuple(name for name in map(str.strip, names) if name)
    if not FEWEST_LABELS <= len(labels) <= MOST_LABELS:
        raise LabellingError(
            f"{FEWEST_LABELS} to {MOST_LABELS} labels are needed, separated by commas; these are {len(labels)}."
        )
    if twice := [name for place, name in enumerate(labels) if fold(name) in map(fold, labels[:place])]:
        raise LabellingError(f"The label {twice[0]!r} is given twice. Give each label once.")
    for name in labels:
        if len(name) > LONGEST_LABEL or printable(name) != name:
            raise LabellingError(f"The label {name[:LONGEST_MESSAGE]!r} is not one line of {LONGEST_LABEL} characters.")
    if missing := marks_of_none(labels):
        raise LabellingError(
            f"The label {missing[0]!r} can say in a table that a row has no label, so training could leave its rows out. "
            "Choose another name, such as 'neither'."
        )
    return labels


def begin(
    lines: Iterable[str],
    labels: Sequence[str],
    *,
    classifiers: Sequence[Classify] = (),
    text: str = "",
    made_of: str = "",
    task: str = "",
    language: str = "",
    count: int = COUNT,
    seed: int = 0,
    without: Iterable[str] = (),
) -> Session:
    """Choose the sentences of a new session.

    Args:
        lines: The lines of the text; those of a readable length can be chosen (``deftx.classify.self_check.READABLE``).
        labels: The possible labels; those of the classifiers, in their order.
        classifiers: Each returns the probabilities of sentences. The answers of the first one are scored; the others help to
            find sentences about which vectors do not agree. Without any, all sentences are drawn at random.
        text: The name of the text.
        made_of: The names of the vectors of the first classifier.
        task: The key of its task vector.
        language: The key of its language vector.
        count: The number of sentences.
        seed: Determines which sentences are drawn.
        without: Sentences of earlier sessions, which are not chosen again.

    Returns:
        The session, not yet stored. It has fewer sentences if the text does not have enough.

    Raises:
        DeftxError: If no sentence is left, or the number is out of range.
    """
    drawn, others = unused_sentences(lines, count, seed, without)
    drawn_part = _answered(drawn, True, labels, [classify(drawn) for classify in classifiers[:1]])
    found = [classify(others) for classify in classifiers] if others else []
    places = least_sure(found) if found else list(range(len(others)))
    chosen = places[: count - len(drawn)]
    taught_part = _answered([others[place] for place in chosen], False, labels, [one[chosen] for one in found[:1]])
    pairs = chain.from_iterable(zip_longest(drawn_part, taught_part))
    sentences = tuple(one for one in pairs if one is not None)
    return Session(secrets.token_hex(8), time.time(), text, made_of, task, language, tuple(labels), sentences)


def unused_sentences(
    lines: Iterable[str], count: int, seed: int, without: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Return the sentences of a new session's random half, and those among which the least sure ones are found.

    Each has every second sentence of one random order. So the random half of a later session has no sentence that an earlier
    one looked at and left out because the classifier was sure of it: such sentences would make the score too high.

    Args:
        lines: The lines of the text.
        count: The wanted number of sentences.
        seed: Determines the order; all sessions of a text need the same one.
        without: Sentences of earlier sessions.

    Raises:
        LabellingError: If no sentence is left, or the number is out of range.
    """
    if not FEWEST <= count <= MOST:
        raise LabellingError(f"{count} sentences are not possible; choose {FEWEST} to {MOST}.")
    known = set(map(fold, without))
    order = draw(lines, count=2**31, seed=seed)
    drawn, others = ([line for line in order[first::2] if fold(line) not in known] for first in (0, 1))
    if not drawn and not others:
        raise LabellingError(NONE_LEFT)
    drawn = drawn[: max(-(-count // 2), count - len(others))]
    return drawn, others[: max(POOL, count - len(drawn))]


def least_sure(probabilities: Sequence[Tensor]) -> list[int]:
    """Return the places of sentences, those first whose mean distribution over several classifiers has the highest entropy.

    That entropy is the mean entropy of the classifiers (none is sure) plus their Jensen-Shannon divergence (they do not
    agree). The mean is the consensus distribution of a committee: Settles, "Active learning literature survey" (2009),
    section 3.2.

    Args:
        probabilities: For each classifier, its probabilities (sentences, labels).
    """
    mean = torch.stack([one.double() for one in probabilities]).mean(0)
    entropy = torch.special.entr(mean).sum(-1)
    return entropy.argsort(descending=True, stable=True).tolist()


def _answered(
    texts: Sequence[str], drawn: bool, labels: Sequence[str], probabilities: Sequence[Tensor]
) -> list[Sentence]:
    if not probabilities:
        return [Sentence(text, drawn) for text in texts]
    best = probabilities[0].max(-1)
    answers = zip(texts, best.values.tolist(), best.indices.tolist(), strict=True)
    return [Sentence(text, drawn, labels[int(place)], share) for text, share, place in answers]
