"""Encoding of texts as padded batches."""

from collections.abc import Iterable, Sequence, Sized

import torch
from tokenizers import Regex, normalizers
from torch import Tensor
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from deftx.data.characters import COMMON_ENTITIES, INVISIBLE, as_seen, as_text_only

Text = str | tuple[str, str]  # a sentence, or premise and hypothesis

# Line breaks that Python's ``splitlines`` and ``strip`` remove and ``Strip`` does not.
_BREAKS = Regex("\r\n|[\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]")


class Encoded(list[int]):
    """The token ids of a text, and for each token its type: 0 in the first text of a pair, 1 in the second.

    ``types`` is None if the tokenizer has no token types; only some encoders, such as BERT, use them.
    """

    def __init__(self, ids: Iterable[int], types: list[int] | None = None) -> None:
        super().__init__(ids)
        self.types = types


def read_as_seen(tokenizer: PreTrainedTokenizerBase) -> None:
    """Make a tokenizer normalise texts as ``deftx.data.characters.as_seen`` does, also after it is saved and loaded.

    It also strips a text, reads line breaks as spaces, and treats "<s>" or "<mask>" in a text as text. This applies to
    training, classification and exported folders alike. Slow (Python) tokenizers have no normaliser: only ``encode``
    normalises their texts.
    """
    tokenizer.split_special_tokens = tokenizer.init_kwargs["split_special_tokens"] = True
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        return
    entities = [normalizers.Replace(entity, character) for entity, character in COMMON_ENTITIES.items()]
    seen = [*entities, normalizers.Replace(Regex(INVISIBLE), ""), normalizers.NFC()]
    # Unigram models also have their special tokens as pieces; a space prevents "<s>" from becoming one.
    special = [normalizers.Replace(token, f"{token[0]} {token[1:]}") for token in tokenizer.all_special_tokens]
    first = normalizers.Sequence([*seen, *special, normalizers.Replace(_BREAKS, " "), normalizers.Strip()])
    own = tokenizer.backend_tokenizer.normalizer
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence([first, own]) if own is not None else first


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the padding token, which every tokenizer of a base has."""
    return _special_id(tokenizer.pad_token_id)


def mask_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the mask token, which every tokenizer of an encoder has."""
    return _special_id(tokenizer.mask_token_id)


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int) -> list[Encoded]:
    """Return the token ids of sentences or pairs, special tokens included, truncated to ``max_length``.

    A text without tokens, which the tokenizers of some decoders make of an empty one, gets the padding token as its only one.
    """
    if not texts:
        return []
    special = tokenizer.all_special_tokens
    parts = ((text,) if isinstance(text, str) else text for text in texts)
    columns = [[as_text_only(as_seen(text), special) for text in column] for column in zip(*parts, strict=True)]
    second = columns[1] if len(columns) > 1 else None
    made = tokenizer(columns[0], second, truncation=True, max_length=max_length, verbose=False)
    types = made.get("token_type_ids", [None] * len(texts))
    return [Encoded(ids or [pad_id(tokenizer)], kinds) for ids, kinds in zip(made["input_ids"], types, strict=True)]


def cut_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], encoded: Sequence[Encoded], max_length: int
) -> list[int]:
    """Return the indices of the texts that ``encode`` truncates: those with more than ``max_length`` tokens."""
    full = [place for place, ids in enumerate(encoded) if len(ids) >= max_length]
    whole = encode(tokenizer, [texts[place] for place in full], max_length=2**30)
    return [place for place, ids in zip(full, whole, strict=True) if len(ids) > max_length]


def pad(sequences: Sequence[Encoded] | Sequence[Tensor], pad_id: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return an encoder's inputs, padded on the right, each (sequences, longest) int64.

    They are ``input_ids``, ``attention_mask`` and, if the sequences have types, ``token_type_ids``.
    """
    input_ids = _stack(sequences, pad_id)
    lengths = torch.tensor([len(row) for row in sequences])
    batch = {"input_ids": input_ids, "attention_mask": (torch.arange(input_ids.shape[1]) < lengths[:, None]).long()}
    if types := [row.types for row in sequences if isinstance(row, Encoded) and row.types is not None]:
        batch["token_type_ids"] = _stack(types, 0)
    return {name: tensor.to(device) for name, tensor in batch.items()}


def by_length(sequences: Sequence[Sized], tokens: int = 8_192) -> list[list[int]]:
    """Group the indices of sequences of similar length into batches of at most ``tokens`` padded tokens."""
    batches: list[list[int]] = []
    for index in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if not batches or (len(batches[-1]) + 1) * len(sequences[index]) > tokens:
            batches.append([])
        batches[-1].append(index)
    return batches


def least_padding(lengths: Sequence[int], overhead: int) -> list[list[int]]:
    """Split the indices of sequences into groups that are padded separately, with the least total cost.

    A group costs its padded tokens, count · longest, plus ``overhead`` tokens for the fixed cost of a forward pass. The
    optimal split of the sequences, sorted by length, is found exactly by dynamic programming.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    costs, starts = [0], [0]  # cost of the best split of the first n, and the start of its last group
    for end, longest in enumerate((lengths[i] for i in order), start=1):
        cost, start = min((costs[start] + (end - start) * longest + overhead, start) for start in range(end))
        costs.append(cost)
        starts.append(start)
    groups, end = [], len(order)
    while end:
        groups.append(order[starts[end] : end])
        end = starts[end]
    return groups[::-1]


def _special_id(token: object) -> int:
    if not isinstance(token, int):
        raise TypeError(f"{token!r} is not a token id")
    return token


def _stack(rows: Sequence[Sequence[int]] | Sequence[Tensor], fill: int) -> Tensor:
    tensors = [torch.as_tensor(row, dtype=torch.int64) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill)
