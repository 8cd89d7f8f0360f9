"""Without these, answers could be written beside the wrong rows, or over a column that a person had."""

import csv
from datetime import date

import pyarrow
import pyarrow.parquet
import pytest
import torch
from office_files import ods

from deftx.core.errors import TableError
from deftx.data.unlabelled import answer_columns, disarm, least_certain, prepare_output, read_texts, write_rows


def write(tmp_path, content, name="a.csv"):
    (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / name


def written(path, encoding="utf-8-sig"):
    with open(path, encoding=encoding, newline="") as stream:
        return list(csv.reader(stream))


def test_answers_stand_beside_their_rows_and_rows_without_text_get_none(tmp_path):
    rows = read_texts(write(tmp_path, 'id,text\n1,"satu, dua"\n2,\n3,नमस्ते\n'))
    assert (rows.texts, rows.positions, rows.pairs) == (["satu, dua", "नमस्ते"], [0, 2], False)
    write_rows(tmp_path / "out.csv", rows, {"label": ["x", "y"], "probability": [0.5, 1.0]})
    assert written(tmp_path / "out.csv") == [
        ["id", "text", "label", "probability"],
        ["1", "satu, dua", "x", "0.5"],
        ["2", "", "", ""],
        ["3", "नमस्ते", "y", "1.0"],
    ]


def test_a_column_that_is_there_already_is_not_written_over(tmp_path):
    rows = read_texts(write(tmp_path, "text,label,label_\na,gold,x\n"))
    write_rows(tmp_path / "out.csv", rows, {"label": ["mine"]})
    assert written(tmp_path / "out.csv")[0] == ["text", "label", "label_", "label__"]
    assert written(tmp_path / "out.csv")[1] == ["a", "gold", "x", "mine"]


def test_pairs_plain_text_and_mapped_columns_are_read(tmp_path):
    pairs = read_texts(write(tmp_path, '{"premise": "p", "hypothesis": "h", "n": [1]}\n', "a.jsonl"))
    assert (pairs.texts, pairs.pairs, pairs.rows) == ([("p", "h")], True, [["p", "h", "[1]"]])
    plain = read_texts(write(tmp_path, "satu\n\ndua\n", "a.txt"))
    assert (plain.texts, plain.positions, plain.columns) == (["satu", "dua"], [0, 2], ("text",))
    mapped = read_texts(write(tmp_path, "review\nsatu\n"), columns={"text": "review"})
    assert mapped.texts == ["satu"]


@pytest.mark.parametrize(("name", "content"), [("a.csv", "text\n"), ("a.txt", "\n \n"), ("a.csv", "body\nsatu\n")])
def test_a_file_without_text_is_refused(tmp_path, name, content):
    with pytest.raises(TableError, match=name):
        read_texts(write(tmp_path, content, name))


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    rows = read_texts(write(tmp_path, "text\nsatu\n"))
    with pytest.raises(TableError, match="cannot be written"):
        write_rows(tmp_path / "none" / "out.csv", rows, {})


def test_the_answer_is_the_most_probable_label_and_every_probability():
    found = answer_columns(["bad", "good"], torch.tensor([[0.25, 0.75], [2 / 3, 1 / 3]]))
    assert found == {
        "label": ["good", "bad"],
        "probability_bad": ["0.250000", "0.666667"],
        "probability_good": ["0.750000", "0.333333"],
    }


def test_the_least_certain_come_first_and_equals_in_order():
    probabilities = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.6, 0.4]])
    assert least_certain(probabilities, 3) == [2, 1, 3]


@pytest.mark.parametrize("formula", ["=1+1", "+A1", "-A1", "@SUM(A1)", "=HYPERLINK(A1)", "＝1+1", "-１"])
def test_what_a_spreadsheet_would_compute_is_disarmed_for_it_alone(tmp_path, formula):
    rows = read_texts(write(tmp_path, f'=name,text\n"{formula}",-1.5\nplain,"{formula}"\n'))
    harmless, changed = disarm(rows)
    assert changed == 2
    assert harmless.columns == ("'=name", "text")
    assert harmless.rows == [[f"'{formula}", "-1.5"], ["plain", f"'{formula}"]]
    assert harmless.texts == rows.texts == ["-1.5", formula]  # what was classified
    write_rows(tmp_path / "as-it-is.csv", rows, {}, as_they_are=True)
    assert written(tmp_path / "as-it-is.csv")[1][0] == formula


def test_no_cell_that_is_written_is_a_formula_be_it_a_label_or_the_name_of_a_column(tmp_path):
    """The labels come from whoever made the task vector."""
    rows = read_texts(write(tmp_path, "text,-2\n-good,-1e3\n"))
    write_rows(tmp_path / "out.csv", rows, {"=label": ["=HYPERLINK(A1)"], "probability": [-0.5]})
    assert written(tmp_path / "out.csv") == [
        ["text", "-2", "'=label", "probability"],
        ["'-good", "-1e3", "'=HYPERLINK(A1)", "-0.5"],
    ]


def test_cells_are_written_unchanged_where_that_is_asked_for(tmp_path):
    rows = read_texts(write(tmp_path, 'id,text\n007,"satu\ndua"\n08,  tiga  \n'))
    assert rows.texts == ["satu dua", "tiga"]
    write_rows(tmp_path / "out.csv", rows, {"label": ["x", "y"]}, as_they_are=True)
    assert written(tmp_path / "out.csv", "utf-8") == [
        ["id", "text", "label"],
        ["007", "satu\ndua", "x"],
        ["08", "  tiga  ", "y"],
    ]


def test_a_place_that_cannot_be_written_is_refused_before_the_work_and_a_folder_is_made(tmp_path):
    prepare_output(tmp_path / "new" / "folder" / "out.csv")
    assert (tmp_path / "new" / "folder").is_dir()
    assert not (tmp_path / "new" / "folder" / "out.csv").exists()
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file" / "out.csv", tmp_path / "new"):
        with pytest.raises(TableError, match="Nothing was computed"):
            prepare_output(place)


@pytest.mark.parametrize("make", [lambda rows: "\n".join(map(",".join, rows)).encode(), lambda rows: ods({"S": rows})])
def test_columns_of_one_name_keep_their_own_cells(tmp_path, make):
    (tmp_path / "a.csv").write_bytes(make([["text", "", "n", "", "n"], ["hello there", *"ABCD"]]))
    rows = read_texts(tmp_path / "a.csv")
    assert (rows.columns, rows.rows) == (("text", "", "n", "", "n"), [["hello there", *"ABCD"]])


def test_columns_of_pictures_are_left_out_with_a_note(tmp_path):
    table = pyarrow.table({"image": [b"\x89PNG", b"\xff"], "text": ["satu", "dua"], "day": [date(2024, 2, 29), None]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    rows = read_texts(tmp_path / "a.parquet")
    assert (rows.columns, rows.rows) == (("text", "day"), [["satu", "2024-02-29"], ["dua", ""]])
    assert rows.notes == ("a.parquet: bytes that are not text are left out (column image).",)
    with pytest.raises(TableError, match="'image' holds bytes that are not UTF-8 text"):
        read_texts(tmp_path / "a.parquet", columns={"text": "image"})
