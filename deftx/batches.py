"""Turning texts into the padded batches that an encoder reads."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

Text = str | tuple[str, str]  # a sentence, or premise and hypothesis
Encoded = list[int]


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int) -> list[Encoded]:
    """Return the token ids of sentences or pairs, special tokens included, cut at ``max_length``."""
    if not texts:
        return []
    pairs = not isinstance(texts[0], str)
    columns = [list(column) for column in zip(*texts, strict=True)] if pairs else [list(texts)]
    return tokenizer(*columns, truncation=True, max_length=max_length, verbose=False)["input_ids"]


def pad(sequences: Sequence[Encoded | Tensor], pad_id: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return ``input_ids`` and ``attention_mask``, both (sequences, longest) int64, padded on the right."""
    rows = [torch.as_tensor(s, dtype=torch.int64) for s in sequences]
    input_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(row) for row in rows])
    attention_mask = (torch.arange(input_ids.shape[1]) < lengths[:, None]).long()
    return {"input_ids": input_ids.to(device), "attention_mask": attention_mask.to(device)}


def by_length(sequences: Sequence[Encoded], tokens: int = 8_192) -> list[list[int]]:
    """Group the indices of sequences of similar length into batches of at most ``tokens`` padded tokens."""
    batches: list[list[int]] = []
    for index in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if not batches or (len(batches[-1]) + 1) * len(sequences[index]) > tokens:
            batches.append([])
        batches[-1].append(index)
    return batches
