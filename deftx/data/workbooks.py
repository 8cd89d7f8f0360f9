"""Workbooks (.xlsx, .ods) as tables: the first sheet that holds something, and all others with the same header."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.open_table import Records, as_text
from deftx.data.optional import optional_module
from deftx.data.unpacking import InputFile, opened_zip
from deftx.data.xml_parts import Parts, check_xml, read_xml
from deftx.data.zip_files import RefusedZip

MOST_ROWS = 2**20  # of a workbook: what Excel and LibreOffice have in a sheet
MOST_CHARACTERS = 2**28
MOST_COPIES = 2**16  # of rows that say how often they are repeated
MOST_CELLS = 2**26  # empty ones too, which a row is filled up with to its last


@dataclass(frozen=True)
class Row:
    """One row of a sheet that holds something: its number from 1 and its cells, those at the end that are empty left out."""

    sheet: str
    number: int
    cells: Sequence[Any]


def open_workbook(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a workbook as a table; ``error`` is raised for one that cannot be read or holds too much."""
    rows = _bounded(_READERS[file.kind](file, error), file, error)
    first = next(rows, None)
    if first is None:
        raise error(f"{file.name} is empty: no sheet holds a cell that is seen.")
    columns = tuple(as_text(cell) for cell in first.cells)
    named = replace(file, name=f"{file.name}, sheet {first.sheet}")

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        places = [columns.index(name) for name in wanted]
        for row in _same_header(rows, first, columns, file):
            if len(row.cells) > len(columns):
                raise error(f"{named.name}, row {row.number}: {len(row.cells)} cells under a header of {len(columns)}.")
            yield row.number, [row.cells[place] if place < len(row.cells) else None for place in places]

    return Records(named, columns, columns, select)


def _same_header(rows: Iterator[Row], first: Row, columns: Sequence[str], file: InputFile) -> Iterator[Row]:
    """Give the rows below the header, and those of further sheets that begin with the same header; say what is left out."""
    sheet, taken = first.sheet, True
    for row in rows:
        if row.sheet != sheet:
            sheet = row.sheet
            taken = tuple(as_text(cell) for cell in row.cells) == columns
            if not taken:
                file.note(f"{file.name}: the sheet {sheet} is left out: its columns are not those of {first.sheet}.")
        elif taken:
            yield row


def _bounded(rows: Iterator[Row], file: InputFile, error: type[DeftxError]) -> Iterator[Row]:
    characters = 0
    for count, row in enumerate(rows, 1):
        characters += sum(len(cell) for cell in row.cells if isinstance(cell, str))
        if count > MOST_ROWS or characters > MOST_CHARACTERS:
            raise error(f"{file.name} holds more than can be read of a workbook at once. Save it as CSV.")
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
            sheet.reset_dimensions()  # a sheet can say that it is larger, or smaller, than it is
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
    except Exception:  # openpyxl lets errors of many families out of a damaged file
        raise error(f"{file.name} is damaged: it cannot be read as a workbook. Save it again, or as CSV.") from None


def _copy(parts: Parts) -> io.BytesIO:
    """Copy the XML of a workbook, counted and looked at, into an archive that is what it says: the library gets that."""
    copied = io.BytesIO()
    with zipfile.ZipFile(copied, "w", zipfile.ZIP_STORED) as archive:
        for name in dict.fromkeys(parts.names):
            if name.endswith((".xml", ".rels")):
                part = b"".join(parts.chunks(name))
                check_xml(part)
                archive.writestr(name, part)
    copied.seek(0)
    return copied


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")  # a date alone is midnight to openpyxl
    return str(cell) if isinstance(cell, (date, time, timedelta)) else cell


def _row(sheet: str, number: int, cells: list[Any]) -> Iterator[Row]:
    """Give a row without the empty cells at its end; none where all are."""
    while cells and (cells[-1] is None or cells[-1] == "" or (isinstance(cells[-1], str) and not cells[-1].strip())):
        cells.pop()
    if cells:
        yield Row(sheet, number, cells)


def _ods_rows(file: InputFile, error: type[DeftxError]) -> Iterator[Row]:
    with opened_zip(file, error) as archive:
        found, copies = _Sheets(), 0
        for times, row in read_xml(
            Parts(archive).chunks("content.xml"), found.start, found.end, found.text, found.rows
        ):
            copies += times - 1
            if copies > MOST_COPIES:
                raise RefusedZip(f"repeats its rows more than {MOST_COPIES:,} times")
            for place in range(times):
                yield replace(row, number=row.number + place)


class _Sheets:
    """Collects the rows of an OpenDocument spreadsheet: (how often it is repeated, the row), cells as they are shown."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Row]] = []
        self._sheet, self._number, self._times, self._hidden = "", 1, 1, 0
        self._cells: list[str] = []
        self._empty = self._columns = 0  # cells since the last that holds something; times that this one is repeated
        self._cell: list[str] | None = None

    def start(self, name: str, found: Mapping[str, str]) -> None:
        if name == "table":
            self._sheet, self._number = found.get("name", ""), 1
        elif name == "table-row":
            self._times, self._cells, self._empty = _times(found, "number-rows-repeated"), [], 0
        elif name in ("table-cell", "covered-table-cell"):
            self._columns, self._cell = _times(found, "number-columns-repeated"), []
        elif name in ("annotation", "shapes") or self._hidden:
            self._hidden += 1
        elif name in ("s", "tab", "line-break", "p") and self._cell:
            self._cell.append(" ")

    def text(self, text: str) -> None:
        if self._cell is not None and not self._hidden:
            self._cell.append(text)

    def end(self, name: str) -> None:
        if self._hidden and name not in ("table", "table-row", "table-cell", "covered-table-cell"):
            self._hidden -= 1
        elif name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._end_cell("".join(self._cell).strip())
        elif name == "table-row":
            if self._cells:
                self.rows.append((self._times, Row(self._sheet, self._number, self._cells)))
            self._number += self._times

    def _end_cell(self, text: str) -> None:
        self._cell = None
        if not text:
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
