"""Data sets of Hugging Face's ``datasets`` as tables: a Dataset or IterableDataset, or one column of it; and the reverse.

A folder that ``save_to_disk`` wrote is one too. They are recognised without importing the package, which takes a second and is needed only if one is used.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deftx.core.errors import DeftxError
from deftx.data.open_table import MOST_CHARACTERS, MOST_ROWS, Records, numbered_classes, with_classes
from deftx.data.unpacking import InputFile

if TYPE_CHECKING:
    from datasets import Dataset

COLUMN = "text"  # name of a single column without its data set


def is_dataset(value: object) -> bool:
    """Return whether a value is a data set of ``datasets``, one column of it, or several splits."""
    return type(value).__module__.partition(".")[0] == "datasets"


def records_of(dataset: Any, error: type[DeftxError]) -> Records:
    """Open a data set as a table, with class names instead of their numbers.

    Raises ``error`` for several splits, because one must be chosen.
    """
    if isinstance(dataset, Mapping):
        raise error(f"These are {len(dataset)} splits; choose one, as in dataset[{next(iter(dataset), 'train')!r}].")
    if not hasattr(dataset, "column_names"):  # dataset["text"]: a column
        return Records(_file(dataset), (COLUMN,), (COLUMN,), lambda wanted: _limited(_column(dataset), error))
    features = dataset.features or dict.fromkeys(next(iter(dataset), {}))
    texts = tuple(name for name, kind in features.items() if getattr(kind, "dtype", None) in ("string", "large_string"))
    names = {
        name: numbered_classes(known)
        for name, kind in features.items()
        if (known := getattr(getattr(kind, "feature", kind), "names", None)) is not None
    }

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        rows = enumerate(
            dataset.select_columns(list(wanted)).with_format(None), 1
        )  # decode no others, such as pictures
        return _limited(
            ((at, [with_classes(row[name], names.get(name)) for name in wanted]) for at, row in rows), error
        )

    return Records(_file(dataset), tuple(features), texts or tuple(features), select)


def open_saved(file: InputFile, error: type[DeftxError]) -> Records:
    """Open a folder that ``save_to_disk`` wrote; its Arrow files are memory-mapped. Raise ``error`` if that is not possible."""
    from datasets import load_from_disk

    try:
        inside = file.path.resolve()
        parts = [part["filename"] for part in json.loads((inside / "state.json").read_bytes())["_data_files"]]
        if not all((inside / part).resolve().is_relative_to(inside) for part in parts):
            raise error(f"{file.name} names files outside of its folder, which are not read. Save the data set again.")
        dataset = load_from_disk(str(inside))
    except error:
        raise
    except Exception as problem:  # of JSON, Arrow or the package
        raise error(f"{file.name} is not a complete data set of save_to_disk: {problem}. Save it again.") from problem
    if len(dataset) > MOST_ROWS:
        raise error(f"{file.name} has {len(dataset):,} rows; up to {MOST_ROWS:,} can be read.")
    return replace(records_of(dataset, error), file=file)


def to_dataset(columns: Mapping[str, Sequence[str]], labels: str | None = None) -> "Dataset":
    """Return columns of text as a ``Dataset``, with the column ``labels`` as a ``ClassLabel`` of its names in sorted order."""
    from datasets import ClassLabel, Dataset

    dataset = Dataset.from_dict({name: list(cells) for name, cells in columns.items()})
    return dataset.cast_column(labels, ClassLabel(names=sorted(set(columns[labels])))) if labels else dataset


def _column(column: Any) -> Iterator[tuple[int, list[Any]]]:
    return ((number, [cell]) for number, cell in enumerate(column, 1))


def _limited(rows: Iterator[tuple[int, list[Any]]], error: type[DeftxError]) -> Iterator[tuple[int, list[Any]]]:
    characters = 0
    for number, cells in rows:
        characters += sum(len(cell) for cell in cells if isinstance(cell, str))
        if characters > MOST_CHARACTERS:
            raise error("The data set contains more text than can be read at once. Use a part of it.")
        yield number, cells


def _file(dataset: Any) -> InputFile:
    info = getattr(dataset, "info", None)
    name = str(getattr(info, "dataset_name", None) or "data set")
    return InputFile(Path(name), name, ".parquet", False)  # its rows are counted, as those of Parquet are
