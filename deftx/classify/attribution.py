"""Word attributions: gradient × input on the word embeddings, a first-order approximation.

Reference: Simonyan et al. 2014 (1312.6034), Shrikumar et al. 2017 (1704.02685).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError
from deftx.data.addresses import address_spans
from deftx.data.writing_systems import piece_spans
from deftx.models.batches import Encoded, Text, encode, pad

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
    the token's word embedding.

    Raises:
        DeftxError: If the classifier does not have the label, or its tokenizer does not return token positions.
    """
    if label is not None and label not in classifier.labels:
        raise DeftxError(f"{label!r} is not one of the labels: {', '.join(classifier.labels)}.")
    encoded = encode(classifier.base.tokenizer, [text], classifier.max_length)[0]
    place, weights = _token_weights(classifier, encoded, label)
    texts = (text,) if isinstance(text, str) else text
    return _by_word(classifier.labels[place], texts, weights, _places(classifier, texts))


def _token_weights(classifier: Classifier, encoded: Encoded, label: str | None) -> tuple[int, list[float]]:
    model = classifier.model
    batch = pad([encoded], classifier.base.tokenizer.pad_token_id, next(model.parameters()).device)
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
def _leaf_embeddings(model: nn.Module) -> Iterator[list[Tensor]]:
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
    made = tokenizer(*texts, truncation=True, max_length=classifier.max_length, return_offsets_mapping=True)
    parts = made.sequence_ids(0)
    spans = made["offset_mapping"]
    return [(part, *span) if part is not None else None for part, span in zip(parts, spans, strict=True)]


def _by_word(label: str, texts: Sequence[str], weights: Sequence[float], places: Sequence[Place | None]) -> Attribution:
    """Sum the weights of the tokens that end in each word; a token may start with the space before the word."""
    tokens = [place for place in places if place]
    words = [word for part, text in enumerate(texts) for word in _words(part, text, tokens)]
    ends = [(part, end) for part, _, end in words]
    sums: list[float | None] = [None] * len(words)
    rest = 0.0
    for weight, place in zip(weights, places, strict=True):
        at = bisect_left(ends, (place[0], place[2])) if place and place[1] < place[2] else len(words)
        if place and at < len(words) and words[at][0] == place[0] and words[at][1] < place[2]:
            sums[at] = (sums[at] or 0.0) + weight
        else:
            rest += weight
    weighted = (
        WordWeight(texts[part][start:end], total, start, end, part)
        for (part, start, end), total in zip(words, sums, strict=True)
    )
    return Attribution(label, tuple(weighted), rest)


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
