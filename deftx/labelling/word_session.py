"""A labelling session of words: the sentences of a text whose tags a person corrects, as a classifier gave them.

As in a session of labels, half of the sentences are drawn at random, and they alone make the score; about the others the
classifier is least sure.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, zip_longest
from typing import Any

from deftx.classify.tagger import TaggedText
from deftx.core.errors import unknown_name
from deftx.core.tags import OUTSIDE, as_bio, marks_entities
from deftx.labelling.session import COUNT, NONE_LEFT, LabellingError, unused_sentences

Tag = Callable[[list[str]], list[TaggedText]]


@dataclass(frozen=True)
class WordSentence:
    """A sentence to correct: the (start, end) of its words, and the tags that the classifier gave them."""

    text: str
    words: tuple[tuple[int, int], ...]
    tags: tuple[str, ...]
    drawn: bool  # at random, so that it counts for the score


@dataclass(frozen=True)
class WordSession:
    """Sentences in the order in which they are corrected, and the tags that words may get."""

    id: str
    created: float  # seconds since 1970
    text: str  # the name of the text
    made_of: str  # the names of the vectors
    tags: tuple[str, ...]  # of the task vector
    sentences: tuple[WordSentence, ...]

    @property
    def entities(self) -> bool:
        """Whether the tags mark entities, and not a class for each word."""
        return marks_entities(self.tags)

    @property
    def labels(self) -> tuple[str, ...]:
        """What a word can be marked as: the types of entities, or the tags."""
        if not self.entities:
            return self.tags
        return tuple(sorted({tag.partition("-")[2] for tag in self.tags} - {""}))

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Any) -> "WordSession":
        """Read what ``to_dict`` returned.

        Raises:
            LabellingError: If it is not a session.
        """
        try:
            sentences = tuple(
                WordSentence(one["text"], tuple(map(tuple, one["words"])), tuple(one["tags"]), one["drawn"])
                for one in content["sentences"]
            )
            return cls(**{**content, "tags": tuple(content["tags"]), "sentences": sentences})
        except (KeyError, TypeError) as error:
            raise LabellingError("A labelling session cannot be read: its file was changed by hand.") from error


@dataclass(frozen=True)
class Correction:
    """The tags of the sentence at a place after a click, and whether the person has finished this sentence."""

    place: int
    tags: tuple[str, ...]
    done: bool = False

    def check(self, session: WordSession) -> "Correction":
        """Return it. Raise LabellingError if the session has no such sentence or tag."""
        if not 0 <= self.place < len(session.sentences):
            raise LabellingError(f"There is no sentence {self.place + 1}: the session has {len(session.sentences)}.")
        if len(self.tags) != len(session.sentences[self.place].words):
            raise LabellingError("Each word of the sentence needs one tag.")
        known = {f"{prefix}-{label}" for label in session.labels for prefix in "BI"} | {OUTSIDE}
        for tag in self.tags:
            if tag not in (known if session.entities else session.tags):
                raise unknown_name("The tag", tag, session.tags, LabellingError)
        return self


def begin_words(
    lines: Iterable[str],
    tag: Tag,
    tags: Sequence[str],
    *,
    text: str = "",
    made_of: str = "",
    count: int = COUNT,
    seed: int = 0,
    without: Iterable[str] = (),
) -> WordSession:
    """Choose the sentences of a new session and tag them.

    Args:
        lines: The lines of the text; those of a readable length can be chosen (``deftx.classify.self_check.READABLE``).
        tag: Tags texts, such as ``Tagger.tag``.
        tags: The tags of the task.
        text: The name of the text.
        made_of: The names of the vectors.
        count: The number of sentences.
        seed: Determines which sentences are drawn.
        without: Sentences of earlier sessions, which are not chosen again.

    Returns:
        The session, not yet stored. It has fewer sentences if the text does not have enough.

    Raises:
        DeftxError: If no sentence is left, or the number is out of range.
    """
    parts = unused_sentences(lines, count, seed, without)
    drawn, others = ([one for one in tag(part) if one.words] for part in parts)
    if not drawn and not others:
        raise LabellingError(NONE_LEFT)
    others = sorted(others, key=_sureness)[: count - len(drawn)]
    pairs = chain.from_iterable(zip_longest(_sentences(drawn, True), _sentences(others, False)))
    sentences = tuple(one for one in pairs if one is not None)
    return WordSession(secrets.token_hex(8), time.time(), text, made_of, tuple(tags), sentences)


def with_label(tags: Sequence[str], place: int, label: str, entities: bool) -> tuple[str, ...]:
    """Return the tags of a sentence after a click on the word at a place.

    A word that has the label of an entity loses it, another one gets it; an entity of the same type that touches the word goes on
    in it. Where each word has a class, the word gets this class.

    Args:
        tags: The tags before the click.
        place: The word.
        label: The type of the entity, or the class; "" removes an entity.
        entities: Whether the tags mark entities.
    """
    after = list(tags)
    if not entities:
        after[place] = label
        return tuple(after)
    types = [tag.partition("-")[2] for tag in tags]
    if label in ("", types[place]):
        after[place] = OUTSIDE
        return tuple(as_bio(after))
    after[place] = f"I-{label}"  # it begins an entity unless one of this type stands before it
    if types[place + 1 : place + 2] == [label]:
        after[place + 1] = f"I-{label}"
    return tuple(as_bio(after))


def _sureness(one: TaggedText) -> float:
    return min(one.probabilities)


def _sentences(tagged: Sequence[TaggedText], drawn: bool) -> list[WordSentence]:
    return [WordSentence(one.text, tuple(one.words), tuple(one.tags), drawn) for one in tagged]
