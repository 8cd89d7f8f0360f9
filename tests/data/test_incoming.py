"""Without these, a server would store a file that cannot be used, or other lines than the person's."""

import pytest
from office_files import xlsx

from deftx.core.errors import CorpusError, TableError
from deftx.core.plain import from_json, to_json
from deftx.data.cleaning import CLEANINGS, preview
from deftx.data.incoming import accept_table, accept_text, as_effects, clean_to, effects_of, first_cells, report
from deftx.data.reading import Amount


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("satu dua tiga\n\nSatu dua tiga\njudul\n", encoding="utf-8")
    return path


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("review,stars\nbagus,5\nburuk,1\nbaik,5\n", encoding="utf-8")
    return path


def test_several_files_are_checked_and_written_as_one_text(text, rows, tmp_path):
    copy = tmp_path / "copy"
    assert accept_text([text, rows], "review", None, copy) == (["a.txt", "t.csv"], [])
    assert copy.read_text(encoding="utf-8").splitlines() == [
        "satu dua tiga", "", "Satu dua tiga", "judul", "bagus", "buruk", "baik"
    ]  # fmt: skip
    with pytest.raises(CorpusError, match="too many lines"):
        accept_text([text, rows], "review", Amount(5, 10**6), None)


def test_how_several_files_were_read_is_told(text, tmp_path):
    (tmp_path / "b.xlsx").write_bytes(xlsx({"S": [["text"], ["ne\u0301gatif"]], "T": [["text"]]}, hidden=["T"]))
    names, notes = accept_text([text, tmp_path / "b.xlsx"], None, None, None)
    assert names == ["a.txt", "b.xlsx"]
    assert notes == [
        "b.xlsx: the hidden sheet T is left out.", "Normalised while reading: decomposed letters in 1 line.",
    ]  # fmt: skip


def test_the_columns_of_a_table_are_found(rows):
    columns = {"text": "review", "label": "stars"}
    assert accept_table(rows, columns, Amount(10, 1_000)) == columns
    assert first_cells(rows, ["stars", "review"], 2) == [["5", "bagus"], ["1", "buruk"]]
    with pytest.raises(TableError, match="no column 'text'"):
        accept_table(rows, None, None)
    with pytest.raises(TableError, match="too large"):
        accept_table(rows, columns, Amount(10, 10))


def test_effects_and_reports_are_the_same_after_a_journey(text, tmp_path):
    lines = ["satu dua tiga", "Satu dua tiga", "judul"]
    assert as_effects(from_json(to_json(effects_of(text, ["short"])))) == preview(lines, ["short"])
    assert len(effects_of(text, [])) == len(CLEANINGS)
    found = report(text, tmp_path / "languages", None)
    assert from_json(to_json(found)) == found


def test_a_cleaned_copy_is_written_unless_nothing_would_be_left(text, tmp_path):
    copy = tmp_path / "copy"
    clean_to(text, ["short", "repeated"], copy)
    assert copy.read_text(encoding="utf-8") == "satu dua tiga\n"
    text.write_text("judul\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="No line of this text would be left"):
        clean_to(text, ["short"], copy)
