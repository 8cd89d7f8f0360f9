"""Workbooks (.xlsx, .ods) as tables: the first sheet with content, and all later sheets with the same header."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any
from unicodedata import category

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.csv_shape import LINES_AHEAD, lacks_header
from deftx.data.open_table import NOT_COMPUTED, Records, as_text, places_of
from deftx.data.optional import optional_module
from deftx.data.unpacking import InputFile, opened_zip
from deftx.data.xml_parts import Parts, check_xml, read_xml
from deftx.data.zip_files import RefusedZip

MOST_ROWS = 2**20  # rows of a workbook: the limit of Excel and LibreOffice for a sheet
MOST_CHARACTERS = 2**28
MOST_COPIES = 2**16  # repetitions of rows that are stored once with a count
MOST_CELLS = 2**26  # including empty cells before the last cell of a row
_STORED = ("value", "date-value", "boolean-value")  # attributes of a cell of .ods with what it displays in other words
# How Excel writes a carriage return, and characters that XML cannot have.
_ESCAPED = re.compile(rb"_x([0-9A-Fa-f]{4})_")
_WITH_TEXTS = ("xl/sharedStrings", "xl/worksheets/")  # the parts with the texts of cells


@dataclass(frozen=True)
class Row:
    """A row of a sheet with content: its number from 1 and its cells, without empty ones at the end."""

    sheet: str
    number: int
    cells: Sequence[Any]


def open_workbook(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a workbook as a table. Raise ``error`` if it cannot be read or is too large."""
    rows = _bounded(_READERS[file.kind](file, error), file, error)
    first = next(rows, None)
    if first is None:
        raise error(f"{file.name} is empty: no visible sheet has a cell with content.")
    header = tuple(as_text(cell) for cell in first.cells)
    ahead = list(islice(rows, LINES_AHEAD))
    looked_at = [first, *(row for row in ahead if row.sheet == first.sheet)]
    headless = lacks_header([[as_text(cell) for cell in row.cells] for row in looked_at])
    columns = tuple(str(place) for place in range(1, len(header) + 1)) if headless else header
    named = replace(file, name=f"{file.name}, sheet {first.sheet}")

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        places = places_of(wanted, columns)
        for row in _taken(chain([first], ahead, rows), header, headless, file):
            if len(row.cells) > len(columns):
                raise error(f"{named.name}, row {row.number}: {len(row.cells)} cells under a header of {len(columns)}.")
            yield row.number, [row.cells[place] if place < len(row.cells) else None for place in places]

    return Records(named, columns, columns, select, headless)


def _taken(rows: Iterator[Row], columns: Sequence[str], headless: bool, file: InputFile) -> Iterator[Row]:
    """Yield the rows below the header, also of later sheets with the same one; note the sheets that are left out.

    Without a header, the first row of each sheet is one of its rows and must have as many cells.
    """
    first, sheet, same = None, None, True
    for row in rows:
        begins = row.sheet != sheet
        if begins:
            sheet, first = row.sheet, first or row.sheet
            same = len(row.cells) == len(columns) if headless else tuple(map(as_text, row.cells)) == columns
            if not same:
                file.note(f"{file.name}: the sheet {sheet} is left out: its columns differ from those of {first}.")
        if same and (headless or not begins):
            yield row


def _bounded(rows: Iterator[Row], file: InputFile, error: type[DeftxError]) -> Iterator[Row]:
    characters = 0
    for count, row in enumerate(rows, 1):
        characters += sum(len(cell) for cell in row.cells if isinstance(cell, str))
        if count > MOST_ROWS or characters > MOST_CHARACTERS:
            raise error(f"{file.name} contains more than can be read from a workbook. Save it as CSV.")
        yield row


def _xlsx_rows(file: InputFile, error: type[DeftxError]) -> Iterator[Row]:
    openpyxl = optional_module("openpyxl", "Excel's format", error)
    try:
        with opened_zip(file, error) as archive:
            copied = _copy(Parts(archive))
        seen = 0
        book = openpyxl.load_workbook(copied, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                file.note(f"{file.name}: the hidden sheet {sheet.title} is left out.")
                continue
            sheet.reset_dimensions()  # the stated dimensions can be wrong
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                seen += len(cells)
                if number > MOST_ROWS or seen > MOST_CELLS:
                    raise error(
                        f"{file.name} has more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells. Save it as CSV."
                    )
                if any(cells[open_table.MOST_COLUMNS :]):
                    raise error(f"{file.name} has more than {open_table.MOST_COLUMNS:,} columns.")
                yield from _row(sheet.title, number, [_plain(cell) for cell in cells[: open_table.MOST_COLUMNS]])
    except (DeftxError, MemoryError):
        raise
    except Exception:  # openpyxl raises exceptions of many types for a damaged file
        raise error(f"{file.name} is damaged: it cannot be read as a workbook. Save it again, or as CSV.") from None


def _copy(parts: Parts) -> io.BytesIO:
    """Copy the XML of a workbook, with its size and declarations checked, into a new archive for the library to read."""
    copied = io.BytesIO()
    with zipfile.ZipFile(copied, "w", zipfile.ZIP_STORED) as archive:
        for name in dict.fromkeys(parts.names):
            if name.endswith((".xml", ".rels")):
                part = b"".join(parts.chunks(name))
                check_xml(part)
                archive.writestr(name, _ESCAPED.sub(_as_xml, part) if name.startswith(_WITH_TEXTS) else part)
    copied.seek(0)
    return copied


def _as_xml(escaped: re.Match[bytes]) -> bytes:
    """Return a character that Excel escaped as XML writes it: nothing for one that no text has."""
    code = int(escaped[1], 16)
    is_text = category(chr(code)) not in ("Cc", "Cs") and code < 0xFFFE
    return b"&#%d;" % code if is_text or code in (9, 10, 13) else b""


def _plain(cell: Any) -> Any:
    if isinstance(cell, str) and NOT_COMPUTED.fullmatch(cell):
        return None
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")  # a date alone is midnight to openpyxl
    return str(cell) if isinstance(cell, (date, time, timedelta)) else cell


def _row(sheet: str, number: int, cells: list[Any]) -> Iterator[Row]:
    """Yield a row without the empty cells at its end, or nothing if all cells are empty."""
    while cells and (cells[-1] is None or cells[-1] == "" or (isinstance(cells[-1], str) and not cells[-1].strip())):
        cells.pop()
    if cells:
        yield Row(sheet, number, cells)


def _ods_rows(file: InputFile, error: type[DeftxError]) -> Iterator[Row]:
    with opened_zip(file, error) as archive:
        found, copies = _Sheets(file), 0
        for times, row in read_xml(
            Parts(archive).chunks("content.xml"), found.start, found.end, found.text, found.rows
        ):
            copies += times - 1
            if copies > MOST_COPIES:
                raise RefusedZip(f"repeats its rows more than {MOST_COPIES:,} times")
            for place in range(times):
                yield replace(row, number=row.number + place)


class _Sheets:
    """Collects the rows of an OpenDocument spreadsheet as (number of repetitions, row); hidden sheets are left out with a note.

    Numbers, dates and truth values are as stored, other cells as displayed.
    """

    def __init__(self, file: InputFile) -> None:
        self._file, self._style = file, ""
        self._hiding: set[str] = set()  # styles of hidden sheets
        self._left_out = False  # this sheet is hidden
        self.rows: list[tuple[int, Row]] = []
        self._sheet, self._number, self._times, self._hidden = "", 1, 1, 0
        self._cells: list[str] = []
        self._empty = self._columns = 0  # empty cells since the last with content; repetitions of this cell
        self._cell: list[str] | None = None
        self._stored = ""

    def start(self, name: str, found: Mapping[str, str]) -> None:
        if name == "style":
            self._style = found.get("name", "")
        elif name == "table-properties" and found.get("display") == "false":
            self._hiding.add(self._style)
        elif name == "table":
            self._start_sheet(found)
        elif name == "table-row":
            self._times, self._cells, self._empty = _times(found, "number-rows-repeated"), [], 0
        elif name in ("table-cell", "covered-table-cell"):
            self._columns, self._cell = _times(found, "number-columns-repeated"), []
            self._stored = next(filter(None, map(found.get, _STORED)), "").replace("T", " ")  # between date and time
        elif name in ("annotation", "shapes") or self._hidden:
            self._hidden += 1
        elif name in ("s", "tab", "line-break", "p") and self._cell:
            self._cell.append(" ")

    def _start_sheet(self, found: Mapping[str, str]) -> None:
        self._sheet, self._number = found.get("name", ""), 1
        self._left_out = found.get("style-name") in self._hiding
        if self._left_out:
            self._file.note(f"{self._file.name}: the hidden sheet {self._sheet} is left out.")

    def text(self, text: str) -> None:
        if self._cell is not None and not self._hidden:
            self._cell.append(text)

    def end(self, name: str) -> None:
        if self._hidden and name not in ("table", "table-row", "table-cell", "covered-table-cell"):
            self._hidden -= 1
        elif name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._end_cell(self._stored or "".join(self._cell).strip())
        elif name == "table-row":
            if self._cells and not self._left_out:
                self.rows.append((self._times, Row(self._sheet, self._number, self._cells)))
            self._number += self._times

    def _end_cell(self, text: str) -> None:
        self._cell = None
        if not text or NOT_COMPUTED.fullmatch(text):
            self._empty += self._columns
            return
        if len(self._cells) + self._empty + self._columns > open_table.MOST_COLUMNS:
            raise RefusedZip(f"has more than {open_table.MOST_COLUMNS:,} columns")
        self._cells += [""] * self._empty + [text] * self._columns
        self._empty = 0


def _times(found: Mapping[str, str], name: str) -> int:
    value = found.get(name, "1")
    return int(value) if value.isdecimal() and 0 < len(value) < 9 else 1


_READERS = {".xlsx": _xlsx_rows, ".ods": _ods_rows}
