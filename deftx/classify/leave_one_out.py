"""Weights of words by leaving each out: the text is classified again without the word and the space beside it.

Reference: Li et al. 2016 (1612.08220), "Understanding neural networks through representation erasure".
"""

from collections import defaultdict
from collections.abc import Iterable

from deftx.classify.classifier import Classifier
from deftx.classify.weights import Weights, log_odds
from deftx.classify.words import Place, ReadText
from deftx.models.batches import Text, encode


def leave_one_out(classifier: Classifier, read: ReadText, label: str | None) -> Weights:
    """Return how much the log-odds of the label fall when each word is left out.

    All texts go through the model in padded batches of bounded size. Only the part of a text that is read is classified again,
    so that no truncated word takes the place of the one that was left out.
    """
    words = read.read_words()
    seen = _seen(read)
    texts = [_without(seen, [read.words[word]]) for word in words]
    encoded = [read.tokens, *encode(classifier.base.tokenizer, texts, classifier.max_length)]
    logits = classifier.logits(encoded)
    predicted = int(logits[0].argmax())
    place = predicted if label is None else classifier.labels.index(label)
    odds, shares, answers = log_odds(logits, place), logits.softmax(-1)[:, place], logits.argmax(-1)
    total = len(read.words)
    return Weights(
        place,
        float(shares[0]),
        _spread(words, (odds[0] - odds[1:]).tolist(), total),
        _spread(words, shares[1:].tolist(), total),
        _spread(words, answers[1:].tolist(), total),
        predicted=predicted,
    )


def without_words(read: ReadText, words: Iterable[int]) -> Text:
    """Return the part of a text that is read, without some of its words, given by their indices."""
    return _without(_seen(read), [read.words[word] for word in words])


def _seen(read: ReadText) -> tuple[str, ...]:
    """Return the texts up to the end of their last tokens."""
    ends: defaultdict[int, int] = defaultdict(int)
    for part, _, end in filter(None, read.places):
        ends[part] = max(ends[part], end)
    return tuple(text[: ends[part]] for part, text in enumerate(read.parts))


def _without(texts: tuple[str, ...], words: Iterable[Place]) -> Text:
    """Cut words out of texts; the spaces before and after a word become one."""
    cut = list(texts)
    for part, start, end in sorted(words, reverse=True):
        before, after = cut[part][:start], cut[part][end:]
        # Scripts without spaces have none before a word, and get none.
        cut[part] = before + (after.lstrip() if not before or before[-1].isspace() else after)
    return cut[0] if len(cut) == 1 else (cut[0], cut[1])


def _spread(words: list[int], values: list, total: int) -> list:
    """Put the values of the words that were read in their places; None in the others."""
    found: list = [None] * total
    for word, value in zip(words, values, strict=True):
        found[word] = value
    return found
