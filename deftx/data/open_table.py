"""A table that is open, whatever its format: columns, numbered rows of cells, and how large it may be."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.characters import as_seen
from deftx.data.file_kinds import PLAIN
from deftx.data.unpacking import InputFile

LONGEST_CELL = 2**24  # characters: csv's own 131,072 is less than a long document, but a stray quote needs some bound
MOST_COLUMNS = 1_000  # tables of people have a few; a page and a message list them
# A small Parquet file can repeat a long text, or nothing at all, any number of times.
MOST_ROWS, MOST_CHARACTERS = 20_000_000, 2**31


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
