"""Word attributions: gradient × input on the word embeddings, a first-order approximation.

Reference: Simonyan et al. 2014 (1312.6034), Shrikumar et al. 2017 (1704.02685).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError
from deftx.data.addresses import address_spans
from deftx.data.characters import resolve_entities
from deftx.data.writing_systems import piece_spans
from deftx.models.batches import Encoded, Text, encode, pad, pad_id

Place = tuple[int, int, int]  # text (0 or 1), start and end


@dataclass(frozen=True)
class WordWeight:
    """The contribution of a word to the log-odds of a label; ``weight`` is None for a word that was truncated."""

    word: str
    weight: float | None
    start: int  # first character of the word in the text
    end: int  # one past its last character
    part: int = 0  # 0 for the first text of a pair, 1 for the second


@dataclass(frozen=True)
class Attribution:
    """The weights of all words, in order, for one label."""

    label: str
    words: tuple[WordWeight, ...]
    rest: float  # total weight of tokens without a word, such as the start token


def attribute(classifier: Classifier, text: Text, label: str | None = None) -> Attribution:
    """Return how much each word contributes to a label, by default the predicted one.

    Words are separated by white space. In scripts without spaces, a word is a token of the base, in whole letters with their
    signs. Web and e-mail addresses are words. The weight of a word is the sum over its tokens of ⟨∂ log-odds / ∂e, e⟩, where e is
    the token's word embedding. A token that covers several words, such as an unknown one, is divided equally among them.
    Positions are those in the text with its HTML entities resolved.

    Raises:
        DeftxError: If the classifier does not have the label, or its tokenizer does not return token positions.
    """
    if label is not None and label not in classifier.labels:
        raise DeftxError(f"{label!r} is not one of the labels: {', '.join(classifier.labels)}.")
    encoded = encode(classifier.base.tokenizer, [text], classifier.max_length)[0]
    column, weights = _token_weights(classifier, encoded, label)
    texts = tuple(map(resolve_entities, (text,) if isinstance(text, str) else text))
    places = _places(classifier, texts)
    known = [
        place for place, token in zip(places, encoded, strict=True) if token != classifier.base.tokenizer.unk_token_id
    ]
    words = [word for part, text in enumerate(texts) for word in _words(part, text, filter(None, known))]
    return _by_word(classifier.labels[column], texts, words, weights, places)


def _token_weights(classifier: Classifier, encoded: Encoded, label: str | None) -> tuple[int, list[float]]:
    model = classifier.model
    batch = pad([encoded], pad_id(classifier.base.tokenizer), next(model.parameters()).device)
    with torch.enable_grad(), _leaf_embeddings(model) as looked_up:
        logits = model(**batch).logits[0].float()
        place = int(logits.argmax()) if label is None else classifier.labels.index(label)
        embeddings = looked_up[0]
        # log p / (1 − p), which unlike the probability does not saturate.
        others = [i for i in range(len(logits)) if i != place]
        log_odds = logits[place] - torch.logsumexp(logits[others], 0)
        (gradient,) = torch.autograd.grad(log_odds, embeddings)
    return place, (gradient * embeddings).detach().sum(-1)[0].tolist()


@contextmanager
def _leaf_embeddings(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """Replace the word embeddings in a forward pass by leaf tensors, and collect these."""
    found: list[Tensor] = []

    def detach(_: nn.Module, __: object, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    hook = model.get_input_embeddings().register_forward_hook(detach)
    try:
        yield found
    finally:
        hook.remove()


def _places(classifier: Classifier, texts: Sequence[str]) -> list[Place | None]:
    """Return for each token its text (0 or 1), start and end; None for special tokens."""
    tokenizer = classifier.base.tokenizer
    if not tokenizer.is_fast:
        raise DeftxError(
            f"The tokenizer of base {classifier.base.name} does not return the positions of tokens in a text."
        )
    first, second = texts[0], texts[1] if len(texts) > 1 else None
    made = tokenizer(first, second, truncation=True, max_length=classifier.max_length, return_offsets_mapping=True)
    parts = made.sequence_ids(0)
    spans = made["offset_mapping"]
    return [(part, *span) if part is not None else None for part, span in zip(parts, spans, strict=True)]


def _by_word(
    label: str, texts: Sequence[str], words: Sequence[Place], weights: Sequence[float], places: Sequence[Place | None]
) -> Attribution:
    """Sum the weights of the tokens in each word; a token may start with the space before the word."""
    sums: list[float | None] = [None] * len(words)
    rest = 0.0
    for weight, place in zip(weights, places, strict=True):
        covered = _covered(words, place) if place else range(0)
        for at in covered:
            sums[at] = (sums[at] or 0.0) + weight / len(covered)
        rest += 0.0 if covered else weight
    weighted = (
        WordWeight(texts[part][start:end], total, start, end, part)
        for (part, start, end), total in zip(words, sums, strict=True)
    )
    return Attribution(label, tuple(weighted), rest)


def _covered(words: Sequence[Place], place: Place) -> range:
    """Return the indices of the words that a token covers, at least in part."""
    part, start, end = place
    first = bisect_right(words, (part, start), key=lambda word: (word[0], word[2]))
    last = bisect_left(words, (part, end), lo=first, key=lambda word: word[:2])
    return range(first, last) if start < end else range(0)


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
