"""What every method of attribution returns, and the log-odds that they measure."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Weights:
    """The label, its probability, and the contribution of each word to its log-odds; None for a word that was truncated.

    Attributes:
        label: The index of the label.
        probability: The probability of the label for the whole text.
        words: The weight of each word.
        without: For each word, the probability of the label without the word; empty if the method does not remove words.
        answers: For each word, the index of the label that is predicted without it; empty likewise.
        rest: The total weight of tokens without a word, such as the start token.
        predicted: The index of the label that is predicted for the whole text; None if the method does not remove words.
    """

    label: int
    probability: float
    words: list[float | None]
    without: list[float | None] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    rest: float = 0.0
    predicted: int | None = None


def log_odds(logits: Tensor, label: int) -> Tensor:
    """Return log p / (1 − p) of a label, which unlike the probability does not saturate: (n, labels) -> (n,)."""
    others = [place for place in range(logits.shape[1]) if place != label]
    return logits[:, label] - torch.logsumexp(logits[:, others], 1)
