"""Data sets of Hugging Face's ``datasets`` as tables: a Dataset or IterableDataset, or one column of it.

They are recognised without importing the package, which takes a second and which only those who hold one need.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.open_table import MOST_CHARACTERS, Records
from deftx.data.unpacking import InputFile

COLUMN = "text"  # what a column that was taken out of its data set is called here


def is_dataset(value: object) -> bool:
    """Say whether a value is a data set of ``datasets``, one column of it, or several splits."""
    return type(value).__module__.partition(".")[0] == "datasets"


def records_of(dataset: Any, error: type[DeftxError]) -> Records:
    """Open a data set as a table; names of classes stand in place of their numbers.

    Raises ``error`` for several splits at once, of which one must be chosen.
    """
    if isinstance(dataset, Mapping):
        raise error(f"These are {len(dataset)} splits; choose one, as in dataset[{next(iter(dataset), 'train')!r}].")
    if not hasattr(dataset, "column_names"):  # dataset["text"]: a column
        return Records(_file(dataset), (COLUMN,), (COLUMN,), lambda wanted: _limited(_column(dataset), error))
    features = dataset.features or dict.fromkeys(next(iter(dataset), {}))
    texts = tuple(name for name, kind in features.items() if getattr(kind, "dtype", None) in ("string", "large_string"))
    names = {
        name: dict(enumerate(known)) | {-1: None}
        for name, kind in features.items()
        if (known := getattr(kind, "names", None)) is not None
    }

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        rows = enumerate(dataset, 1)
        return _limited(
            ((at, [names.get(name, {}).get(row[name], row[name]) for name in wanted]) for at, row in rows), error
        )

    return Records(_file(dataset), tuple(features), texts or tuple(features), select)


def _column(column: Any) -> Iterator[tuple[int, list[Any]]]:
    return ((number, [cell]) for number, cell in enumerate(column, 1))


def _limited(rows: Iterator[tuple[int, list[Any]]], error: type[DeftxError]) -> Iterator[tuple[int, list[Any]]]:
    characters = 0
    for number, cells in rows:
        characters += sum(len(cell) for cell in cells if isinstance(cell, str))
        if characters > MOST_CHARACTERS:
            raise error("The data set holds more text than can be read at once. Take a part of it.")
        yield number, cells


def _file(dataset: Any) -> InputFile:
    info = getattr(dataset, "info", None)
    name = str(getattr(info, "dataset_name", None) or "data set")
    return InputFile(Path(name), name, ".parquet", False)  # its rows are counted, as those of Parquet are
