"""Without these, text could be lost between the lines and the sequences, or masked wrongly."""

import logging

import torch
from tiny_tokenizer import tiny_tokenizer
from transformers import DataCollatorForLanguageModeling

from deftx.data.sequences import mask_tokens, pack, special_ids


def test_packing_joins_lines_with_their_own_special_tokens_and_keeps_the_rest():
    tokenizer = tiny_tokenizer("a b c")  # ids 5, 6, 7
    pieces = pack(["a b", "c x", "a"], tokenizer, 4)
    assert [piece.tolist() for piece in pieces] == [[0, 5, 6, 2], [0, 7, 3, 2], [0, 5, 2]]
    assert all(piece.dtype == torch.int32 for piece in pieces)


def test_a_rest_of_special_tokens_alone_is_left_out_and_a_short_corpus_is_not():
    tokenizer = tiny_tokenizer("a b c")
    assert [piece.tolist() for piece in pack(["a b c"], tokenizer, 4)] == [[0, 5, 6, 7]]
    assert [piece.tolist() for piece in pack(["a"], tokenizer, 256)] == [[0, 5, 2]]
    assert pack([], tokenizer, 256) == []


def test_packing_reports_progress_and_never_truncates(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    tokenizer = tiny_tokenizer("a", limit=8)
    seen = []
    pieces = pack(["a " * 20] * 2500, tokenizer, 64, on_progress=lambda done, total: seen.append((done, total)))
    assert sum(map(len, pieces)) == 2500 * 22
    assert seen == [(1000, 2500), (2000, 2500), (2500, 2500)]
    assert not caplog.records  # not even of lines above the tokenizer's limit


def masked(seed=0, shape=(64, 512), share=0.15, special_columns=2):
    ids = torch.randint(5, 1000, shape, generator=torch.Generator().manual_seed(1))
    special = torch.zeros(shape, dtype=torch.bool)
    special[:, :special_columns] = True
    generator = torch.Generator().manual_seed(seed)
    return ids, special, *mask_tokens(ids, special, 1000, 4, generator, share)


def test_masking_labels_exactly_what_it_asks_for_and_spares_special_tokens():
    ids, special, inputs, labels = masked()
    chosen = labels != -100
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])
    assert not (chosen & special).any()
    assert inputs.dtype == labels.dtype == torch.int64


def shares(ids, inputs, labels, eligible):
    chosen = labels != -100
    became_mask = inputs[chosen] == 4
    stayed = inputs[chosen] == ids[chosen]
    changed = ~became_mask & ~stayed
    return torch.tensor([chosen.sum() / eligible, *(kind.float().mean() for kind in (became_mask, stayed, changed))])


def test_masking_rates_are_those_of_bert_and_of_transformers():
    ids, special, inputs, labels = masked()
    eligible = int((~special).sum())
    ours = shares(ids, inputs, labels, eligible)
    # 32,640 eligible, 4,896 chosen: standard deviations 0.002, 0.006, 0.004, 0.004; five of them.
    tolerance = torch.tensor([0.010, 0.029, 0.022, 0.022])
    assert ((ours - torch.tensor([0.15, 0.8, 0.1, 0.1])).abs() < tolerance).all()
    collator = DataCollatorForLanguageModeling(tiny_tokenizer(" ".join(f"w{n}" for n in range(995))), seed=3)
    features = [{"input_ids": row, "special_tokens_mask": spared} for row, spared in zip(ids, special, strict=True)]
    batch = collator([{name: value.tolist() for name, value in feature.items()} for feature in features])
    theirs = shares(ids, batch["input_ids"], batch["labels"], eligible)
    assert ((ours - theirs).abs() < 1.5 * tolerance).all()


def test_random_replacements_come_from_the_whole_vocabulary():
    ids, special = torch.full((200, 512), 5), torch.zeros(200, 512, dtype=torch.bool)
    inputs, labels = mask_tokens(ids, special, 50, 4, torch.Generator().manual_seed(0), share=0.9)
    replaced = inputs[(labels != -100) & (inputs != 5) & (inputs != 4)]
    assert set(replaced.tolist()) == set(range(50)) - {4, 5}


def test_masks_follow_the_generator_and_nothing_else():
    first, again, other = masked(seed=7), masked(seed=7), masked(seed=8)
    assert torch.equal(first[2], again[2])
    assert torch.equal(first[3], again[3])
    assert not torch.equal(first[3], other[3])


def test_a_short_batch_still_asks_for_one_token():
    ids = torch.tensor([[0, 7, 8, 2]])
    special = torch.tensor([[True, False, False, True]])
    asked = [mask_tokens(ids, special, 9, 4, torch.Generator().manual_seed(s), 0.01)[1] != -100 for s in range(40)]
    assert all(chosen.sum() >= 1 and not (chosen & special).any() for chosen in asked)
    assert torch.stack(asked).any(0).tolist() == [[False, True, True, False]]
    nothing = torch.ones_like(special)
    assert (mask_tokens(ids, nothing, 9, 4, torch.Generator())[1] == -100).all()


def test_the_unknown_token_is_text_and_the_others_are_not():
    assert special_ids(tiny_tokenizer("a")) == [0, 1, 2, 4]
