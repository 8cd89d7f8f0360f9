"""Sequences of tokens for language modelling: packing lines into them, and masking."""

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from deftx.data.characters import as_text_only
from deftx.data.coverage import BATCH_LINES

IGNORED = -100  # the label that PyTorch's cross entropy ignores

OnProgress = Callable[[int, int], None]  # (lines done, total)


def special_ids(tokenizer: Any) -> list[int]:
    """Return the ids of special tokens (separators, padding, mask), without the unknown token, which stands for text."""
    return sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})


def pack(
    lines: Sequence[str],
    tokenizer: Any,
    max_length: int,
    *,
    end: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[Tensor]:
    """Tokenise each line with its special tokens, concatenate all, and split into int32 tensors of ``max_length`` tokens.

    The last tensor may be shorter (LT-SFT drops it, but a short corpus needs it); it is dropped if it has only special
    tokens. All are views of one tensor. ``end`` is a token to put after each line, if the tokenizer puts none around it.
    """
    tokens = array("i")
    for start in range(0, len(lines), BATCH_LINES):
        for ids in tokenise(lines[start : start + BATCH_LINES], tokenizer):
            tokens.extend(ids if end is None else [*ids, end])
        if on_progress:
            on_progress(min(start + BATCH_LINES, len(lines)), len(lines))
    if not tokens:
        return []
    pieces = list(torch.frombuffer(tokens, dtype=torch.int32).split(max_length))
    return pieces if set(pieces[-1].tolist()) - set(special_ids(tokenizer)) else pieces[:-1]


def mask_tokens(
    input_ids: Tensor,
    special: Tensor,
    vocabulary_size: int,
    mask_id: int,
    generator: torch.Generator,
    share: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Choose tokens to predict; replace 80 % of them by the mask, 10 % by a random token (Devlin et al. 2019).

    At least one token is chosen, unless all are special.

    Args:
        input_ids: Token ids (b, t), int64.
        special: Boolean (b, t), true for tokens that must not be chosen, padding included.
        vocabulary_size: Random tokens are drawn from this many ids.
        mask_id: The id of the mask token.
        generator: The source of randomness.
        share: The share of tokens to choose.

    Returns:
        Inputs and labels, both (b, t). Labels are -100 at tokens that are not chosen.
    """
    draw, kind = (torch.rand(input_ids.shape, generator=generator, device=generator.device) for _ in range(2))
    random = torch.randint(vocabulary_size, input_ids.shape, generator=generator, device=generator.device)
    draw, kind, random = (drawn.to(input_ids.device) for drawn in (draw, kind, random))
    draw = draw.masked_fill(special, 2.0)  # above every share
    chosen = draw < share
    if not chosen.any() and not special.all():
        chosen.view(-1)[draw.argmin()] = True
    labels = input_ids.masked_fill(~chosen, IGNORED)
    inputs = input_ids.masked_fill(chosen & (kind < 0.8), mask_id)
    return torch.where(chosen & (kind >= 0.9), random, inputs), labels


def tokenise(lines: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """Return the token ids of each line, special tokens included, without truncation."""
    # verbose=False, because the warning about lines longer than the model's limit does not apply: ``pack`` splits them.
    special = tokenizer.all_special_tokens
    lines = [as_text_only(line, special) for line in lines]
    return tokenizer(lines, add_special_tokens=True, truncation=False, return_attention_mask=False, verbose=False)[
        "input_ids"
    ]
