"""One interface to tables in CSV, TSV, JSON lines, Parquet, workbooks, CoNLL and saved data sets: columns and numbered rows."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.conll import open_conll
from deftx.data.csv_shape import DELIMITERS, LINES_AHEAD, declared_delimiter, find_delimiter, is_quoted, lacks_header
from deftx.data.file_kinds import CONLL, SAVED
from deftx.data.hf_datasets import open_saved
from deftx.data.open_table import NOT_COMPUTED, Records, as_text, places_of
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile
from deftx.data.workbooks import open_workbook

JSON_LOOK_AHEAD = 100  # the keys of this many objects are the columns, since the first object may lack some


def open_records(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a table. Raise ``error`` if it cannot be read or has no columns."""
    records = _OPENERS[file.kind](file, error)
    if not records.columns:
        raise error(f"{file.name} has no columns: all of its rows are empty.")
    if len(records.columns) > open_table.MOST_COLUMNS:
        raise error(f"{file.name} has {len(records.columns):,} columns; up to {open_table.MOST_COLUMNS:,} can be read.")
    return records


def _open_csv(file: InputFile, error: type[DeftxError]) -> Records:
    numbered = numbered_lines(file, error)
    ahead = [line for _, line in islice(numbered, LINES_AHEAD)]
    csv.field_size_limit(open_table.LONGEST_CELL)
    declared, ahead = declared_delimiter(ahead)
    known = declared or ("\t" if file.kind == ".tsv" else None)
    delimiter, space = (known, False) if known else find_delimiter(ahead)
    # TSV has no quoting: a text may begin with a quote that is never closed.
    quoting = csv.QUOTE_NONE if delimiter == "\t" and not is_quoted(ahead) else csv.QUOTE_MINIMAL
    lines = chain(ahead, (line for _, line in numbered))
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=space, strict=True)
    rows = _csv_rows(reader, file, error, skipped=1 if declared else 0)
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
        places = places_of(wanted, columns)
        for number, row in body:
            if any(cell.strip() for cell in row[len(columns) :]):
                raise error(
                    f"{file.name}, line {number}: {len(row)} cells under a header of {len(columns)}. "
                    f'Put "quotes" around a text that contains {DELIMITERS[delimiter]}.'
                )
            cells = (row[place] if place < len(row) else "" for place in places)
            yield number, [None if NOT_COMPUTED.fullmatch(cell) else cell for cell in cells]

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
            reason = "a quote in this row is never closed" if unclosed else str(problem)
            raise error(
                f'{file.name}, line {start}: {reason}. Inside a quoted cell, write a quote twice ("").'
            ) from None
        if row:
            yield start, row


def _open_jsonl(file: InputFile, error: type[DeftxError]) -> Records:
    objects = _json_objects(file, error)
    ahead = list(islice(objects, JSON_LOOK_AHEAD))
    if not ahead:
        raise error(f"{file.name} is empty: it has no JSON object.")
    kinds: dict[str, bool] = {}  # column: whether any of its values is a text
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
            if "\\u" in line:  # a lone "\ud83d" is valid JSON, but not valid text
                json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise error(f"{file.name}, line {number}: an escaped character (\\ud…) is incomplete.") from None
        except (ValueError, RecursionError) as problem:
            where = f"{file.name}, line {number}"
            raise error(f"{where}: this is not JSON ({problem}). Write one object per line.") from None
        if not isinstance(record, dict):
            raise error(f'{file.name}, line {number}: expected an object such as {{"text": "…"}}, one per line.')
        yield number, record


def _open_parquet(file: InputFile, error: type[DeftxError]) -> Records:
    # Importing pyarrow takes half a second; other formats do not need it.
    from deftx.data.parquet import open_parquet

    return open_parquet(file, error)


_OPENERS = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".jsonl": _open_jsonl,
    ".parquet": _open_parquet,
    ".xlsx": open_workbook,
    ".ods": open_workbook,
    SAVED: open_saved,
    **dict.fromkeys(CONLL, open_conll),
}
