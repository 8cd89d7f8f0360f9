"""Word attributions: gradient × input on the word embeddings, a first-order approximation.

Reference: Simonyan et al. 2014 (1312.6034), Shrikumar et al. 2017 (1704.02685).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError
from deftx.models.batches import Encoded, Text, encode, pad, pad_id

WORD = re.compile(r"\S+")


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

    Words are separated by white space. The weight of a word is the sum over its tokens of ⟨∂ log-odds / ∂e, e⟩, where e is
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


def _places(classifier: Classifier, texts: Sequence[str]) -> list[tuple[int, int, int] | None]:
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
    label: str, texts: Sequence[str], weights: Sequence[float], places: Sequence[tuple[int, int, int] | None]
) -> Attribution:
    """Sum the weights of the tokens that end in each word; a token may start with the space before the word."""
    words = [(part, found) for part, text in enumerate(texts) for found in WORD.finditer(text)]
    sums: list[float | None] = [None] * len(words)
    rest = 0.0
    for weight, place in zip(weights, places, strict=True):
        at = next((i for i, (part, word) in enumerate(words) if place and _is_in(place, part, word)), None)
        if at is None:
            rest += weight
        else:
            sums[at] = (sums[at] or 0.0) + weight
    weighted = (
        WordWeight(word.group(), total, *word.span(), part) for (part, word), total in zip(words, sums, strict=True)
    )
    return Attribution(label, tuple(weighted), rest)


def _is_in(place: tuple[int, int, int], part: int, word: re.Match) -> bool:
    of, start, end = place
    return of == part and start < end and word.start() < end <= word.end()
