"""Reading of Parquet files, with limits on the unpacked size."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.open_table import Records, numbered_classes, with_classes
from deftx.data.unpacking import BROKEN_GZIP, InputFile, open_whole

ROWS_LOOKED_AT = 100  # of a column of bytes: are they text?
_BROKEN_PARQUET = (pyarrow.ArrowException, OSError, ValueError, *BROKEN_GZIP)


def open_parquet(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a Parquet file as a table. Raise ``error`` if it cannot be read or is too large."""

    def refuse() -> DeftxError:
        return error(f"{file.name} is damaged or is not a Parquet file. Export it again.")

    try:
        content = open_whole(file, error) if file.packed else str(file.path)
        schema = pyarrow.parquet.read_schema(content)
        texts = [column.name for column in schema if _is_text(column.type)]
        # As dictionaries, so that a repeated text is stored once in memory.
        table = pyarrow.parquet.ParquetFile(content, read_dictionary=texts)
        # Some programs write text as bytes, without declaring it as text.
        texts += [column.name for column in schema if _is_bytes(column.type) and _starts_as_text(table, column.name)]
        images = tuple(column.name for column in schema if _is_bytes(column.type) and column.name not in texts)
        classes = _classes(schema)
    except _BROKEN_PARQUET:
        raise refuse() from None
    if table.metadata.num_rows > open_table.MOST_ROWS:
        raise error(f"{file.name} has {table.metadata.num_rows:,} rows; up to {open_table.MOST_ROWS:,} can be read.")

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        number = characters = 0
        if refused := [name for name in wanted if name in images]:
            raise error(f"{file.name}: column {refused[0]!r} holds bytes that are not UTF-8 text.")
        if doubled := [name for name in wanted if schema.names.count(name) > 1]:
            raise error(f"{file.name} has several columns called {doubled[0]!r}; rename all but one.")
        try:
            for batch in table.iter_batches(columns=list(wanted)):
                held = (with_classes(_cells(batch.column(name)), classes.get(name)) for name in wanted)
                for cells in zip(*held, strict=True):
                    number += 1
                    characters += sum(len(cell) for cell in cells if isinstance(cell, str))
                    if characters > open_table.MOST_CHARACTERS:
                        raise error(f"{file.name} contains too much text. Use a part of it.")
                    yield number, list(cells)
        except _BROKEN_PARQUET:
            raise refuse() from None

    return Records(file, tuple(schema.names), tuple(texts), select, unreadable=images)


def _classes(schema: pyarrow.Schema) -> dict[str, dict[Any, str | None]]:
    """Return the classes of each column of integers or lists of them, as Hugging Face datasets stores them in the schema."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: _of_items(kind) for name, kind in features.items()}
        return {
            name: numbered_classes(kind["names"]) for name, kind in kinds.items() if kind.get("_type") == "ClassLabel"
        }
    except (ValueError, LookupError, TypeError, AttributeError):  # metadata of another program
        return {}


def _of_items(kind: Any) -> Any:
    """Return the feature of the items of a list, which older versions write as a list with one feature; or ``kind``."""
    while isinstance(kind, list) or "feature" in kind:
        kind = kind[0] if isinstance(kind, list) else kind["feature"]
    return kind


def _starts_as_text(table: pyarrow.parquet.ParquetFile, column: str) -> bool:
    first = next(table.iter_batches(batch_size=ROWS_LOOKED_AT, columns=[column]), None)
    try:
        return first is not None and first.column(column).cast(pyarrow.string()) is not None  # checks that it is UTF-8
    except (pyarrow.ArrowInvalid, KeyError):  # KeyError: several columns have this name
        return False


def _longest(column: pyarrow.Array) -> int:
    lengths = pyarrow.compute.call_function("binary_length", [column])
    return max(lengths.drop_null().to_pylist(), default=0)


def _cells(column: pyarrow.Array) -> list[Any]:
    """Return the values of a column; equal texts of a dictionary share one object."""
    if _is_bytes(column.type):
        if _longest(column) > open_table.LONGEST_CELL:
            raise ValueError("a cell is too long")
        column = column.cast(pyarrow.string())
    if not pyarrow.types.is_dictionary(column.type):
        return column.to_pylist()
    column.validate(full=True)  # a damaged file can have indices beyond the end of its dictionary
    if _longest(column.dictionary) > open_table.LONGEST_CELL:
        raise ValueError("a cell is too long")
    known = column.dictionary.to_pylist()
    return [None if place is None else known[place] for place in column.indices.to_pylist()]


def _is_bytes(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def _is_text(kind: pyarrow.DataType) -> bool:
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
