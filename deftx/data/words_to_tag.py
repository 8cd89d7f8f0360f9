"""Files whose words are to be tagged: texts, or sentences that are split into words already."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from deftx.core.errors import TableError
from deftx.data.characters import as_seen
from deftx.data.conll import open_conll
from deftx.data.file_kinds import CONLL
from deftx.data.reading import find_file
from deftx.data.table_formats import open_records
from deftx.data.table_rows import SINGLE
from deftx.data.token_rows import TOKENS, Words
from deftx.data.token_tables import column_of, is_list, words_of
from deftx.data.unlabelled import Rows, read_texts
from deftx.data.unpacking import InputFile


@dataclass(frozen=True)
class ToTag:
    """A file to tag: its rows with their texts and, if the file has words, those of each text."""

    rows: Rows
    words: list[Words] | None = None


def read_to_tag(path: str | Path, *, columns: Mapping[str, str] | None = None, encoding: str | None = None) -> ToTag:
    """Read texts as ``read_texts`` does, or sentences of words from CoNLL, CoNLL-U or a table with lists of words.

    Tags in the file are not read: it may have none.

    Args:
        path: The file.
        columns: The file's own name of the column ``text`` or ``tokens`` if it differs.
        encoding: The encoding of a file that is not UTF-8.

    Raises:
        TableError: If the file cannot be read or has no text.
    """
    file = find_file(path, TableError, encoding)
    found = _sentences(file, columns or {})
    if found is None:
        return ToTag(_single_texts(path, columns, encoding))
    sentences = list(found)
    positions = [place for place, words in enumerate(sentences) if words]
    if not positions:
        raise TableError(f"{file.name} contains no word to tag.")
    texts = list(map(" ".join, sentences))
    rows = Rows(
        SINGLE, [[text] for text in texts], [texts[place] for place in positions], positions, False, tuple(file.notes)
    )
    return ToTag(rows, [sentences[place] for place in positions])


def has_words(path: str | Path) -> bool:
    """Return whether ``read_to_tag`` would find words in a file, and not texts. Raise TableError if it cannot be read."""
    return _sentences(find_file(path, TableError), {}) is not None


def _single_texts(path: str | Path, columns: Mapping[str, str] | None, encoding: str | None) -> Rows:
    rows = read_texts(path, columns=columns, encoding=encoding)
    if rows.pairs:
        raise TableError(
            f"{Path(path).name} has pairs of texts; words are tagged in single texts. Name the column text."
        )
    return rows


def _sentences(file: InputFile, columns: Mapping[str, str]) -> Iterator[Words] | None:
    """Return the words of each sentence; None for a file of texts."""
    if SINGLE[0] in columns or not file.is_table:
        return None
    records = open_conll(file, TableError, tagged=False) if file.kind in CONLL else open_records(file, TableError)
    name = column_of(records, columns, TOKENS)
    rows = records.rows([name]) if name else iter(())
    first = next(rows, None)
    if not name or first is None or not is_list(first[1][0]):
        return None
    places = ((f"{file.name}, {records.unit} {number}", cells[0]) for number, cells in chain([first], rows))
    return (tuple(as_seen(word) or word for word in words_of(cell, place, name) if word) for place, cell in places)
