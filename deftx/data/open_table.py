"""An open table of any format: columns, numbered rows of cells, and limits on its size."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.characters import as_seen
from deftx.data.file_kinds import PLAIN
from deftx.data.unpacking import InputFile

# Characters. The default of csv, 131,072, is less than a long document; a stray quote needs some limit.
LONGEST_CELL = 2**24
# What a spreadsheet displays, and writes to CSV, instead of a value that cannot be computed.
NOT_COMPUTED = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|GETTING_DATA|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!)|Err:\d{3}"
)
MOST_COLUMNS = 1_000  # real tables have a few; the page and messages list them
# A small Parquet file can repeat a long text, or empty cells, any number of times.
MOST_ROWS, MOST_CHARACTERS = 20_000_000, 2**31


@dataclass(frozen=True)
class Records:
    """An open table: its column names, those of text columns (as far as the format shows), and its rows.

    ``rows(columns)`` yields (line number, values of these columns) and can be used once; missing cells are None.
    """

    file: InputFile
    columns: tuple[str, ...]
    text_columns: tuple[str, ...]
    rows: Callable[[Sequence[str]], Iterator[tuple[int, list[Any]]]]
    headless: bool = False  # the file has no header line, and its columns are called "1", "2" and so on
    unreadable: tuple[str, ...] = ()  # columns of bytes that are not text, such as pictures: ``rows`` refuses them

    @property
    def unit(self) -> str:
        """What the number of a row counts: "row" or "line"."""
        return "line" if self.file.kind in PLAIN else "row"

    def texts(
        self, columns: Sequence[str], error: type[DeftxError], changes: Counter[str] | None = None
    ) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells as stripped text). Raise ``error`` if a cell is a list or an object.

        ``changes`` counts the cells that ``as_seen`` changed.
        """
        for number, values in self.rows(columns):
            for column, value in zip(columns, values, strict=True):
                if isinstance(value, (list, dict)):
                    raise error(
                        f"{self.file.name}, {self.unit} {number}: column {column!r} contains a list instead of a text."
                    )
            yield number, [as_text(value, changes) for value in values]


def find_column(records: Records, name: str, error: type[DeftxError]) -> str | None:
    """Return the column with this name, ignoring case and outer spaces, or None. Raise ``error`` if there are several."""
    found = [column for column in records.columns if column.strip().casefold() == name.strip().casefold()]
    if len(found) > 1:
        raise error(f"{records.file.name} has {len(found)} columns called {name!r}; rename all but one.")
    return found[0] if found else None


def places_of(wanted: Sequence[str], columns: Sequence[str]) -> Sequence[int]:
    """Return the place of each wanted column; of all columns their own places, since several may have the same name."""
    return range(len(columns)) if list(wanted) == list(columns) else [columns.index(name) for name in wanted]


def numbered_classes(names: Sequence[Any]) -> dict[Any, str | None]:
    """Return the class of each number; -1 means that there is none."""
    return {**{number: str(name) for number, name in enumerate(names)}, -1: None}


def with_classes(cell: Any, classes: Mapping[Any, str | None] | None) -> Any:
    """Return the classes of numbers, also in a list; other values, and cells of a column without classes, as they are."""
    if not classes:
        return cell
    if isinstance(cell, list):
        return [with_classes(one, classes) for one in cell]
    return classes.get(cell, cell) if isinstance(cell, int) else cell


def as_text(value: Any, changes: Counter[str] | None = None) -> str:
    """Return a cell as stripped text on one line: 1.0 as "1", true as "true", None and NaN as ""."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = as_seen(as_written(value), changes)
    return " ".join(text.splitlines()).strip() if "\n" in text or "\r" in text else text.strip()


def as_written(value: Any) -> str:
    """Return a cell as text, with the line breaks and outer spaces of a text: true as "true", a date as "2024-02-29", None as ""."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (list, dict, bool, int, float)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
