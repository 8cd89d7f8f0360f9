"""Texts become padded batches: cut, in order, nothing lost."""

from itertools import pairwise

import pytest
import tiny
import torch
from tiny_families import TOKENIZERS

from deftx.models.batches import by_length, cut_texts, encode, least_padding, pad


def test_sentences_and_pairs_are_cut_at_the_length_with_their_special_tokens(base):
    tokenizer = base.tokenizer
    (row,) = encode(tokenizer, [" ".join(tiny.WORDS[:30])], 10)
    assert len(row) == 10
    assert (row[0], row[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
    (pair,) = encode(tokenizer, [("the day", "the night")], 32)
    assert pair == tokenizer("the day", "the night")["input_ids"]
    assert encode(tokenizer, [], 10) == []


def test_texts_that_lose_their_end_are_named_and_those_that_just_fit_are_not(base):
    texts = ["the day", " ".join(tiny.WORDS[:30]), "the day is good"]
    lengths = [len(ids) for ids in encode(base.tokenizer, texts, 1_000)]
    for length in (*lengths, lengths[1] - 1):
        encoded = encode(base.tokenizer, texts, length)
        assert cut_texts(base.tokenizer, texts, encoded, length) == [i for i, n in enumerate(lengths) if n > length]


def test_signs_of_the_model_and_invisible_characters_in_a_text_are_not_read_as_such(base):
    tokenizer = base.tokenizer
    (plain, hidden, signs) = encode(tokenizer, ["the day", "the d\u00ada\u200by", "the <s> <mask> day"], 64)
    assert hidden == plain
    assert not set(signs[1:-1]) & {tokenizer.bos_token_id, tokenizer.mask_token_id, tokenizer.eos_token_id}


def test_a_tokenizer_alone_reads_invisible_characters_as_encode_does(base):
    texts = ["the d\u200c\u200cay", "the d\u034f\u200cay", "\ufeff\u200cthe day", "the d\u200b\u200day", "the de\u0301\u200cy",
             "the d&zwnj;ay", "the d&zwj;ay", "the d&#8203;ay", "the d&shy;ay"]  # fmt: skip
    assert base.tokenizer(texts)["input_ids"] == encode(base.tokenizer, texts, 64)
    assert base.tokenizer(texts[0])["input_ids"] == base.tokenizer("the day")["input_ids"]


def test_padding_is_on_the_right_and_not_attended_to():
    batch = pad([[5, 6, 7], torch.tensor([8], dtype=torch.int32)], 1, "cpu")
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["input_ids"].dtype == torch.int64


def test_every_sequence_is_in_one_batch_and_no_batch_is_too_large():
    lengths = [3, 50, 7, 7, 100, 1, 50]
    batches = by_length([[0] * n for n in lengths], tokens=100)
    assert sorted(i for batch in batches for i in batch) == list(range(7))
    assert all(len(batch) * max(lengths[i] for i in batch) <= 100 for batch in batches)
    assert by_length([[0] * 300], tokens=100) == [[0]]  # one that is too long still gets its turn


def test_token_types_are_carried_and_padded_where_the_tokenizer_makes_them():
    tokenizer = TOKENIZERS["wordpiece"]()
    pairs = [("the day", "the night was bad"), ("this", "food")]
    rows = encode(tokenizer, pairs, 30)
    batch = pad(rows, tokenizer.pad_token_id, "cpu")
    expected = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_tensors="pt")
    assert batch.keys() == expected.keys()
    assert all(batch[name].equal(expected[name]) for name in expected)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    assert encode(tokenizer, pairs, 30)[0].types is None


@pytest.mark.parametrize("lengths", [[5, 90, 7, 6, 80], [12] * 6, [3], [40, 10, 25, 70, 11]])
@pytest.mark.parametrize("overhead", [0, 10, 100, 10_000])
def test_the_least_padding_is_the_least_of_all_splits_in_order(lengths, overhead):
    def cost(groups):
        return sum(len(group) * max(lengths[i] for i in group) + overhead for group in groups)

    found = least_padding(lengths, overhead)
    assert sorted(i for group in found for i in group) == list(range(len(lengths)))
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    splits = []
    for cuts in range(2 ** (len(order) - 1)):
        edges = [0, *(n + 1 for n in range(len(order) - 1) if cuts >> n & 1), len(order)]
        splits.append([order[a:b] for a, b in pairwise(edges)])
    assert cost(found) == min(map(cost, splits))
