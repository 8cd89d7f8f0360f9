"""Turning texts into the padded batches that an encoder reads."""

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Regex, normalizers
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from deftx.data.characters import COMMON_ENTITIES, INVISIBLE, as_seen, as_text_only

Text = str | tuple[str, str]  # a sentence, or premise and hypothesis

# What Python's ``splitlines`` and ``strip`` take away beyond what ``Strip`` does.
_BREAKS = Regex("\r\n|[\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]")


class Encoded(list[int]):
    """The token ids of a text; ``types`` says of each whether it belongs to the first (0) or second (1) of a pair.

    None where the tokenizer does not tell: only some encoders (BERT) read it.
    """

    def __init__(self, ids: Iterable[int], types: list[int] | None = None) -> None:
        super().__init__(ids)
        self.types = types


def read_as_seen(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a tokenizer read texts as ``deftx.data.characters.as_seen`` does, here and where it is saved to.

    It also drops outer spaces, reads line breaks as spaces, and takes "<s>" or "<mask>" in a text for text. This is the
    one place that decides it, for training, for classifying, and for an exported folder. A tokenizer that is written in
    Python has no normalisation steps: ``encode`` alone changes its texts.
    """
    tokenizer.split_special_tokens = tokenizer.init_kwargs["split_special_tokens"] = True
    if not tokenizer.is_fast:
        return
    entities = [normalizers.Replace(entity, character) for entity, character in COMMON_ENTITIES.items()]
    seen = [*entities, normalizers.Replace(Regex(INVISIBLE), ""), normalizers.NFC()]
    # Unigram models have their special tokens among the pieces too, so a space keeps "<s>" from being one.
    special = [normalizers.Replace(token, f"{token[0]} {token[1:]}") for token in tokenizer.all_special_tokens]
    first = normalizers.Sequence([*seen, *special, normalizers.Replace(_BREAKS, " "), normalizers.Strip()])
    own = tokenizer.backend_tokenizer.normalizer
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence([first, own]) if own is not None else first


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int) -> list[Encoded]:
    """Return the token ids of sentences or pairs, special tokens included, cut at ``max_length``."""
    if not texts:
        return []
    pairs = not isinstance(texts[0], str)
    special = tokenizer.all_special_tokens
    columns = [
        [as_text_only(as_seen(text), special) for text in column]
        for column in (zip(*texts, strict=True) if pairs else [texts])
    ]
    made = tokenizer(*columns, truncation=True, max_length=max_length, verbose=False)
    types = made.get("token_type_ids", [None] * len(texts))
    return [Encoded(ids, kinds) for ids, kinds in zip(made["input_ids"], types, strict=True)]


def cut_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], encoded: Sequence[Encoded], max_length: int
) -> list[int]:
    """Return the indices of the texts that lost their end in ``encode``: those with more than ``max_length`` tokens."""
    full = [place for place, ids in enumerate(encoded) if len(ids) >= max_length]
    whole = encode(tokenizer, [texts[place] for place in full], max_length=2**30)
    return [place for place, ids in zip(full, whole, strict=True) if len(ids) > max_length]


def pad(sequences: Sequence[Encoded | Tensor], pad_id: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return what an encoder reads, padded on the right, each (sequences, longest) int64.

    ``input_ids``, ``attention_mask`` and, where the sequences have types, ``token_type_ids``.
    """
    input_ids = _stack(sequences, pad_id)
    lengths = torch.tensor([len(row) for row in sequences])
    batch = {"input_ids": input_ids, "attention_mask": (torch.arange(input_ids.shape[1]) < lengths[:, None]).long()}
    if getattr(sequences[0], "types", None) is not None:
        batch["token_type_ids"] = _stack([row.types for row in sequences], 0)
    return {name: tensor.to(device) for name, tensor in batch.items()}


def by_length(sequences: Sequence[Encoded], tokens: int = 8_192) -> list[list[int]]:
    """Group the indices of sequences of similar length into batches of at most ``tokens`` padded tokens."""
    batches: list[list[int]] = []
    for index in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if not batches or (len(batches[-1]) + 1) * len(sequences[index]) > tokens:
            batches.append([])
        batches[-1].append(index)
    return batches


def least_padding(lengths: Sequence[int], overhead: int) -> list[list[int]]:
    """Split the indices of sequences into groups that are padded apart, so that the fewest tokens are computed.

    A group costs its padded tokens, count · longest, and ``overhead`` tokens for what a pass through the model costs
    whatever its size. The cheapest split of the sequences in the order of their lengths is found exactly.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    costs, starts = [0], [0]  # of the cheapest split of the first n, and where its last group starts
    for end, longest in enumerate((lengths[i] for i in order), start=1):
        cost, start = min((costs[start] + (end - start) * longest + overhead, start) for start in range(end))
        costs.append(cost)
        starts.append(start)
    groups, end = [], len(order)
    while end:
        groups.append(order[starts[end] : end])
        end = starts[end]
    return groups[::-1]


def _stack(rows: Sequence[Sequence[int] | Tensor], fill: int) -> Tensor:
    tensors = [torch.as_tensor(row, dtype=torch.int64) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill)
