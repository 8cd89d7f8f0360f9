"""Tables of all kinds under one face: CSV, TSV, JSON lines, Parquet and workbooks as columns and numbered rows of cells."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.csv_shape import LINES_AHEAD, is_quoted, lacks_header, told_delimiter
from deftx.data.open_table import Records, as_text
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile
from deftx.data.workbooks import open_workbook

JSON_LOOK_AHEAD = 100  # objects whose keys together are taken as the columns: the first may lack one

_DELIMITER_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}


def open_records(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a table; a file without columns, or one that cannot be read, is refused."""
    records = _OPENERS[file.kind](file, error)
    if not records.columns:
        raise error(f"{file.name} has no columns: every row of it is empty.")
    if len(records.columns) > open_table.MOST_COLUMNS:
        raise error(f"{file.name} has {len(records.columns):,} columns; up to {open_table.MOST_COLUMNS:,} can be read.")
    return records


def _open_csv(file: InputFile, error: type[DeftxError]) -> Records:
    numbered = numbered_lines(file, error)
    ahead = [line for _, line in islice(numbered, LINES_AHEAD)]
    told, ahead = told_delimiter(ahead)
    # Spreadsheets write ";" where the comma is the decimal sign.
    first = ahead[0] if ahead else ""
    delimiter = told or ("\t" if file.kind == ".tsv" else max(",;\t", key=first.count))
    # TSV has no quoting: a text may begin with a quote that nothing closes.
    quoting = csv.QUOTE_NONE if delimiter == "\t" and not is_quoted(ahead) else csv.QUOTE_MINIMAL
    csv.field_size_limit(open_table.LONGEST_CELL)
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
    # pyarrow takes half a second to import, which no other format need wait for
    from deftx.data.parquet import open_parquet

    return open_parquet(file, error)


_OPENERS = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".jsonl": _open_jsonl,
    ".parquet": _open_parquet,
    ".xlsx": open_workbook,
    ".ods": open_workbook,
}
