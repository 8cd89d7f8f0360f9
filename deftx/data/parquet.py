"""Reading Parquet files, with bounds on what a small file can unpack to."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from deftx.core.errors import DeftxError
from deftx.data import open_table
from deftx.data.open_table import Records
from deftx.data.unpacking import BROKEN_GZIP, InputFile, open_whole

ROWS_LOOKED_AT = 100  # of a column of bytes: are they text?
_BROKEN_PARQUET = (pyarrow.ArrowException, OSError, ValueError, *BROKEN_GZIP)


def open_parquet(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a Parquet file as a table; ``error`` is raised for one that cannot be read or holds too much."""

    def refuse() -> DeftxError:
        return error(f"{file.name} is damaged or is not a Parquet file. Write it again.")

    try:
        content = open_whole(file, error) if file.packed else str(file.path)
        schema = pyarrow.parquet.read_schema(content)
        texts = [column.name for column in schema if _is_text(column.type)]
        # As dictionaries, so that a text that is repeated lies in memory once.
        table = pyarrow.parquet.ParquetFile(content, read_dictionary=texts)
        # Some programs write text as bytes, without the mark that says so.
        texts += [column.name for column in schema if _is_bytes(column.type) and _starts_as_text(table, column.name)]
        classes = class_names(schema)
    except _BROKEN_PARQUET:
        raise refuse() from None
    if table.metadata.num_rows > open_table.MOST_ROWS:
        raise error(f"{file.name} has {table.metadata.num_rows:,} rows; up to {open_table.MOST_ROWS:,} can be read.")

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        number = characters = 0
        if images := [name for name in wanted if _is_bytes(schema.field(name).type) and name not in texts]:
            raise error(f"{file.name}: column {images[0]!r} holds bytes that are not UTF-8 text.")
        try:
            for batch in table.iter_batches(columns=list(wanted)):
                held = (_named(_cells(batch.column(name)), classes.get(name)) for name in wanted)
                for cells in zip(*held, strict=True):
                    number += 1
                    characters += sum(len(cell) for cell in cells if isinstance(cell, str))
                    if characters > open_table.MOST_CHARACTERS:
                        raise error(f"{file.name} holds more text than can be read at once. Bring a part of it.")
                    yield number, list(cells)
        except _BROKEN_PARQUET:
            raise refuse() from None

    return Records(file, tuple(schema.names), tuple(texts), select)


def class_names(schema: pyarrow.Schema) -> dict[str, list[str]]:
    """Return the names of the classes of each column of whole numbers, as Hugging Face datasets writes them."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: kind for name, kind in features.items() if kind.get("_type") == "ClassLabel"}
        return {name: list(map(str, kind["names"])) for name, kind in kinds.items()}
    except (ValueError, KeyError, TypeError, AttributeError):  # written by another program, for another purpose
        return {}


def _named(cells: list[Any], names: list[str] | None) -> list[Any]:
    """Replace whole numbers by the names of their classes; -1 says that a row has none."""
    if names is None:
        return cells
    known = dict(enumerate(names)) | {-1: None}
    return [known.get(cell, cell) for cell in cells]


def _starts_as_text(table: pyarrow.parquet.ParquetFile, column: str) -> bool:
    first = next(table.iter_batches(batch_size=ROWS_LOOKED_AT, columns=[column]), None)
    try:
        return first is not None and first.column(column).cast(pyarrow.string()) is not None  # checks that it is UTF-8
    except pyarrow.ArrowInvalid:
        return False


def _longest(column: pyarrow.Array) -> int:
    lengths = pyarrow.compute.call_function("binary_length", [column])
    return max(lengths.drop_null().to_pylist(), default=0)


def _cells(column: pyarrow.Array) -> list[Any]:
    """Turn a column into values; equal texts of a dictionary are one text in memory."""
    if _is_bytes(column.type):
        if _longest(column) > open_table.LONGEST_CELL:
            raise ValueError("a cell that no text is as long as")
        column = column.cast(pyarrow.string())
    if not pyarrow.types.is_dictionary(column.type):
        return column.to_pylist()
    column.validate(full=True)  # a damaged file can point behind the last text of its dictionary
    if _longest(column.dictionary) > open_table.LONGEST_CELL:
        raise ValueError("a cell that no text is as long as")
    known = column.dictionary.to_pylist()
    return [None if place is None else known[place] for place in column.indices.to_pylist()]


def _is_bytes(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def _is_text(kind: pyarrow.DataType) -> bool:
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
