"""Guessing which columns of a file are the text and the label, if they do not have the expected names."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from deftx.core.errors import DeftxError, TableError
from deftx.data.file_kinds import KINDS
from deftx.data.open_table import as_text
from deftx.data.reading import find_file
from deftx.data.squad import refuse_questions
from deftx.data.table_formats import open_records
from deftx.data.table_rows import LABEL, PAIR, SINGLE
from deftx.data.tables import choose_columns
from deftx.data.token_rows import refuse_words
from deftx.data.token_tables import is_token_table

ROWS_LOOKED_AT = 200  # first rows, to guess the content of a column

# Names in published data sets, the most frequent first.
USUAL_NAMES = {
    "premise": ("sentence1", "sentence_1", "text_a", "question1"),
    "hypothesis": ("sentence2", "sentence_2", "text_b", "question2"),
    "text": ("sentence", "review", "tweet", "content", "comment", "document", "body", "utterance", "verse", "question"),
    LABEL: ("labels", "sentiment", "class", "category", "target", "topic", "emotion", "intent", "gold_label", "rating"),
}


def table_columns(path: str | Path, *, labelled: bool = True) -> tuple[tuple[str, ...], bool]:
    """Return the columns of a file, and whether they have the expected names. Raise TableError if it cannot be read.

    Plain text has the one column "text". Words with tags are recognised where labels are needed.
    """
    if labelled:
        refuse_questions(path)
    file = find_file(path, TableError)
    if not file.is_table and not labelled:
        return SINGLE, True
    if not file.is_table:
        raise TableError(f"{file.name} is {KINDS[file.kind]} without columns; labelled texts need a table.")
    records = open_records(file, TableError)
    if labelled and is_token_table(path):
        return records.columns, True
    try:
        choose_columns(records, None, labelled=labelled)
    except TableError:
        refuse_words(file.name, records.columns)
        return records.columns, False
    return records.columns, True


def suggest_columns(columns: Sequence[str]) -> dict[str, str]:
    """Guess the columns of the pair, else of the text, and of the label by their names. Unclear ones are left out."""
    found = {}
    for wanted, usual in USUAL_NAMES.items():
        by_name = {column.strip().casefold(): column for column in columns}
        match = next((by_name[name] for name in (wanted, *usual) if name in by_name), None)
        if match is not None:
            found[wanted] = match
    texts = PAIR if all(name in found for name in PAIR) else SINGLE
    return {name: column for name, column in found.items() if name in (*texts, LABEL)}


def guess_columns(path: str | Path, columns: Sequence[str]) -> dict[str, str]:
    """Guess the columns of the text and the label by name, else by content. Unclear ones are left out.

    By content, the text is the column with the most characters and the label the column with the fewest repeated values.
    Raises TableError if the file cannot be read.
    """
    found = suggest_columns(columns)
    if PAIR[0] in found:
        return found
    cells = _first_cells(path, columns, TableError)
    found = {SINGLE[0]: _longest(cells), **found}
    values = {name: len(set(column)) for name, column in cells.items() if name != found[SINGLE[0]]}
    repeating = {name: count for name, count in values.items() if 1 < count <= len(cells[name]) / 2}
    if LABEL not in found and repeating:
        found[LABEL] = min(repeating, key=lambda name: repeating[name])
    return found


def guess_text_column(path: str | Path, columns: Sequence[str], error: type[DeftxError]) -> str:
    """Return the column with the most characters."""
    return _longest(_first_cells(path, columns, error))


def _first_cells(path: str | Path, columns: Sequence[str], error: type[DeftxError]) -> dict[str, list[str]]:
    rows = islice(open_records(find_file(path, error), error).rows(columns), ROWS_LOOKED_AT)
    texts = [[as_text(cell) for cell in cells] for _, cells in rows]
    return {name: [row[place] for row in texts] for place, name in enumerate(columns)}


def _longest(cells: dict[str, list[str]]) -> str:
    return max(cells, key=lambda name: sum(map(len, cells[name])))
