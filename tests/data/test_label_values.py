"""Without these, one class could be trained as two, or rows without a label as a class."""

import pytest

from deftx.core.errors import TableError
from deftx.data.label_values import doubtful_labels, join_spellings, known_spellings, missing_labels
from deftx.data.labels import drop_unknown_labels
from deftx.data.table_rows import label_names
from deftx.data.tables import check, read_table


def table_of(tmp_path, labels, name="a.csv"):
    path = tmp_path / name
    path.write_text("text,label\n" + "".join(f"text {row},{label}\n" for row, label in enumerate(labels)))
    return read_table(path)


def test_spellings_that_differ_in_case_are_one_class_and_it_is_said(tmp_path):
    table = table_of(tmp_path, ["good"] * 3 + ["Good"] * 2 + [" GOOD "] + ["bad"] * 4)
    assert label_names(table) == ["bad", "good"]
    assert any("'good' (3), 'Good' (2), 'GOOD' (1)" in note for note in table.notes)


@pytest.mark.parametrize("variant", ["ne\u0301gatif", "né\u200bgatif", "\u200enégatif", " négatif"])
def test_spellings_that_look_the_same_are_one_class(tmp_path, variant):
    assert label_names(table_of(tmp_path, ["négatif", variant, "positif"])) == ["négatif", "positif"]


def test_one_letter_keeps_its_case_and_it_is_asked_about():
    labels = ["a", "A", "b"]
    assert join_spellings(labels) == (labels, [])
    assert "A and a are read as different classes" in doubtful_labels(labels)[0]


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        (["good", "bad"] * 10 + ["-"], ["-"]),
        (["good", "bad"] * 10 + ["-"] * 2, []),  # as frequent as a class
        (["+", "0"] * 20 + ["-"], []),
        (["good", "bad", "null"], ["null"]),
        (["0", "1", "2", "-1"], ["-1"]),
        (["-1", "0", "1"], []),  # often negative, neutral and positive
        (["1", "-1"], []),
        (["none", "good"], []),  # nothing to learn would be left
        (["entailment", "neutral"] * 10 + ["N/A"], ["N/A"]),
    ],
)
def test_values_that_say_there_is_no_label(labels, missing):
    assert missing_labels(labels) == missing


def test_rows_without_a_gold_label_are_left_out_and_counted(tmp_path):
    table = table_of(tmp_path, ["yes", "no", "-", "yes", "-", *["no"] * 40])
    assert table.labels == ["yes", "no", "yes", *["no"] * 40]
    assert "2 rows with the label '-' for none left out (line 4, 6)" in table.notes[0]


@pytest.mark.parametrize("value", ["-1", "none"])
def test_what_may_be_a_class_or_no_label_is_asked_about(tmp_path, value):
    table = table_of(tmp_path, [value, "0", "1"] * 2)
    assert label_names(table) == sorted([value, "0", "1"])
    assert any(f'"{value}" is read as a class' in warning for warning in check(table).warnings)


def test_a_minus_beside_a_plus_is_not_asked_about():
    assert doubtful_labels(["-", "0", "+"]) == []


def test_a_test_file_is_read_with_the_spellings_of_the_task(tmp_path):
    table = drop_unknown_labels(table_of(tmp_path, ["Good", "BAD", "other"]), ["good", "bad"])
    assert table.labels == ["good", "bad"]
    assert known_spellings(["Good"], ["good", "GOOD"]) == {}  # not certain


def test_a_header_again_in_the_middle_is_left_out(tmp_path):
    path = tmp_path / "joined.csv"
    path.write_text("text,label\na b,x\ntext,label\nc d,y\n")
    table = read_table(path)
    assert (table.labels, table.dropped) == (["x", "y"], {"the header again": 1})


def test_a_file_without_a_header_is_read_by_the_numbers_of_its_columns(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text("".join(f"some text here {n}\t{'good' if n % 2 else 'bad'}\n" for n in range(8)))
    with pytest.raises(TableError, match=r"seems to have no header line.*--columns text=1 label=2"):
        read_table(path)
    assert len(read_table(path, columns={"text": "1", "label": "2"})) == 8
