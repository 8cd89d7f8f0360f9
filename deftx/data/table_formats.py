"""Tables of all kinds under one face: CSV, TSV, JSON lines, Parquet and workbooks as columns and numbered rows of cells."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.characters import as_seen
from deftx.data.csv_shape import LINES_AHEAD, is_quoted, lacks_header, told_delimiter
from deftx.data.file_kinds import PLAIN
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

LONGEST_CELL = 2**24  # characters: csv's own 131,072 is less than a long document, but a stray quote needs some bound
MOST_COLUMNS = 1_000  # tables of people have a few; a page and a message list them
# A small Parquet file can repeat a long text, or nothing at all, any number of times.
MOST_ROWS, MOST_CHARACTERS = 20_000_000, 2**31
JSON_LOOK_AHEAD = 100  # objects whose keys together are taken as the columns: the first may lack one

_DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}


@dataclass(frozen=True)
class Records:
    """A table that is open: its column names, those that hold text as far as the format tells, and its rows.

    ``rows(columns)`` gives (line number, values of these columns) once through; a cell that is not there is None.
    """

    file: InputFile
    columns: tuple[str, ...]
    text_columns: tuple[str, ...]
    rows: Callable[[Sequence[str]], Iterator[tuple[int, list[Any]]]]
    headless: bool = False  # the file has no header line, and its columns are called "1", "2" and so on

    @property
    def unit(self) -> str:
        """Say what the number of a row counts."""
        return "line" if self.file.kind in PLAIN else "row"

    def texts(
        self, columns: Sequence[str], error: type[DeftxError], changes: Counter[str] | None = None
    ) -> Iterator[tuple[int, list[str]]]:
        """Give (line number, cells as stripped text); a cell that holds a list or an object is refused.

        ``changes`` counts the cells that ``as_seen`` changed.
        """
        for number, values in self.rows(columns):
            for column, value in zip(columns, values, strict=True):
                if isinstance(value, (list, dict)):
                    raise error(f"{self.file.name}, {self.unit} {number}: column {column!r} holds a list, not a text.")
            yield number, [as_text(value, changes) for value in values]


def open_records(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a table; a file without columns, or one that cannot be read, is refused."""
    records = _OPENERS[file.kind](file, error)
    if not records.columns:
        raise error(f"{file.name} has no columns: every row of it is empty.")
    if len(records.columns) > MOST_COLUMNS:
        raise error(f"{file.name} has {len(records.columns):,} columns; up to {MOST_COLUMNS:,} can be read.")
    return records


def find_column(records: Records, name: str, error: type[DeftxError]) -> str | None:
    """Find a column by its name without regard to case and outer spaces; None if there is none, refused if two."""
    found = [column for column in records.columns if column.strip().casefold() == name.strip().casefold()]
    if len(found) > 1:
        raise error(f"{records.file.name} has {len(found)} columns called {name!r}; rename all but one.")
    return found[0] if found else None


def as_text(value: Any, changes: Counter[str] | None = None) -> str:
    """Write a cell as stripped text on one line: 1.0 as "1", true as "true", nothing and not-a-number as ""."""
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = as_seen(text, changes)
    return " ".join(text.splitlines()).strip() if "\n" in text or "\r" in text else text.strip()


def _open_csv(file: InputFile, error: type[DeftxError]) -> Records:
    numbered = numbered_lines(file, error)
    ahead = [line for _, line in islice(numbered, LINES_AHEAD)]
    told, ahead = told_delimiter(ahead)
    # Spreadsheets write ";" where the comma is the decimal sign.
    first = ahead[0] if ahead else ""
    delimiter = told or ("\t" if file.kind == ".tsv" else max(",;\t", key=first.count))
    # TSV has no quoting: a text may begin with a quote that nothing closes.
    quoting = csv.QUOTE_NONE if delimiter == "\t" and not is_quoted(ahead) else csv.QUOTE_MINIMAL
    csv.field_size_limit(LONGEST_CELL)
    lines = chain(ahead, (line for _, line in numbered))
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    rows = _csv_rows(reader, file, error, skipped=1 if told else 0)
    looked_at = list(islice(rows, LINES_AHEAD))
    header = next((place for place, (_, row) in enumerate(looked_at) if any(map(str.strip, row))), None)
    if header is None:
        raise error(f"{file.name} is empty: it has no header line.")
    columns = tuple(as_text(cell) for cell in looked_at[header][1])
    headless = lacks_header([row for _, row in looked_at[header:]])
    body = chain(looked_at[header if headless else header + 1 :], rows)
    if headless:
        columns = tuple(str(place) for place in range(1, len(columns) + 1))

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        places = [columns.index(name) for name in wanted]
        for number, row in body:
            if any(cell.strip() for cell in row[len(columns) :]):
                raise error(
                    f"{file.name}, line {number}: {len(row)} cells under a header of {len(columns)}. "
                    f'Put "quotes" round a text that holds {_DELIMITER_NAMES[delimiter]}.'
                )
            yield number, [row[place] if place < len(row) else None for place in places]

    return Records(file, columns, columns, select, headless)


def _csv_rows(reader: Any, file: InputFile, error: type[DeftxError], skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Give the rows with the numbers of their first lines; ``skipped`` lines stand before those that are read."""
    while True:
        start = reader.line_num + 1 + skipped
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            unclosed = "unexpected end" in str(problem) or "field limit" in str(problem)
            reason = "a quote is opened in this row and never closed" if unclosed else str(problem)
            raise error(
                f'{file.name}, line {start}: {reason}. Inside a quoted cell a quote is written twice ("").'
            ) from None
        if row:
            yield start, row


def _open_jsonl(file: InputFile, error: type[DeftxError]) -> Records:
    objects = _json_objects(file, error)
    ahead = list(islice(objects, JSON_LOOK_AHEAD))
    if not ahead:
        raise error(f"{file.name} is empty: it holds no JSON object.")
    kinds: dict[str, bool] = {}  # column: does it ever hold text?
    for key, value in chain.from_iterable(record.items() for _, record in ahead):
        kinds[key] = kinds.get(key, False) or isinstance(value, str)

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        for number, record in chain(ahead, objects):
            yield number, [record.get(name) for name in wanted]

    return Records(file, tuple(kinds), tuple(key for key, text in kinds.items() if text), select)


def _json_objects(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(file, error):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if "\\u" in line:  # "\ud83d" alone is JSON, but no text that could be used
                json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise error(f"{file.name}, line {number}: an escaped character (\\ud…) is cut in half.") from None
        except (ValueError, RecursionError) as problem:
            where = f"{file.name}, line {number}"
            raise error(f"{where}: this is not JSON ({problem}). Write one object per line.") from None
        if not isinstance(record, dict):
            raise error(f'{file.name}, line {number}: expected an object such as {{"text": "…"}}, one per line.')
        yield number, record


def _open_parquet(file: InputFile, error: type[DeftxError]) -> Records:
    from deftx.data.parquet import (
        open_parquet,  # pyarrow takes half a second to import, which no other format need wait for
    )

    return open_parquet(file, error)


def _open_workbook(file: InputFile, error: type[DeftxError]) -> Records:
    from deftx.data.workbooks import open_workbook  # it makes records, as here

    return open_workbook(file, error)


_OPENERS = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".jsonl": _open_jsonl,
    ".parquet": _open_parquet,
    ".xlsx": _open_workbook,
    ".ods": _open_workbook,
}
