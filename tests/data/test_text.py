"""Without these, a person's text could be lost, mixed up between training and validation, or masked wrongly."""

import gzip
import hashlib
import logging
import os
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import torch
from tiny_tokenizer import tiny_tokenizer
from transformers import DataCollatorForLanguageModeling

from deftx.core.errors import CorpusError
from deftx.data.text import columns_of, fingerprint, mask_tokens, pack, read_corpus, special_ids, split


def corpus(tmp_path, content, name="a.txt", **settings):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_corpus(tmp_path / name, **settings)


def refusal(*arguments, **settings):
    with pytest.raises(CorpusError) as caught:
        corpus(*arguments, **settings)
    return str(caught.value)


def test_usable_lines_are_kept_and_the_others_counted(tmp_path):
    read = corpus(tmp_path, "\ufeff  satu dua \r\n\r\n \t\n---\n!?\nनमस्ते\n7\n")
    assert read.lines == ["satu dua", "नमस्ते", "7"]
    assert read.skipped == {"empty": 2, "without letters": 2}
    assert read.sources == (("a.txt", 3),)


def test_the_fingerprint_is_that_of_the_lines_alone(tmp_path):
    plain = corpus(tmp_path, "satu\ndua\n")
    zipped = corpus(tmp_path, gzip.compress(b"\xef\xbb\xbfsatu\r\n\r\n dua"), "b.txt.gz")
    assert plain.fingerprint == zipped.fingerprint == hashlib.sha256(b"satu\ndua\n").hexdigest()
    assert fingerprint(["satu", "dua"]) != fingerprint(["satudua"]) != fingerprint(["dua", "satu"])


def test_several_files_and_folders_are_one_corpus(tmp_path):
    (tmp_path / "inner").mkdir()
    corpus(tmp_path / "inner", "tiga\n", "c.txt")
    corpus(tmp_path, "Text,id\ndua,1\n", "b.csv")
    corpus(tmp_path, "satu\n")
    assert read_corpus(tmp_path).sources == (("a.txt", 1), ("b.csv", 1), ("inner/c.txt", 1))
    assert read_corpus([tmp_path / "inner", tmp_path / "a.txt"]).lines == ["tiga", "satu"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", ' TEXT ,id\n"satu\ndua",1\n'),
        ("a.tsv", "id\tText\n1\tsatu dua\n"),
        ("a.jsonl", '{"id": 1, "text": "satu dua"}\n'),
        ("a.csv", "sentence\nsatu dua\n"),
        ("a.jsonl", '{"id": 1, "sentence": "satu dua"}\n'),
    ],
)
def test_the_text_column_is_found(tmp_path, name, content):
    assert corpus(tmp_path, content, name).lines == ["satu dua"]


def test_the_only_text_column_of_a_parquet_file_is_found(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2], "body": ["satu", None]}), tmp_path / "a.parquet")
    read = read_corpus(tmp_path / "a.parquet")
    assert (read.lines, read.skipped["empty"]) == (["satu"], 1)


def test_a_column_can_be_named(tmp_path):
    table = "text,body\nsatu,dua\n"
    assert corpus(tmp_path, table, "a.csv", column="Body").lines == ["dua"]
    assert "'review'. Its columns are: text, body" in refusal(tmp_path, table, "a.csv", column="review")


def test_a_table_of_several_columns_without_text_lists_them(tmp_path):
    assert "id, sentence" in refusal(tmp_path, "id,sentence\n1,satu\n", "a.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", ""), ("a.txt", " \n---\n"), ("a.csv", "text,label\n"), ("a.txt", b"\xef\xbb\xbf"), ("a.csv", "")],
)
def test_a_corpus_without_a_usable_line_is_refused(tmp_path, name, content):
    assert name in refusal(tmp_path, content, name)


def test_the_split_keeps_equal_lines_together_and_follows_the_seed():
    lines = [f"baris {number}" for number in range(200)] + ["Baris  3", "BARIS 4", "baris 5"]
    train, held_out = split(lines, 0.05, 42)
    assert sorted(train + held_out) == sorted(lines)
    assert len(held_out) == 10
    assert held_out != lines[:10]  # LT-SFT takes the head of the file
    assert not {line.casefold().replace("  ", " ") for line in train} & {line.casefold() for line in held_out}
    assert split(lines, 0.05, 42) == (train, held_out)
    assert split(lines, 0.05, 43) != (train, held_out)


def test_every_line_is_as_likely_to_be_held_out():
    lines = [f"baris {number}" for number in range(20)]
    counts = dict.fromkeys(lines, 0)
    for seed in range(1000):
        for line in split(lines, 0.25, seed)[1]:
            counts[line] += 1
    # Binomial(1000, 1/4): standard deviation 13.7; five of them.
    assert all(abs(count - 250) < 69 for count in counts.values())


def test_short_corpora_are_split_too():
    assert sorted(map(len, split(["a", "b"], 0.05, 1))) == [1, 1]
    assert split(["a", "A ", "b"], 0.05, 1) == (["a", "A "], ["b"])
    assert split(["a", "A "], 0.05, 1) == (["a", "A "], ["a", "A "])


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


@pytest.mark.data
def test_the_minangkabau_corpus_is_read_whole():
    read = read_corpus(Path(os.environ["DEFTX_DATA"]) / "corpora" / "min.txt.gz")
    assert len(read.lines) == 28_906  # as its README says
    assert sum(len(line.split()) for line in read.lines) == 1_270_592


def test_reading_ends_at_the_limit(tmp_path):
    read = corpus(tmp_path, "satu\n\ndua\ntiga\nempat\n", limit=2)
    assert (read.lines, read.skipped["empty"]) == (["satu", "dua"], 1)


def test_the_columns_of_a_table_are_listed_with_the_one_that_would_be_read(tmp_path):
    def columns(content, name="a.csv"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return columns_of(tmp_path / name)

    assert columns("id,Text\n1,a\n") == (("id", "Text"), "Text")
    assert columns("title,body\na,b\n") == (("title", "body"), None)
    assert columns('{"n": 1, "body": "a"}\n', "a.jsonl") == (("body", "n"), "body")
    assert columns("a\n", "a.txt") == ((), None)
