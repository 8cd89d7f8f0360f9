"""Which words mattered: gradient × input on the word embeddings, an approximation that is exact only to first order.

Reference: Simonyan et al. 2014 (1312.6034), Shrikumar et al. 2017 (1704.02685).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError
from deftx.models.batches import Encoded, Text, encode, pad

WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class WordWeight:
    """What one word contributed to the log-odds of a label; ``weight`` is None for a word that was cut off."""

    word: str
    weight: float | None
    start: int  # characters of the text, from here up to ``end``
    end: int
    part: int = 0  # of a pair: 0 the first text, 1 the second


@dataclass(frozen=True)
class Attribution:
    """The weights of all words in their order, for one label."""

    label: str
    words: tuple[WordWeight, ...]
    rest: float  # the weight of tokens that belong to no word, such as the start of the text


def attribute(classifier: Classifier, text: Text, label: str | None = None) -> Attribution:
    """Say how much each word, a run of characters between spaces, speaks for a label; by default the predicted one.

    The weight of a word is the sum over its tokens of ⟨∂ log-odds / ∂e, e⟩, e being the token's word embedding.

    Raises:
        DeftxError: the label is not the classifier's, or its tokenizer does not say where in a text its tokens stand.
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
        # log p / (1 − p): other than the probability it does not level off where the classifier is sure.
        others = [i for i in range(len(logits)) if i != place]
        log_odds = logits[place] - torch.logsumexp(logits[others], 0)
        (gradient,) = torch.autograd.grad(log_odds, embeddings)
    return place, (gradient * embeddings).detach().sum(-1)[0].tolist()


@contextmanager
def _leaf_embeddings(model: nn.Module) -> Iterator[list[Tensor]]:
    """While it lasts, collect the word embeddings that are looked up, as leaves whose gradient can be asked for."""
    found: list[Tensor] = []

    def cut(_: nn.Module, __: object, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    hook = model.get_input_embeddings().register_forward_hook(cut)
    try:
        yield found
    finally:
        hook.remove()


def _places(classifier: Classifier, texts: Sequence[str]) -> list[tuple[int, int, int] | None]:
    """Return of each token which text it is from and its characters there; None for what is of no text."""
    tokenizer = classifier.base.tokenizer
    if not tokenizer.is_fast:
        raise DeftxError(f"The tokenizer of base {classifier.base.name} does not say where in a text its tokens stand.")
    made = tokenizer(*texts, truncation=True, max_length=classifier.max_length, return_offsets_mapping=True)
    parts = made.sequence_ids(0)
    spans = made["offset_mapping"]
    return [(part, *span) if part is not None else None for part, span in zip(parts, spans, strict=True)]


def _by_word(
    label: str, texts: Sequence[str], weights: Sequence[float], places: Sequence[tuple[int, int, int] | None]
) -> Attribution:
    """Add the weights of tokens up by the word in which each ends; a token may begin with the space before it."""
    words = [(part, found) for part, text in enumerate(texts) for found in WORD.finditer(text)]
    sums: list[float | None] = [None] * len(words)
    rest = 0.0
    for weight, place in zip(weights, places, strict=True):
        at = next((i for i, (part, word) in enumerate(words) if place and _is_in(place, part, word)), None)
        if at is None:
            rest += weight
        else:
            sums[at] = (sums[at] or 0.0) + weight
    told = (
        WordWeight(word.group(), total, *word.span(), part) for (part, word), total in zip(words, sums, strict=True)
    )
    return Attribution(label, tuple(told), rest)


def _is_in(place: tuple[int, int, int], part: int, word: re.Match) -> bool:
    of, start, end = place
    return of == part and start < end and word.start() < end <= word.end()
