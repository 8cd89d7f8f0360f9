"""Files to classify: their texts, and the same file again with the answers in columns of their own."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from deftx.core.errors import TableError
from deftx.data.documents import text_lines
from deftx.data.reading import find_file
from deftx.data.spreadsheet import harmless
from deftx.data.table_formats import as_text, open_records
from deftx.data.tables import SINGLE, choose_columns

LABEL_COLUMN = "label"


@dataclass(frozen=True)
class Rows:
    """A file to classify: its rows as they are, and the texts of those that have one.

    ``positions[i]`` is the row of ``texts[i]``: rows without text stay in the file and get no answer.
    """

    columns: tuple[str, ...]
    rows: list[list[str]]
    texts: list[str] | list[tuple[str, str]]
    positions: list[int]
    pairs: bool


def read_texts(path: str | Path, *, columns: Mapping[str, str] | None = None, encoding: str | None = None) -> Rows:
    """Read texts to classify: running text (a line each), or a table with ``text`` or ``premise,hypothesis``; no labels.

    ``encoding`` is that of a file which is not UTF-8.
    """
    file = find_file(path, TableError, encoding)
    if not file.is_table:
        header, wanted = SINGLE, [0]
        rows = [[line.strip()] for _, line in text_lines(file, TableError)]
    else:
        records = open_records(file, TableError)
        header = records.columns
        wanted = [header.index(name) for name in choose_columns(records, columns, labelled=False).values()]
        rows = [[as_text(cell) for cell in cells] for _, cells in records.rows(header)]
    cells = [tuple(row[place] for place in wanted) for row in rows]
    positions = [position for position, text in enumerate(cells) if all(text)]
    if not positions:
        raise TableError(f"{file.name} holds no text to classify.")
    texts = [cells[position] if len(wanted) > 1 else cells[position][0] for position in positions]
    return Rows(header, rows, texts, positions, len(wanted) > 1)


def answer_columns(labels: Sequence[str], probabilities: Tensor) -> dict[str, list[str]]:
    """Name the columns that a classifier adds: the most probable label, and the probability (n, labels) of each."""
    predicted = [labels[place] for place in probabilities.argmax(-1).tolist()]
    columns = {f"probability_{label}": [f"{p:.6f}" for p in probabilities[:, place].tolist()]
               for place, label in enumerate(labels)}  # fmt: skip
    return {LABEL_COLUMN: predicted, **columns}


def least_certain(probabilities: Tensor, count: int) -> list[int]:
    """Give the rows whose most probable label has the lowest probability, the lowest first."""
    return probabilities.max(-1).values.argsort(stable=True)[:count].tolist()


def disarm(rows: Rows) -> tuple[Rows, int]:
    """Put an apostrophe before every cell that a spreadsheet would take for a formula; say how many there were.

    Numbers stay as they are, and so do the texts that were classified: only what is written changes.
    """
    disarmed = [list(map(harmless, row)) for row in rows.rows]
    changed = sum(
        a != b for before, after in zip(rows.rows, disarmed, strict=True) for a, b in zip(before, after, strict=True)
    )
    return replace(rows, columns=tuple(map(harmless, rows.columns)), rows=disarmed), changed


def write_rows(
    path: str | Path, rows: Rows, added: Mapping[str, Sequence[object]], *, as_they_are: bool = False
) -> None:
    """Write the rows as CSV with columns added, one value per text; a name that is taken gets an underscore.

    No cell, label or name of a column is a formula to a spreadsheet, unless they are written ``as_they_are``.
    """
    if not as_they_are:
        rows = disarm(rows)[0]
        added = {harmless(name): [harmless(str(value)) for value in values] for name, values in added.items()}
    answers: list[list[object]] = [[""] * len(added) for _ in rows.rows]
    for position, *values in zip(rows.positions, *added.values(), strict=True):
        answers[position] = values
    header = list(rows.columns)
    for name in added:
        while name in header:
            name += "_"
        header.append(name)
    try:
        with open(path, "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows(row + answer for row, answer in zip(rows.rows, answers, strict=True))
    except OSError as problem:
        raise TableError(f"{path} cannot be written: {problem.strerror}.") from None
