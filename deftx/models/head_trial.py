"""Finding the masked-LM head of a base in a trial run, and checking it.

A head is used only if, applied to single positions, it gives the same logits as the whole model; a decoder only if its logits
do not depend on later tokens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from deftx.core.errors import BaseModelError, one_of
from deftx.models.decoders import DECODERS, predicts_next
from deftx.models.families import FAMILIES, NEXT_TOKEN, Head, apply_head, output_matrix

TOLERANCE = 1e-4  # between logits at single positions and those of the whole model, which round differently in float32
TRIAL_TOKENS = 6


@torch.no_grad()
def find_head(model: PreTrainedModel, name: str) -> Head:
    """Return the head of a language model in evaluation mode, checked in a trial run on a few tokens.

    Raises:
        BaseModelError: If the head cannot be separated from the encoder, or gives other logits at single positions; for a
            decoder, if its logits depend on later tokens.
    """
    kind, decoder = model.config.model_type, predicts_next(model.config)
    known = [head for head in FAMILIES.get(kind, ()) if all(hasattr(model, part) for part in head.modules)]
    try:
        if decoder:
            return _try_decoder(model)
        return _try(model, known[0]) if known else _observe(model)
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise BaseModelError(
            f"The base {name} ({kind}) cannot be used: a trial run failed: {error} "
            f"Supported families: {one_of(DECODERS if decoder else FAMILIES)}."
        ) from error


def _try(model: PreTrainedModel, head: Head | None) -> Head:
    """Return the head, or the one found if None, after checking that it gives the model's logits at single positions."""
    inputs = _trial_tokens(model, TRIAL_TOKENS)
    with _calls(model) as called:
        expected = model(**inputs).logits
    hidden = called.pop(model.base_model_prefix).last_hidden_state
    head = head or Head(tuple(called), "observed in a trial run")
    places = torch.tensor([1, 3, TRIAL_TOKENS - 1], device=model.device)
    logits = apply_head(model, head, hidden[0, places])
    if not isinstance(logits, Tensor):
        raise TypeError(f"its head {', '.join(head.modules)} returns a {type(logits).__name__} instead of logits.")
    if not torch.allclose(logits, expected[0, places], rtol=TOLERANCE, atol=TOLERANCE):
        raise ValueError("its head gives other logits at single positions than the whole model.")
    _check_rows(model, head)
    return head


def _try_decoder(model: PreTrainedModel) -> Head:
    """Check that the logits of a decoder are the same with and without later tokens."""
    count = TRIAL_TOKENS - 2
    alone, followed = (model(**_trial_tokens(model, tokens)).logits[0, :count] for tokens in (count, TRIAL_TOKENS))
    if not torch.allclose(alone, followed, rtol=TOLERANCE, atol=TOLERANCE):
        raise ValueError("its predictions depend on later tokens, so it does not predict the next one.")
    _check_rows(model, NEXT_TOKEN)
    return NEXT_TOKEN


def _check_rows(model: PreTrainedModel, head: Head) -> None:
    rows = output_matrix(model, head).shape[0]
    if rows != model.config.vocab_size:
        raise ValueError(f"its output embedding has {rows:,} rows for {model.config.vocab_size:,} words.")


def _observe(model: PreTrainedModel) -> Head:
    """Return the head of an architecture that is not in the table. Check that its encoder ignores padding."""
    head = _try(model, None)
    short, padded = _trial_tokens(model, TRIAL_TOKENS - 2), _trial_tokens(model, TRIAL_TOKENS)
    padded["attention_mask"][:, -2:] = 0
    alone, beside = (model.base_model(**inputs).last_hidden_state[0, : TRIAL_TOKENS - 2] for inputs in (short, padded))
    if not torch.allclose(alone, beside, rtol=TOLERANCE, atol=TOLERANCE):
        raise ValueError("its encoder does not ignore padding, so predictions would depend on the batch.")
    return head


def _trial_tokens(model: PreTrainedModel, count: int) -> dict[str, Tensor]:
    tokens = torch.arange(3, 3 + count, device=model.device)[None] % model.config.vocab_size
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}


@contextmanager
def _calls(model: PreTrainedModel) -> Iterator[dict[str, Any]]:
    """Record the children of a model that are called within the context, in order, with their outputs."""
    called: dict[str, Any] = {}
    hooks = [
        part.register_forward_hook(lambda _, __, made, name=name: called.update({name: made}))
        for name, part in model.named_children()
    ]
    try:
        yield called
    finally:
        for hook in hooks:
            hook.remove()
