"""Files to tag: without these, words would be split again, or a file without tags could not be tagged."""

import json

import pytest
import tiny_tokens

from deftx.core.errors import TableError
from deftx.data.words_to_tag import has_words, read_to_tag


def write(tmp_path, content, name):
    (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / name


def test_words_are_read_from_every_format_that_has_them_and_need_no_tags(tmp_path):
    rows = tiny_tokens.rows()[:3]
    words = [tuple(row["tokens"]) for row in rows]
    untagged = [{"id": n, "tokens": row["tokens"]} for n, row in enumerate(rows)]
    files = [
        tiny_tokens.write_conllu(tmp_path / "a.conllu", rows),
        tiny_tokens.write_conll(tmp_path / "a.conll", rows),
        write(tmp_path, "\n\n".join("\n".join(row["tokens"]) for row in rows), "alone.conll"),
        tiny_tokens.write_jsonl(tmp_path / "a.jsonl", untagged),
    ]
    files.append(write(tmp_path, f"# 1\n{files[2].read_text()}", "comment.conll"))
    for file in files:
        found = read_to_tag(file)
        assert found.words == words, file.name
        assert found.rows.texts == list(map(" ".join, words))
        assert has_words(file)


def test_sentences_without_words_keep_their_place(tmp_path):
    rows = [{"tokens": []}, {"tokens": ["a ", "", "b"]}]
    found = read_to_tag(tiny_tokens.write_jsonl(tmp_path / "a.jsonl", rows))
    assert found.words == [("a", "b")]
    assert (found.rows.positions, found.rows.rows) == ([1], [[""], ["a b"]])
    named = tiny_tokens.write_jsonl(tmp_path / "b.jsonl", [{"own": ["a"]}])
    assert read_to_tag(named, columns={"tokens": "own"}).words == [("a",)]


def test_notes_on_a_file_of_words_are_returned(tmp_path):
    found = read_to_tag(write(tmp_path, json.dumps({"tokens": ["a", "b"]}), "a.jsonl.gz"))
    assert found.words == [("a", "b")]
    assert ["is not gzipped despite its name" in note for note in found.rows.notes] == [True]


def test_texts_are_texts(tmp_path):
    plain = write(tmp_path, "one two\n\nthree four\n", "a.txt")
    assert read_to_tag(plain).words is None
    assert not has_words(plain)
    both = write(tmp_path, json.dumps({"text": "a b", "tokens": ["a", "b"]}), "both.jsonl")
    assert has_words(both)
    assert read_to_tag(both, columns={"text": "text"}).rows.texts == ["a b"]
    assert read_to_tag(write(tmp_path, "text,words\na b,2\n", "a.csv")).rows.texts == ["a b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", "\n\n", "no text to classify"),
        ("a.jsonl", '{"tokens": ["a"]}\n{"tokens": "b"}', "contains no list"),
        ("a.jsonl", '{"tokens": []}', "no word to tag"),
        ("a.csv", "premise,hypothesis\na,b\n", "pairs of texts"),
    ],
)
def test_what_cannot_be_tagged_is_refused(tmp_path, name, content, message):
    with pytest.raises(TableError, match=message):
        read_to_tag(write(tmp_path, content, name))
