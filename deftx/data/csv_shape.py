"""Delimiter, quoting and presence of a header of a delimited file, determined from its first lines."""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress

LINES_AHEAD = 2_000  # first lines, to detect a header and quoting
# Column names of published data sets. A first row with one of them is a header.
COLUMN_NAMES = frozenset(
    [
        "text",
        "label",
        "labels",
        "sentence",
        "sentences",
        "premise",
        "hypothesis",
        "sentence1",
        "sentence2",
        "review",
        "tweet",
        "content",
        "comment",
        "document",
        "body",
        "utterance",
        "verse",
        "question",
        "category",
        "class",
        "target",
        "topic",
        "emotion",
        "sentiment",
        "intent",
        "rating",
        "id",
        "index",
        "text_a",
        "text_b",
        "gold_label",
        "language",
        "lang",
        "score",
        "name",
        "title",
        "url",
        "source",
        "date",
    ]
)
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_QUOTED_CELL = re.compile(r'"(?:[^"]|"")*"')


def declared_delimiter(lines: list[str]) -> tuple[str | None, list[str]]:
    """Return the delimiter that a first line such as "sep=;" names, and the lines without it."""
    match = re.fullmatch(r'"?sep=([,;\t|])"?\s*', lines[0], re.IGNORECASE) if lines else None
    return (match[1], lines[1:]) if match else (None, lines)


def find_delimiter(lines: Sequence[str]) -> tuple[str, bool]:
    """Return the delimiter of the first lines, and whether spaces behind it are passed over, as before a quoted cell.

    It is in the header, and most lines have as many cells as the header. Without any, or if it divides few rows, it is the
    comma. Spaces are passed over only if that makes more rows even, or if each quote behind one begins a quoted cell.
    """
    header = next((line for line in lines if line.strip()), "")
    # Spreadsheets write ";" in countries where the comma is the decimal separator.
    shapes = [(mark, False) for mark in DELIMITERS if mark in header]
    shapes += [(mark, True) for mark in ",;" if mark in header and any(f'{mark} "' in line for line in lines)]
    found = {shape: _rows(lines, *shape) for shape in shapes}

    def fit(shape: tuple[str, bool]) -> tuple[int, int, bool]:
        mark, space = shape
        lengths = [len(row) for row in found[shape]]
        even = lengths.count(lengths[0]) if lengths and lengths[0] > 1 else 0
        return even, header.count(mark), space and _quotes_follow_spaces(found[mark, False])

    best = max(shapes, key=fit, default=(",", False))
    divided = [len(row) > 1 for row in found.get(best, ())]
    return best if 2 * sum(divided) > len(divided) else (",", False)


def _rows(lines: Sequence[str], delimiter: str, space: bool) -> list[list[str]]:
    quoting = csv.QUOTE_NONE if delimiter == "\t" and not is_quoted(lines) else csv.QUOTE_MINIMAL
    rows = []
    with suppress(csv.Error):  # a cell may be too long
        reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, skipinitialspace=space)
        rows.extend(row for row in reader if any(map(str.strip, row)))
    return rows


def _quotes_follow_spaces(rows: Sequence[Sequence[str]]) -> bool:
    begun = [cell.strip() for row in rows for cell in row if cell.startswith(" ") and cell.lstrip().startswith('"')]
    return bool(begun) and all(map(_QUOTED_CELL.fullmatch, begun))


def is_quoted(lines: Sequence[str]) -> bool:
    """Return whether the cells of tab-separated lines are quoted as in CSV.

    If every line has as many cells as the header, the cells are quoted if the header is, or if each cell that starts with
    a quote ends with one, and either some quote is doubled or exactly these cells have a comma. Otherwise, they are quoted
    if reading them so gives rows of equal length.
    """
    rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    cells = [cell for row in rows for cell in row]
    begun = [cell for cell in cells if cell.startswith('"')]
    if not begun:
        return False
    if all(len(row) == len(rows[0]) for row in rows):
        return all(map(_QUOTED_CELL.fullmatch, rows[0])) or (
            all(map(_QUOTED_CELL.fullmatch, begun))
            and (any('""' in cell[1:-1] for cell in begun) or all((cell[:1] == '"') == ("," in cell) for cell in cells))
        )
    read = []
    with suppress(csv.Error):  # the lines may end inside a cell
        read.extend(row for row in csv.reader(lines, delimiter="\t", strict=True) if row)
    merged = any("\t" in cell and "\n" in cell for row in read for cell in row)
    return len(read) > 1 and not merged and all(len(row) == len(read[0]) for row in read)


def lacks_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row of a table is data instead of column names.

    It is data if no cell is a usual column name, one cell recurs in its column like a label (few different values, each
    many times), and another cell is a text of several words.
    """
    first = [cell.strip() for cell in rows[0]]
    names = {name.casefold() for name in first}
    others = [[cell.strip() for cell in row] for row in rows[1:] if [cell.strip() for cell in row] != first]
    if len(first) < 2 or names & COLUMN_NAMES or len(others) < 2 or not any(" " in cell for cell in first):
        return False
    columns = [[row[place] for row in others if place < len(row)] for place in range(len(first))]
    return any(
        values.count(cell) >= 2 and len(set(values)) <= max(2, len(values) // 5)
        for cell, values in zip(first, columns, strict=True)
        if cell
    )
