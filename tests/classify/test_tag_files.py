"""Files of tagged texts: without these, a mark could stand in another row, or a tag beside another word."""

import csv
import json

import pytest

from deftx.classify.tag_files import TaggedFile, check_format, write_tagged
from deftx.classify.tagger import Mark, TaggedText
from deftx.core.errors import TableError
from deftx.data.text import all_lines
from deftx.data.token_tables import read_tokens
from deftx.data.unlabelled import Rows
from deftx.data.words_to_tag import ToTag

DAY = TaggedText("=day  is", [(0, 1), (1, 4), (6, 8)], ["PUNCT", "NOUN", "AUX"], [0.5, 0.9, 0.8],
                 [Mark("PUNCT", 0, 1, "=", 0.5), Mark("NOUN", 1, 4, "day", 0.9), Mark("AUX", 6, 8, "is", 0.8)])  # fmt: skip
NOTHING = TaggedText("…", [], [], [], [])
FOUND = TaggedFile(
    ToTag(Rows(("text", "label"), [["", "a"], ["=day  is", "b"], ["…", "c"]], ["=day  is", "…"], [1, 2], pairs=False)),
    [DAY, NOTHING],
)


def test_a_table_repeats_a_row_for_each_mark_and_keeps_those_without(tmp_path):
    write_tagged(tmp_path / "out.csv", FOUND)
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["text", "label", "words", "label_", "start", "end", "probability"],
        ["", "a", "", "", "", "", ""],
        ["'=day  is", "b", "'=", "PUNCT", "0", "1", "0.500000"],
        ["'=day  is", "b", "day", "NOUN", "1", "4", "0.900000"],
        ["'=day  is", "b", "is", "AUX", "6", "8", "0.800000"],
        ["…", "c", "", "", "", "", ""],
    ]
    assert FOUND.counts == {"AUX": 1, "NOUN": 1, "PUNCT": 1}


def test_json_lines_have_the_words_and_the_row(tmp_path):
    write_tagged(tmp_path / "out.jsonl", FOUND)
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines())
    assert (first["row"], first["tokens"], first["tags"]) == (2, ["=", "day", "is"], ["PUNCT", "NOUN", "AUX"])
    assert first["marks"][1] == {"label": "NOUN", "start": 1, "end": 4, "text": "day", "probability": 0.9}
    assert (second["row"], second["tokens"], second["marks"]) == (3, [], [])


@pytest.mark.parametrize("ending", [".conll", ".conllu"])
def test_columns_are_read_as_they_were_written(tmp_path, ending):
    tabbed = TaggedText("a\tb c", [(0, 3), (4, 5)], ["NOUN", "AUX"], [1.0, 1.0], [])
    write_tagged(tmp_path / f"out{ending}", TaggedFile(FOUND.file, [DAY, tabbed]))
    found = read_tokens(tmp_path / f"out{ending}")
    assert found.sentences == [("=", "day", "is"), ("a b", "c")]
    assert found.tags == [("PUNCT", "NOUN", "AUX"), ("NOUN", "AUX")]


def test_conllu_says_where_no_space_is(tmp_path):
    write_tagged(tmp_path / "out.conllu", FOUND)
    lines = (tmp_path / "out.conllu").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[-1] for line in lines if "\t" in line] == ["SpaceAfter=No", "_", "SpaceAfter=No"]
    (tmp_path / "bare.conllu").write_text("\n".join(line for line in lines if "text =" not in line), encoding="utf-8")
    assert list(all_lines(tmp_path / "bare.conllu")) == ["=day is"]


def test_a_format_without_a_place_for_the_tags_is_refused(tmp_path):
    check_format("a.conllu", entities=False)
    check_format("a.conll", entities=True)
    with pytest.raises(TableError, match="none for names"):
        check_format("a.conllu", entities=True)
    with pytest.raises(TableError, match=r"must end in \.csv, \.jsonl, \.conll or \.conllu"):
        write_tagged(tmp_path / "out.xlsx", FOUND)
    with pytest.raises(TableError, match="cannot be written"):
        write_tagged(tmp_path / "none" / "out.conll", FOUND)
