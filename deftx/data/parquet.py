"""Reading Parquet files, with bounds on what a small file can unpack to."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from deftx.core.errors import DeftxError
from deftx.data import table_formats as records
from deftx.data.table_formats import Records
from deftx.data.unpacking import BROKEN_GZIP, InputFile, open_whole

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
    except _BROKEN_PARQUET:
        raise refuse() from None
    if table.metadata.num_rows > records.MOST_ROWS:
        raise error(f"{file.name} has {table.metadata.num_rows:,} rows; up to {records.MOST_ROWS:,} can be read.")

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        number = characters = 0
        try:
            for batch in table.iter_batches(columns=list(wanted)):
                for cells in zip(*(_cells(batch.column(name)) for name in wanted), strict=True):
                    number += 1
                    characters += sum(len(cell) for cell in cells if isinstance(cell, str))
                    if characters > records.MOST_CHARACTERS:
                        raise error(f"{file.name} holds more text than can be read at once. Bring a part of it.")
                    yield number, list(cells)
        except _BROKEN_PARQUET:
            raise refuse() from None

    return Records(file, tuple(schema.names), tuple(texts), select)


def _cells(column: pyarrow.Array) -> list[Any]:
    """Turn a column into values; equal texts of a dictionary are one text in memory."""
    if not pyarrow.types.is_dictionary(column.type):
        return column.to_pylist()
    column.validate(full=True)  # a damaged file can point behind the last text of its dictionary
    if max(pyarrow.compute.binary_length(column.dictionary).to_pylist(), default=0) > records.LONGEST_CELL:
        raise ValueError("a cell that no text is as long as")
    known = column.dictionary.to_pylist()
    return [None if place is None else known[place] for place in column.indices.to_pylist()]


def _is_text(kind: pyarrow.DataType) -> bool:
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
