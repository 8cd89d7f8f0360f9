"""Without these, a person's text could be lost, or mixed up between training and validation."""

import gzip
import hashlib
import os
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from deftx.core.errors import CorpusError
from deftx.data.text import columns_of, fingerprint, read_corpus, split


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


def test_a_line_break_that_is_written_as_an_entity_does_not_divide_a_line(tmp_path):
    assert corpus(tmp_path, "satu&#10;dua\n").lines == ["satu dua"]


def test_the_first_line_of_a_table_of_one_column_may_be_text_and_it_is_said(tmp_path):
    read = corpus(tmp_path, "satu dua tiga\nempat lima\n", "a.csv")
    assert read.lines == ["empat lima"]
    assert "a.csv: the first line, “satu dua tiga”, is read as the name of the column." in read.notes[0]
    assert corpus(tmp_path, "sentence\nempat lima\n", "a.csv").notes == ()
    assert corpus(tmp_path, '{"the text": "empat lima"}\n', "a.jsonl").notes == ()
