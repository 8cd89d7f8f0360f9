"""Keeping what the initial encoder knows during masked-language modelling.

multilingual-e5 has learned that translations have similar representations; masked-language modelling alone destroys a part of
this (docs/base.md). The penalty is the distance, 1 − cosine, between the last hidden states of the masked text and those that the
initial encoder (the teacher) gives to the same text without masks.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from deftx.core.errors import unknown_name
from deftx.models.bases import load_base


def tokens_apart(hidden: Tensor, wanted: Tensor, asked: Tensor) -> Tensor:
    """Return the mean distance at the tokens that need not be predicted.

    Args:
        hidden: Last hidden states (b, t, d) of the masked text.
        wanted: Those of the teacher.
        asked: Boolean (b, t), true for tokens to predict.
    """
    return (1 - cosine_similarity(hidden, wanted, dim=-1))[~asked].mean()


def means_apart(hidden: Tensor, wanted: Tensor, asked: Tensor) -> Tensor:
    """Return the mean distance between the mean hidden states of a sequence; the arguments are those of tokens_apart."""
    return (1 - cosine_similarity(hidden.mean(1), wanted.mean(1), dim=-1)).mean()


DISTANCES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"tokens": tokens_apart, "mean": means_apart}


class Teacher:
    """The initial encoder, frozen, and the last hidden states of the model that is trained."""

    def __init__(self, model: nn.Module, weight: float, what: str, base: str) -> None:
        if what not in DISTANCES:
            raise unknown_name("--align-what", what, DISTANCES)
        device = next(model.parameters()).device
        self.weight, self.distance = weight, DISTANCES[what]
        self.model = load_base(base, device=str(device)).model.requires_grad_(False)
        self._hidden = torch.empty(0)
        model.base_model.register_forward_hook(self._keep)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the weighted distance, a scalar, for the last forward pass of the model, which was on this batch."""
        asked = batch["labels"] != -100
        whole = batch["labels"].where(asked, batch["input_ids"])  # the text without masks
        with torch.no_grad():
            wanted = self.model.base_model(input_ids=whole, attention_mask=batch["attention_mask"]).last_hidden_state
        return self.weight * self.distance(self._hidden.float(), wanted.float(), asked)

    def _keep(self, module: nn.Module, given: tuple, output: object) -> None:
        self._hidden = output.last_hidden_state
