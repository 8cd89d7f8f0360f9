"""Tables of words and tags: every format, what is repaired, and what is refused."""

import json
import os
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import tiny_tokens
from hypothesis import given, settings
from hypothesis import strategies as st

from deftx.core.errors import TableError
from deftx.data.table_rows import Table
from deftx.data.tables import read_table
from deftx.data.text import all_lines
from deftx.data.token_rows import TokenTable, check_tokens, hold_out_sentences, join_token_tables, tag_names
from deftx.data.token_tables import is_token_table, read_labelled, read_tokens

ROWS = tiny_tokens.rows(tiny_tokens.PARTS)


def parquet(path, rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


WRITERS = {
    "a.jsonl": tiny_tokens.write_jsonl,
    "a.conllu": tiny_tokens.write_conllu,
    "a.conll": tiny_tokens.write_conll,
    "a.txt": tiny_tokens.write_conll,
    "a.parquet": parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows_and_is_recognised(tmp_path, name):
    file = WRITERS[name](tmp_path / name, ROWS)
    assert is_token_table(file)
    found = read_labelled(file)
    assert isinstance(found, TokenTable)
    assert [list(words) for words in found.sentences] == [row["tokens"] for row in ROWS]
    assert [list(tags) for tags in found.tags] == [row["tags"] for row in ROWS]
    assert not found.entities
    assert found.repaired == 0
    assert found.notes == ()


def write(tmp_path, rows, name="a.jsonl"):
    return tiny_tokens.write_jsonl(tmp_path / name, rows)


def test_the_usual_names_of_columns_and_given_ones(tmp_path):
    one = {"tokens": ["a", "b"], "ner_tags": ["O", "B-A"], "pos": ["X", "Y"]}
    file = write(tmp_path, [one])
    assert read_labelled(file).tags == [("O", "B-A")]
    assert read_labelled(file, columns={"tags": "pos"}).tags == [("X", "Y")]
    with pytest.raises(TableError, match="no column 'tags'"):
        read_tokens(file, columns={"tags": "none"})
    with pytest.raises(TableError, match="Did you mean 'tags'"):
        read_tokens(file, columns={"tag": "pos"})


def test_tags_that_are_not_in_bio_are_repaired_and_counted(tmp_path):
    found = read_tokens(write(tmp_path, [{"tokens": list("abcd"), "tags": ["I-A", "I-A", "O", "S-B"]}]))
    assert found.tags == [("B-A", "I-A", "O", "B-B")]
    assert found.repaired == 2
    assert found.entities
    assert "2 tags are not in BIO" in found.notes[0]


def test_other_spellings_of_bio_are_repaired_and_counted(tmp_path):
    found = read_tokens(write(tmp_path, [{"tokens": list("abcde"), "tags": ["b-A", "I_A", "0", "B-A", "o"]}]))
    assert found.tags == [("B-A", "I-A", "O", "B-A", "O")]
    assert found.repaired == 4
    assert "4 tags are not in BIO" in found.notes[0]


def test_stray_tags_among_those_of_entities_are_refused_with_their_places(tmp_path):
    file = tmp_path / "a.conll"
    file.write_text("a B-A\nb I-A\n\nc PER\n\nd PER\n\ne O\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"not in BIO: 'PER' \(in the sentence at line 4\)\. Each must be O"):
        read_tokens(file)
    with pytest.raises(TableError, match=r"'B' \(in the sentence at line 1\), 'I' \(in the sentence at line 2\)\."):
        read_tokens(write(tmp_path, [{"tokens": ["a", "b"], "tags": ["B", "O"]}, {"tokens": ["c"], "tags": ["I"]}]))


def test_what_is_left_out_is_counted(tmp_path):
    rows = [{"tokens": [], "tags": []}, {"tokens": ["a"], "tags": ["_"]}, {"tokens": ["a", "b"], "tags": ["X", "Y"]}]
    found = read_tokens(write(tmp_path, rows))
    assert len(found) == 1
    assert found.dropped == {"no words": 1, "a word without a tag": 1}
    assert "1 sentence with no words left out (line 1)" in found.notes[0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a", "b"], "tags": ["X"]}, "2 words, but 1 tags"),
        ({"tokens": ["a"], "tags": [3]}, "numbers"),
        ({"tokens": "a b", "tags": ["X"]}, "contains no list"),
        ({"tokens": [], "tags": []}, "no usable sentence"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, row, message):
    with pytest.raises(TableError, match=message):
        read_tokens(write(tmp_path, [row]))


def test_conll_lines_that_are_damaged(tmp_path):
    file = tmp_path / "a.conll"
    file.write_text("-DOCSTART- -X- O\n\na X\nb\n", encoding="utf-8")
    with pytest.raises(TableError, match=r"line 4: a word without a tag"):
        read_tokens(file)
    file = tmp_path / "a.conllu"
    row = "\t".join(("1", "a", "a", "X", *"_" * 6))
    file.write_text(f"{row}\nb\tX\n", encoding="utf-8")
    with pytest.raises(TableError, match="line 2: 2 columns"):
        read_tokens(file)


def test_blanks_before_a_word_of_conll_are_no_column(tmp_path):
    file = tmp_path / "a.conll"
    file.write_text(" a O\n\tb B-A\n\t c\tI-A\n", encoding="utf-8")
    found = read_tokens(file)
    assert (found.sentences, found.tags) == ([("a", "b", "c")], [("O", "B-A", "I-A")])


@pytest.mark.parametrize(
    ("text", "sentences", "tags"),
    [
        ("# id = 1\n# O\n# newpar\n# newdoc id\na O\n#b B-A\n", [("#", "a", "#b")], [("O", "O", "B-A")]),
        ("# a comment\n# # B-NP O\na NN B-NP B-A\n", [("#", "a")], [("O", "B-A")]),
        ("#begin document (a); part 0\n\na\tO\n#\tO\n# text = a\n", [("a", "#")], [("O", "O")]),
        ("\xa0\tO\nb\tB-A\n", [("", "b")], [("O", "B-A")]),
        ("a\tO\t\nb\tB-A\t\n", [("a", "b")], [("O", "B-A")]),
        ("a\tO\nb\tB-A\t\n", [("a", "b")], [("O", "B-A")]),
        ("a\tX\tO\n\nb\tX\tO\n\nc\tX\t\n", [("a",), ("b",)], [("O",), ("O",)]),
    ],
)
def test_comments_and_empty_cells_of_conll(tmp_path, text, sentences, tags):
    file = tmp_path / "a.conll"
    file.write_text(text, encoding="utf-8")
    found = read_tokens(file)
    assert (found.sentences, found.tags) == (sentences, tags)


def test_the_text_of_conllu_is_written_as_its_author_did(tmp_path):
    def row(number, form, misc="_"):
        return "\t".join((number, form, form, "X", *"_" * 5, misc))

    words = [row("1-2", "Rumahnya", "SpaceAfter=No"), row("1", "Rumah"), row("2", "nya"), row("3", ",", "A=B|SpaceAfter=No"),
             row("3.1", "unseen"), row("4", "kan"), row("5", "?")]  # fmt: skip
    file = tmp_path / "a.conllu"
    file.write_text("\n".join([*words, "", "# text = Rumahnya,  kan?", *words, ""]), encoding="utf-8")
    assert list(all_lines(file)) == ["Rumahnya,kan ?", "Rumahnya,  kan?"]
    assert read_tokens(file).sentences[0] == ("Rumah", "nya", ",", "kan", "?")


def test_four_columns_of_conll_2003(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n", encoding="utf-8"
    )
    assert read_labelled(file).tags == [("B-ORG", "O"), ("B-PER",)]


def test_sentences_are_still_sentences(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text,label\na b,x\nc d,y\n", encoding="utf-8")
    assert isinstance(read_labelled(file), Table)
    assert not is_token_table(file)
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    assert isinstance(read_labelled(write(tmp_path, rows)), Table)
    plain = tmp_path / "plain.txt"
    plain.write_text("one line of text\n\nanother line\n", encoding="utf-8")
    with pytest.raises(TableError, match="without columns"):
        read_labelled(plain)
    with pytest.raises(TableError, match="Did you mean 'tokens'"):
        read_labelled(file, kind="token")


@pytest.mark.parametrize("rows", ["enak\tpos\nburuk\tneg\n\n", "enak\tpos\n\nburuk\tneg\n"])
def test_single_words_with_labels_below_a_header_are_sentences(tmp_path, rows):
    file = tmp_path / "a.tsv"
    file.write_text(f"text\tlabel\n{rows}", encoding="utf-8")
    found = read_labelled(file)
    assert isinstance(found, Table)
    assert found.texts == ["enak", "buruk"]
    file.write_text("enak\tpos\nburuk\tneg\n\n", encoding="utf-8")
    assert not is_token_table(file)  # the empty line is between no sentences


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "tokens,tags\n\"['a','b']\",\"['O','O']\"\n"),
        ("a.tsv", "tokens\ttags\n['a', 'b']\t['O', 'O']\n"),
        ("a.tsv", "text\ttokens\ttags\na b\t['a', 'b']\t['O', 'O']\n"),
    ],
)
def test_lists_that_are_written_as_text_are_refused_with_the_remedy(tmp_path, name, content):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    for kind in (None, "tokens"):
        with pytest.raises(TableError, match=r"line 2: column 'tokens' contains no list.*as JSON lines"):
            read_labelled(file, kind=kind)


def test_a_table_with_the_columns_of_conll_is_no_conll(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("text\ttokens\ttags\na b\ta b\tx y\n", encoding="utf-8")
    assert not is_token_table(file)


@pytest.mark.parametrize("name", ["a.txt", "a.tsv"])
@pytest.mark.parametrize(
    "content",
    [
        "2020\tDATE\nBudi\tPER\n\nAni\tPER\npergi\tO\n",  # a tag with the name of a column
        "2020\tdate\nBudi\tper\n\n2021\tdate\n",
        "Budi\tB-PER\npergi\tO\n\n",  # one sentence
        "Budi\tB-PER\n" + "pergi\tO\n" * 300 + "\nAni\tS-PER\n",  # a sentence longer than what is looked at
    ],
)
def test_words_with_tags_are_recognised_by_their_tags(tmp_path, name, content):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert isinstance(read_labelled(file), TokenTable)


@pytest.mark.parametrize("header", ["TEXT\tLABEL", "kata\tlabel"])
def test_a_header_in_any_letters_is_one(tmp_path, header):
    file = tmp_path / "a.tsv"
    file.write_text(f"{header}\nenak\tpos\n\nburuk\tneg\n", encoding="utf-8")
    assert not is_token_table(file)


def test_a_reader_of_sentences_refuses_words(tmp_path):
    with pytest.raises(TableError, match="words with tags"):
        read_table(write(tmp_path, ROWS))
    with pytest.raises(TableError, match="words with tags"):
        read_table(tiny_tokens.write_conllu(tmp_path / "a.conllu", ROWS))


def test_invisible_characters_do_not_lose_a_word(tmp_path):
    found = read_tokens(write(tmp_path, [{"tokens": ["a\u200e", "\u200e", "b"], "tags": ["X", "Y", "Z"]}]))
    assert found.sentences == [("a", "\u200e", "b")]
    assert "invisible characters in 2 words" in found.notes[0]


def test_held_out_sentences_are_no_others(tmp_path):
    table = read_tokens(write(tmp_path, [*ROWS, *ROWS]))
    train, valid = hold_out_sentences(table, 0.1, 1)
    assert len(train) + len(valid) == len(table)
    assert 10 <= len(valid) <= 20
    assert not set(train.sentences) & set(valid.sentences)
    assert valid.name.endswith("(held out)")
    with pytest.raises(TableError, match="too few sentences"):
        hold_out_sentences(table.keep([0]), 0.1, 1)


def test_no_tag_is_held_out_as_a_whole(tmp_path):
    plain = [{"tokens": ["word", str(number)], "tags": ["O", "O"]} for number in range(20)]
    table = read_tokens(write(tmp_path, [*plain, {"tokens": ["in", "Padang"], "tags": ["O", "B-LOC"]}]))
    for seed in range(60):
        train, valid = hold_out_sentences(table, 0.1, seed)
        assert tag_names(train) == tag_names(table)
        assert len(valid)


def test_findings(tmp_path):
    table = read_tokens(write(tmp_path, ROWS))
    other = read_tokens(write(tmp_path, [{"tokens": ["a"], "tags": ["NEW"]}, ROWS[0]], "b.jsonl"))
    found = check_tokens(table, other)
    assert found["tags"] == {"ADJ": 96, "AUX": 96, "DET": 96, "NOUN": 96}
    assert found["shared"] == 1
    assert any(
        "tags that a.jsonl lacks (NEW): their 1 words count as wrong" in warning for warning in found["warnings"]
    )
    entities = read_tokens(write(tmp_path, tiny_tokens.rows(), "c.jsonl"))
    with pytest.raises(TableError, match=r"mark a class of each word, but those of c\.jsonl entities"):
        check_tokens(table, entities)
    with pytest.raises(TableError, match="nothing to learn"):
        check_tokens(read_tokens(write(tmp_path, [{"tokens": ["a", "b"], "tags": ["X", "X"]}], "d.jsonl")))
    joined = join_token_tables([table, other])
    assert len(joined) == 98
    assert tag_names(joined) == ["ADJ", "AUX", "DET", "NEW", "NOUN"]


@pytest.mark.data
def test_the_published_files_are_read_word_for_word():
    data = Path(os.environ["DEFTX_DATA"])
    words = {"jv_csui-ud-test": (1000, 14343), "id_gsd-ud-test": (557, 11756), "azz_itml-ud-test": (1260, 10088)}
    for name, counts in words.items():
        found = read_labelled(data / "ud" / f"{name}.conllu.gz")
        assert (len(found), sum(map(len, found.sentences))) == counts
        assert not found.entities
        assert set(tag_names(found)) <= {
            "ADJ",
            "ADP",
            "ADV",
            "AUX",
            "CCONJ",
            "DET",
            "INTJ",
            "NOUN",
            "NUM",
            "PART",
            "PRON",
            "PROPN",
            "PUNCT",
            "SCONJ",
            "SYM",
            "VERB",
            "X",
        }
    found = read_labelled(data / "masakhaner2" / "zul" / "test.jsonl.gz")
    assert found.entities
    assert found.repaired == 3
    assert len(found) == 1670
    assert {tag[2:] for tag in tag_names(found)} == {"", "PER", "ORG", "LOC", "DATE"}


def test_a_data_set_of_hugging_face(tmp_path):
    from datasets import ClassLabel, Dataset, Sequence

    whole = Dataset.from_list(ROWS)
    numbered = whole.cast_column("tags", Sequence(ClassLabel(names=["ADJ", "AUX", "DET", "NOUN"])))
    assert numbered[0]["tags"][0] == 2
    assert read_labelled(numbered).tags == read_labelled(whole).tags
    numbered.to_parquet(tmp_path / "a.parquet")
    assert read_labelled(tmp_path / "a.parquet").tags == read_labelled(whole).tags
    found = read_labelled(whole)
    assert isinstance(found, TokenTable)
    assert len(found) == 96
    assert json.dumps(found.fingerprint) == json.dumps(read_tokens(write(tmp_path, ROWS)).fingerprint)


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": {"names": ["O", "B-A"], "_type": "ClassLabel"}, "_type": "Sequence"},
        [{"names": ["O", "B-A"], "_type": "ClassLabel"}],
        {"feature": [{"names": ["O", "B-A"], "_type": "ClassLabel"}], "_type": "LargeList"},
    ],
)
def test_class_names_of_a_list_in_parquet_of_older_versions(tmp_path, feature):
    table = pyarrow.Table.from_pylist([{"tokens": ["a", "b"], "ner_tags": [0, 1]}])
    metadata = {"huggingface": json.dumps({"info": {"features": {"ner_tags": feature}}})}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "a.parquet")
    assert read_tokens(tmp_path / "a.parquet").tags == [("O", "B-A")]


CELL = st.sampled_from(["1", "2-3", "1.1", "a", "NOUN", "B-X", "_", "", "#", "-DOCSTART-", "\u200e", "\t"])


@settings(max_examples=150)
@given(st.lists(st.lists(CELL, max_size=11).map("\t".join), max_size=8), st.sampled_from([".conllu", ".conll", ".txt"]))
def test_no_lines_are_more_than_refused(tmp_path_factory, lines, ending):
    file = tmp_path_factory.mktemp("lines") / f"a{ending}"
    file.write_text("\n".join(lines), encoding="utf-8")
    for read in (read_tokens, read_labelled):
        try:
            found = read(file)
        except TableError:
            continue
        assert all(len(words) == len(tags) > 0 for words, tags in zip(found.sentences, found.tags, strict=True))
