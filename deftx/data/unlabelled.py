"""Files to classify: reading their texts, and writing the file with predictions in added columns."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from deftx.core.errors import TableError
from deftx.data.documents import text_lines
from deftx.data.open_table import as_text, as_written
from deftx.data.reading import find_file
from deftx.data.spreadsheet import harmless
from deftx.data.table_formats import open_records
from deftx.data.table_rows import SINGLE
from deftx.data.tables import choose_columns

LABEL_COLUMN = "label"


@dataclass(frozen=True)
class Rows:
    """A file to classify: its unchanged rows, and the texts of the rows that have one.

    ``positions[i]`` is the row of ``texts[i]``. Rows without text stay in the file and get no prediction. ``notes`` say what
    of the file was left out.
    """

    columns: tuple[str, ...]
    rows: list[list[str]]
    texts: Sequence[str | tuple[str, str]]
    positions: list[int]
    pairs: bool
    notes: tuple[str, ...] = ()


def read_texts(path: str | Path, *, columns: Mapping[str, str] | None = None, encoding: str | None = None) -> Rows:
    """Read texts to classify from running text (one per line) or a table with ``text`` or ``premise,hypothesis``.

    ``encoding`` is the encoding of a file that is not UTF-8.
    """
    file = find_file(path, TableError, encoding)
    if not file.is_table:
        header, wanted = SINGLE, [0]
        rows = [[line.rstrip("\r\n")] for _, line in text_lines(file, TableError)]
    else:
        records = open_records(file, TableError)
        chosen = choose_columns(records, columns, labelled=False).values()
        left_out = [name for name in records.unreadable if name not in chosen]
        header = tuple(name for name in records.columns if name not in left_out)
        wanted = [header.index(name) for name in chosen]
        rows = [list(map(as_written, cells)) for _, cells in records.rows(header)]
        if left_out:
            file.note(f"{file.name}: bytes that are not text are left out (column {', '.join(left_out)}).")
    cells = [tuple(as_text(row[place]) for place in wanted) for row in rows]
    positions = [position for position, text in enumerate(cells) if all(text)]
    if not positions:
        raise TableError(f"{file.name} contains no text to classify.")
    filled = [cells[position] for position in positions]
    texts = [(cell[0], cell[1]) if len(wanted) > 1 else cell[0] for cell in filled]
    return Rows(header, rows, texts, positions, len(wanted) > 1, tuple(file.notes))


def prepare_output(path: str | Path) -> None:
    """Create the folder of an output file. Raise TableError if the file cannot be written.

    Call this before the computation, so that its result is not lost.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        with open(path, "a", encoding="utf-8"):
            pass
        if new:
            path.unlink()
    except OSError as problem:
        raise TableError(f"{path} cannot be written: {problem.strerror}. Nothing was computed.") from None


def answer_columns(labels: Sequence[str], probabilities: Tensor) -> dict[str, list[str]]:
    """Return the columns that a classifier adds: the most probable label, and the probability (n, labels) of each label."""
    predicted = [labels[int(place)] for place in probabilities.argmax(-1).tolist()]
    columns = {f"probability_{label}": [f"{p:.6f}" for p in probabilities[:, place].tolist()]
               for place, label in enumerate(labels)}  # fmt: skip
    return {LABEL_COLUMN: predicted, **columns}


def least_certain(probabilities: Tensor, count: int) -> list[int]:
    """Return the rows whose most probable label has the lowest probability, the lowest first."""
    return probabilities.max(-1).values.argsort(stable=True)[:count].tolist()


def disarm(rows: Rows) -> tuple[Rows, int]:
    """Put each cell on one line, with an apostrophe before formulas of a spreadsheet; return the number of these.

    Numbers and ``texts`` stay unchanged.
    """
    tidy = [[as_text(cell) for cell in row] for row in rows.rows]
    disarmed = [list(map(harmless, row)) for row in tidy]
    changed = sum(
        a != b for before, after in zip(tidy, disarmed, strict=True) for a, b in zip(before, after, strict=True)
    )
    return replace(rows, columns=tuple(map(harmless, rows.columns)), rows=disarmed), changed


def write_rows(
    path: str | Path, rows: Rows, added: Mapping[str, Sequence[object]], *, as_they_are: bool = False
) -> None:
    """Write the rows as CSV with added columns, one value per text. A column name that exists already gets an underscore.

    For spreadsheets, the file starts with a byte order mark, and formulas in cells, labels and column names are disarmed.
    ``as_they_are`` writes the cells unchanged, without the mark.
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
        with open(path, "w", encoding="utf-8" if as_they_are else "utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(header)
            writer.writerows(row + answer for row, answer in zip(rows.rows, answers, strict=True))
    except OSError as problem:
        raise TableError(f"{path} cannot be written: {problem.strerror}.") from None
