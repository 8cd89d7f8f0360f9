"""Weights of words by gradient × input on the word embeddings, a first-order approximation.

Reference: Simonyan et al. 2014 (1312.6034), Shrikumar et al. 2017 (1704.02685).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.classify.classifier import Classifier
from deftx.classify.weights import Weights, log_odds
from deftx.classify.words import ReadText
from deftx.models.batches import pad, pad_id


def gradient(classifier: Classifier, read: ReadText, label: str | None) -> Weights:
    """Return ⟨∂ log-odds / ∂e, e⟩, summed over the tokens of each word, where e is the embedding of a token.

    A token that covers several words, such as an unknown one, is divided equally among them.
    """
    place, logits, tokens = _token_weights(classifier, read, label)
    sums: list[float | None] = [None] * len(read.words)
    rest = 0.0
    for token, weight in enumerate(tokens):
        words = read.covered(token)
        for word in words:
            sums[word] = (sums[word] or 0.0) + weight / len(words)
        rest += 0.0 if words else weight
    return Weights(place, float(logits.softmax(-1)[place]), sums, rest=rest)


def _token_weights(classifier: Classifier, read: ReadText, label: str | None) -> tuple[int, Tensor, list[float]]:
    model = classifier.model
    batch = pad([read.tokens], pad_id(classifier.base.tokenizer), next(model.parameters()).device)
    with torch.enable_grad(), _leaf_embeddings(model) as looked_up:
        logits = model(**batch).logits.float() / classifier.temperature
        place = int(logits[0].argmax()) if label is None else classifier.labels.index(label)
        embeddings = looked_up[0]
        (slope,) = torch.autograd.grad(log_odds(logits, place)[0], embeddings)
    return place, logits.detach()[0], (slope * embeddings).detach().sum(-1)[0].tolist()


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
