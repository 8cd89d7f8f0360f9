"""How the weights of the base are drawn: so that attention has something to attend to from the first step on.

Drawn as usual, a small encoder learns the frequencies of words and then stands still for millions of tokens, until its attention has
found out what positions are. Here it starts as a model that guesses a word from those near it, and goes on from there; what that
is worth stands in docs/base.md. After Trockman and Kolter 2023, "Mimetic initialization of self-attention layers".
"""

import math

import torch
from torch import Tensor, nn

POSITION_SPREAD = 0.05  # like that of the words: neither drowns the other
LONGEST_WAVE = 1_000.0  # tokens; Vaswani et al. 2017 have 10,000, for longer texts
ALIKE = 0.5  # how strongly like attends to like
PASSED_ON = 0.5  # the share of what is attended to that values, and then outputs, pass on as it is


@torch.no_grad()
def draw_as_usual(model: nn.Module, words: Tensor, seed: int) -> None:
    """Leave everything as transformers draws it, but for the word embeddings."""
    model.base_model.embeddings.word_embeddings.weight.copy_(words)


@torch.no_grad()
def draw_for_neighbours(model: nn.Module, words: Tensor, seed: int) -> None:
    """Set word embeddings to ``words``, positions to waves, keys equal to queries, values and outputs to identities.

    Keys equal to queries let a token attend to what is like it, and with positions as waves that is its neighbours. The
    identities then bring the mean of their embeddings to the output, which is tied to the embeddings.
    """
    generator = torch.Generator().manual_seed(seed)
    embeddings, width = model.base_model.embeddings, words.shape[1]
    embeddings.word_embeddings.weight.copy_(words)
    embeddings.position_embeddings.weight.copy_(waves(*embeddings.position_embeddings.weight.shape))
    for layer in model.base_model.encoder.layer:
        attention, output = layer.attention.self, layer.attention.output
        nn.init.normal_(attention.query.weight, std=ALIKE / math.sqrt(width), generator=generator)
        attention.key.weight.copy_(attention.query.weight)
        for passing in (attention.value, output.dense):
            passing.weight.copy_(torch.eye(width) * PASSED_ON)
    model.lm_head.dense.weight.copy_(torch.eye(width))


def waves(positions: int, width: int) -> Tensor:
    """Return sines and cosines of falling frequency, (positions, width), whose spread is ``POSITION_SPREAD``."""
    frequencies = LONGEST_WAVE ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(positions)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1) * (POSITION_SPREAD * math.sqrt(2))


STARTS = {"neighbours": draw_for_neighbours, "usual": draw_as_usual}
