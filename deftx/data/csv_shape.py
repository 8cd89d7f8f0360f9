"""How a file with delimiters is written, told from its first lines: delimiter, quoting, and whether it has a header."""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress

LINES_AHEAD = 2_000  # from the start: is there a header, are cells quoted?
# Names that columns of published data sets have. A first row with one of them is a header.
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
_QUOTED_CELL = re.compile(r'"(?:[^"]|"")*"')


def told_delimiter(lines: list[str]) -> tuple[str | None, list[str]]:
    """Return the delimiter that a first line such as "sep=;" names, and the lines without it."""
    told = re.fullmatch(r'"?sep=([,;\t|])"?\s*', lines[0], re.IGNORECASE) if lines else None
    return (told[1], lines[1:]) if told else (None, lines)


def is_quoted(lines: Sequence[str]) -> bool:
    """Say whether the cells of lines with tabs are quoted as in CSV.

    Where every line has as many cells as the header, they are if the header is, or if each cell that begins with a
    quote ends with one and some quote is doubled. Elsewhere, if reading them as quoted gives each row that many cells.
    """
    rows = [line.rstrip("\r\n").split("\t") for line in lines if line.strip()]
    begun = [cell for row in rows for cell in row if cell.startswith('"')]
    if not begun:
        return False
    if all(len(row) == len(rows[0]) for row in rows):
        complete = all(map(_QUOTED_CELL.fullmatch, begun)) and any('""' in cell[1:-1] for cell in begun)
        return complete or all(map(_QUOTED_CELL.fullmatch, rows[0]))
    read = []
    with suppress(csv.Error):  # the lines may end inside a cell
        read.extend(row for row in csv.reader(lines, delimiter="\t", strict=True) if row)
    merged = any("\t" in cell and "\n" in cell for row in read for cell in row)
    return len(read) > 1 and not merged and all(len(row) == len(read[0]) for row in read)


def lacks_header(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether the first row of a table is a row like the others, with no names of columns.

    It is one if no cell of it is the usual name of a column, one cell comes back in its column as labels do (few
    different values, each again and again), and another one is a text of several words.
    """
    first = [cell.strip() for cell in rows[0]]
    names = {name.casefold() for name in first}
    others = [[cell.strip() for cell in row] for row in rows[1:] if [cell.strip() for cell in row] != first]
    if len(first) < 2 or names & COLUMN_NAMES or len(others) < 2 or not any(" " in cell for cell in first):
        return False
    columns = [[row[place] for row in others if place < len(row)] for place in range(len(first))]
    return any(
        held.count(cell) >= 2 and len(set(held)) <= max(2, len(held) // 5)
        for cell, held in zip(first, columns, strict=True)
        if cell
    )
