"""Which columns of a labelled file are the text and the label, where they are called otherwise than here."""

from collections.abc import Sequence
from pathlib import Path

from deftx.errors import TableError
from deftx.reading import find_file
from deftx.records import open_records
from deftx.tables import LABEL, PAIR, SINGLE, choose_columns

# How published data sets call them, the commonest first.
USUAL_NAMES = {
    "premise": ("sentence1", "sentence_1", "text_a", "question1"),
    "hypothesis": ("sentence2", "sentence_2", "text_b", "question2"),
    "text": ("sentence", "review", "tweet", "content", "comment", "document", "body", "utterance", "verse", "question"),
    LABEL: ("labels", "sentiment", "class", "category", "target", "topic", "emotion", "intent", "gold_label", "rating"),
}


def table_columns(path: str | Path) -> tuple[tuple[str, ...], bool]:
    """Give the columns of a labelled file, and whether they are called as expected; TableError if it cannot be read."""
    file = find_file(path, TableError)
    if file.kind == ".txt":
        raise TableError(f"{file.name} is plain text without columns; a label for each text needs a table.")
    records = open_records(file, TableError)
    try:
        choose_columns(records, None, labelled=True)
    except TableError:
        return records.columns, False
    return records.columns, True


def suggest_columns(columns: Sequence[str]) -> dict[str, str]:
    """Guess which column is what from its name: a pair where both are there, else a text; a label. What is unclear is left out."""
    found = {}
    for wanted, usual in USUAL_NAMES.items():
        by_name = {column.strip().casefold(): column for column in columns}
        match = next((by_name[name] for name in (wanted, *usual) if name in by_name), None)
        if match is not None:
            found[wanted] = match
    texts = PAIR if all(name in found for name in PAIR) else SINGLE
    return {name: column for name, column in found.items() if name in (*texts, LABEL)}
