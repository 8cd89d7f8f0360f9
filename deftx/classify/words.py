"""The words of a text as a classifier reads it: where they are, and which tokens cover them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deftx.classify.classifier import Classifier
from deftx.core.errors import DeftxError
from deftx.data.addresses import address_spans
from deftx.data.characters import as_seen, as_text_only, resolve_entities
from deftx.data.writing_systems import piece_spans
from deftx.models.batches import Encoded, Text, encode

Place = tuple[int, int, int]  # text (0 or 1), start and end


@dataclass(frozen=True)
class ReadText:
    """A text with its HTML entities resolved, its tokens, the place of each token, and its words.

    ``parts`` has two texts for a pair. The place of a special token is None.
    """

    parts: tuple[str, ...]
    tokens: Encoded
    places: tuple[Place | None, ...]
    words: tuple[Place, ...]

    def covered(self, token: int) -> range:
        """Return the indices of the words that a token covers, at least in part."""
        place = self.places[token]
        return covered(self.words, place) if place else range(0)

    def read_words(self) -> list[int]:
        """Return the indices of the words that are read, at least in part; the others are truncated."""
        return sorted({word for token in range(len(self.places)) for word in self.covered(token)})


def read_text(classifier: Classifier, text: Text) -> ReadText:
    """Return the words and tokens of a text.

    Words are separated by white space. In scripts without spaces, a word is a token of the base, in whole letters with their
    signs. Web and e-mail addresses are words. Positions are those in ``parts``.

    Raises:
        DeftxError: If the tokenizer does not return token positions.
    """
    tokens = encode(classifier.base.tokenizer, [text], classifier.max_length)[0]
    parts = tuple(map(resolve_entities, (text,) if isinstance(text, str) else text))
    ids, places = _places(classifier, parts)
    if ids and ids != tokens:  # such as "&l\u00adt;", an entity only without its soft hyphen
        special = classifier.base.tokenizer.all_special_tokens
        parts = tuple(as_text_only(as_seen(part), special) for part in parts)
        places = _places(classifier, parts)[1]
    unknown = classifier.base.tokenizer.unk_token_id
    known = [place for place, token in zip(places, tokens, strict=True) if place and token != unknown]
    words = [word for part, text in enumerate(parts) for word in _words(part, text, known)]
    return ReadText(parts, tokens, tuple(places), tuple(words))


def covered(words: Sequence[Place], place: Place) -> range:
    """Return the indices of the words that overlap a place."""
    part, start, end = place
    first = bisect_right(words, (part, start), key=lambda word: (word[0], word[2]))
    last = bisect_left(words, (part, end), lo=first, key=lambda word: word[:2])
    return range(first, last) if start < end else range(0)


def _places(classifier: Classifier, texts: Sequence[str]) -> tuple[list[int], list[Place | None]]:
    """Return the tokens of texts and their places."""
    tokenizer = classifier.base.tokenizer
    if not tokenizer.is_fast:
        raise DeftxError(
            f"The tokenizer of base {classifier.base.name} does not return the positions of tokens in a text."
        )
    first, second = texts[0], texts[1] if len(texts) > 1 else None
    made = tokenizer(first, second, truncation=True, max_length=classifier.max_length, return_offsets_mapping=True)
    parts = made.sequence_ids(0)
    spans = made["offset_mapping"]
    places = [(part, *span) if part is not None else None for part, span in zip(parts, spans, strict=True)]
    return made["input_ids"], places or [None]  # ``encode`` gives an empty text a token


def _words(part: int, text: str, tokens: Iterable[Place]) -> list[Place]:
    """Return the words of a text: its pieces, joined where they touch and a token or an address covers both."""
    wholes = [(start, end) for of, start, end in tokens if of == part] + address_spans(text)
    inside = {place for start, end in wholes for place in range(start + 1, end)}
    words: list[Place] = []
    for start, end in piece_spans(text):
        if words and words[-1][2] == start and start in inside:
            words[-1] = (part, words[-1][1], end)
        else:
            words.append((part, start, end))
    return words
