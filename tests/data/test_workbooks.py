"""Without these, rows of a workbook are lost without a word, or a small one fills the memory."""

import datetime
import io
import zipfile

import pytest
from office_files import ods, xlsx

from deftx.core.errors import TableError
from deftx.data import workbooks
from deftx.data.reading import find_file
from deftx.data.table_formats import open_records
from deftx.data.tables import read_table

ROWS = [["text", "label"], ['satu, "dua"', "good"], ["tiga\tempat", "bad"]]
EMPTY_ROWS = '<table:table-row table:number-rows-repeated="{rows}"><table:table-cell table:number-columns-repeated="{cells}"/></table:table-row>'


def records(path, content):
    path.write_bytes(content)
    opened = open_records(find_file(path, TableError), TableError)
    return opened, list(opened.rows(opened.columns))


def refusal(path, content):
    with pytest.raises(TableError) as caught:
        records(path, content)
    return str(caught.value)


@pytest.mark.parametrize(("ending", "make"), [("xlsx", xlsx), ("ods", ods), ("xlsm", xlsx)])
def test_both_kinds_of_workbook_read_as_the_same_table(tmp_path, ending, make):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(make({"Data": ROWS}))
    table = read_table(path)
    assert table.texts == ['satu, "dua"', "tiga\tempat"]
    assert table.labels == ["good", "bad"]
    assert table.notes == ()


def test_cells_are_what_a_spreadsheet_shows(tmp_path):
    rows = [["text", "label"], [1.0, True], [2.5, datetime.date(2024, 2, 29)], ["=1+1", None], [None, "x"]]
    (tmp_path / "a.xlsx").write_bytes(xlsx({"S": rows}))
    opened = open_records(find_file(tmp_path / "a.xlsx", TableError), TableError)
    cells = [texts for _, texts in opened.texts(opened.columns, TableError)]
    assert cells == [["1", "true"], ["2.5", "2024-02-29"], ["", "x"]]  # a formula that was never computed


@pytest.mark.parametrize("make", [xlsx, ods])
def test_empty_rows_and_columns_round_the_table_are_passed_over(tmp_path, make):
    rows = [[""], *ROWS, [""], ["lima", "good", "", ""]]
    opened, found = records(tmp_path / "a.ods", make({"S": rows}))
    assert opened.columns == ("text", "label")
    assert [(number, cells[0]) for number, cells in found] == [(3, 'satu, "dua"'), (4, "tiga\tempat"), (6, "lima")]
    assert opened.unit == "row"


@pytest.mark.parametrize("make", [xlsx, ods])
def test_sheets_with_the_same_header_are_one_table_and_others_are_named(tmp_path, make):
    sheets = {"A": ROWS, "B": [ROWS[0], ["lima", "good"]], "C": [["x"], ["y"]], "D": [ROWS[0], ["enam", "bad"]]}
    (tmp_path / "a.ods").write_bytes(make(sheets))
    table = read_table(tmp_path / "a.ods")
    assert table.texts[-2:] == ["lima", "enam"]
    assert len(table) == 4
    assert any("the sheet C is left out" in note for note in table.notes)


@pytest.mark.parametrize("make", [xlsx, ods])
def test_a_hidden_sheet_is_left_out_and_named(tmp_path, make):
    sheets = {"Old": ROWS, "New": [ROWS[0], ["lima", "good"]], "Other": ROWS}
    (tmp_path / "a.xlsx").write_bytes(make(sheets, hidden=["Old", "Other"]))
    table = read_table(tmp_path / "a.xlsx")
    assert table.texts == ["lima"]
    assert [note for note in table.notes if "hidden" in note] == [
        f"a.xlsx: the hidden sheet {name} is left out." for name in ("Old", "Other")
    ]


def test_cells_of_open_document_have_their_stored_values(tmp_path):
    cells = (
        ("office:value-type", "percentage", 'office:value="0.5"', "50,0 %"),
        ("office:value-type", "date", 'office:date-value="2024-02-29"', "29.02.24"),
        ("office:value-type", "date", 'office:date-value="2024-02-29T12:30:00"', "29.02.24 12:30"),
        ("office:value-type", "boolean", 'office:boolean-value="true"', "WAHR"),
        ("office:value-type", "string", "", "ya"),
    )
    row = "".join(
        f'<table:table-cell {name}="{kind}" {stored}><text:p>{shown}</text:p></table:table-cell>'
        for name, kind, stored, shown in cells
    )
    _, found = records(tmp_path / "a.ods", ods({"S": [list("abcde"), f"<table:table-row>{row}</table:table-row>"]}))
    assert found == [(2, ["0.5", "2024-02-29", "2024-02-29 12:30:00", "true", "ya"])]


@pytest.mark.parametrize("make", [xlsx, ods])
def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path, make):
    assert "sheet S, row 2: 3 cells under a header of 2" in refusal(
        tmp_path / "a.ods", make({"S": [ROWS[0], ["satu", "good", "lebih"]]})
    )


@pytest.mark.parametrize("make", [xlsx, ods])
def test_a_workbook_without_a_cell_is_refused(tmp_path, make):
    assert "is empty" in refusal(tmp_path / "a.ods", make({"S": []}))


def test_what_a_spreadsheet_repeats_is_repeated(tmp_path):
    row = '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="2"><text:p>ya</text:p></table:table-cell></table:table-row>'
    _, found = records(tmp_path / "a.ods", ods({"S": [ROWS[0], row, EMPTY_ROWS.format(rows=1_048_000, cells=16_384)]}))
    assert found == [(2, ["ya", "ya"]), (3, ["ya", "ya"]), (4, ["ya", "ya"])]


@pytest.mark.parametrize(
    "row",
    [
        '<table:table-row><table:table-cell table:number-columns-repeated="99999999"><text:p>ya</text:p></table:table-cell></table:table-row>',
        '<table:table-row><table:table-cell table:number-columns-repeated="99999999"/><table:table-cell><text:p>ya</text:p></table:table-cell></table:table-row>',
    ],
)
def test_a_row_of_endless_columns_is_refused(tmp_path, row):
    assert "more than 1,000 columns" in refusal(tmp_path / "a.ods", ods({"S": [row]}))


def test_endless_rows_are_refused(tmp_path, monkeypatch):
    row = '<table:table-row table:number-rows-repeated="99999999"><table:table-cell><text:p>ya</text:p></table:table-cell></table:table-row>'
    assert "repeats its rows more than 65,536 times" in refusal(tmp_path / "a.ods", ods({"S": [row]}))
    monkeypatch.setattr(workbooks, "MOST_ROWS", 2)
    assert "more than can be read" in refusal(tmp_path / "b.ods", ods({"S": [["text"], ["satu"], ["dua"]]}))


def test_what_cannot_be_computed_is_empty(tmp_path):
    rows = [["text", "label"], ["satu", "good"], ["#N/A", "bad"], ["dua", "#REF!"], ["tiga #N/A", "bad"]]
    rows += [["#FIELD!", "bad"], ["Err:502", "bad"]]
    for make in (xlsx, ods):
        (tmp_path / "a.xlsx").write_bytes(make({"S": rows}))
        table = read_table(tmp_path / "a.xlsx")
        assert (table.texts, sum(table.dropped.values())) == (["satu", "tiga #N/A"], 4)


def test_a_workbook_without_a_header_is_read_by_the_numbers_of_its_columns(tmp_path):
    rows = [[f"some text here {n}", "good" if n % 2 else "bad"] for n in range(8)]
    for make in (xlsx, ods):
        (tmp_path / "a.xlsx").write_bytes(make({"S": rows}))
        with pytest.raises(TableError, match=r"seems to have no header line.*--columns text=1 label=2"):
            read_table(tmp_path / "a.xlsx")
        assert len(read_table(tmp_path / "a.xlsx", columns={"text": "1", "label": "2"})) == 8
        (tmp_path / "a.xlsx").write_bytes(make({"S": rows, "Notes": [["by hand"]], "T": rows}))
        table = read_table(tmp_path / "a.xlsx", columns={"text": "1", "label": "2"})
        assert len(table) == 16
        assert table.notes[-1] == "a.xlsx: the sheet Notes is left out: its columns differ from those of S."


def with_sheet(sheet):
    """A workbook whose sheet is this XML."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx({"S": ROWS}))) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return made.getvalue()


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData>{}</sheetData></worksheet>'


def test_a_cell_in_the_last_corner_of_a_sheet_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_ROWS", 1_000)
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>jauh</t></is></c></row>'
    assert "more than 1,000 rows" in refusal(tmp_path / "a.xlsx", with_sheet(SHEET.format(far)))


def test_rows_of_one_far_cell_each_are_refused(tmp_path, monkeypatch):
    far = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>{2}</t></is></c></row>'
    rows = "".join(far.format(number, "ZZZ", "") for number in range(2, 9))
    head = far.format(1, "A", "text")
    assert records(tmp_path / "a.xlsx", with_sheet(SHEET.format(head + rows)))[1] == []
    assert "1,000 columns" in refusal(tmp_path / "b.xlsx", with_sheet(SHEET.format(head + far.format(2, "ZZZ", "x"))))
    monkeypatch.setattr(workbooks, "MOST_CELLS", 50_000)
    assert "50,000 cells" in refusal(tmp_path / "c.xlsx", with_sheet(SHEET.format(head + rows)))


@pytest.mark.parametrize("declared", ['<!DOCTYPE x [<!ENTITY a "haha">]>', '<!DOCTYPE x SYSTEM "http://127.0.0.1/x">'])
def test_entities_in_a_workbook_are_refused(tmp_path, declared):
    assert "declares XML entities" in refusal(tmp_path / "a.xlsx", with_sheet(declared + SHEET.format("")))
    assert "declares XML entities" in refusal(
        tmp_path / "a.xlsx", with_sheet((declared + SHEET.format("")).encode("utf-16"))
    )


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    assert "unpacks to more than" in refusal(tmp_path / "a.xlsx", with_sheet(SHEET.format(" " * 2**24)))


def test_a_damaged_workbook_is_refused(tmp_path):
    assert "cannot be read as a workbook" in refusal(tmp_path / "a.xlsx", with_sheet("<worksheet"))


def test_what_excel_escapes_is_the_character(tmp_path):
    cells = ("Enak_x000D_\nsekali", "a_x0007_b_xD83D_", "nasi_x0020__x0026_ ikan", "_x005F_x000D_", "snake_case_x")
    rows = "".join(f'<row><c t="inlineStr"><is><t>{cell}</t></is></c></row>' for cell in ("text", *cells))
    content = with_sheet(SHEET.format(rows))
    (tmp_path / "a.xlsx").write_bytes(content)
    opened = open_records(find_file(tmp_path / "a.xlsx", TableError), TableError)
    texts = [text for _, (text,) in opened.texts(opened.columns, TableError)]
    assert texts == ["Enak sekali", "ab", "nasi & ikan", "_x000D_", "snake_case_x"]
