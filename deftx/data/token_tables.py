"""Reading labelled files: tables of sentences and labels, tables of words and tags, and questions with answers."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deftx.core.errors import TableError, unknown_name
from deftx.core.tags import as_bio, marks_entities, odd_tags, spelled
from deftx.data.characters import as_seen, describe
from deftx.data.conll import COLUMNS, looks_like_conll, open_conll
from deftx.data.file_kinds import CONLL
from deftx.data.hf_datasets import is_dataset, records_of
from deftx.data.open_table import Records, find_column
from deftx.data.question_rows import QuestionTable
from deftx.data.reading import find_file
from deftx.data.squad import is_question_file, read_questions
from deftx.data.table_formats import open_records
from deftx.data.table_rows import Table
from deftx.data.tables import PLACES_NAMED, read_table
from deftx.data.token_rows import TAGS, TOKENS, TokenTable, Words, counted_sentences, fingerprint_of

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

NO_TAG = ("", "_")  # CoNLL-U writes "_" for what was not annotated
CONLL_TEXTS = (".txt", ".tsv")  # files that may be CoNLL columns as well


def read_labelled(
    path: "str | os.PathLike | Dataset | IterableDataset",
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    kind: str | None = None,
) -> Table | TokenTable | QuestionTable:
    """Read a labelled file of any kind.

    Args:
        path: As for ``read_table``, ``read_tokens`` or ``read_questions``.
        columns: The file's own column names if they differ, e.g. {"text": "review"} or {"tags": "xpos"}.
        encoding: The encoding of a file that is not UTF-8.
        kind: "sentences", "tokens" or "questions"; by default, what the file looks like.

    Returns:
        Sentences with labels, words with tags, or questions with answers.

    Raises:
        TableError: If the file cannot be read, or the kind is unknown.
    """
    if kind is not None and kind not in KINDS:
        raise unknown_name("The kind of labelled file", kind, KINDS, TableError)
    return KINDS[kind or _kind_of(path, columns, encoding)](path, columns=columns, encoding=encoding)


def _kind_of(path: Any, columns: Mapping[str, str] | None, encoding: str | None) -> str:
    if is_question_file(path):
        return "questions"
    return "tokens" if is_token_table(path, columns, encoding) else "sentences"


def is_token_table(
    path: "str | os.PathLike | Dataset | IterableDataset",
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> bool:
    """Return whether a file looks like words with tags: CoNLL columns, or a table with lists of words and tags.

    Lists that are written as text, as in CSV, count too, for ``read_tokens`` to say how to write them.
    """
    if {"tokens", "tags"} & set(columns or ()):
        return True
    records = _open(path, encoding, sure=False)
    if records is None:
        return False
    if records.file.kind in CONLL or (records.file.kind in CONLL_TEXTS and records.columns is COLUMNS):
        return True
    words, tags = (column_of(records, columns, names) for names in (TOKENS, TAGS))
    row = next(records.rows([words, tags]), None) if words and tags else None
    return row is not None and all(is_list(cell) or str(cell).startswith("[") for cell in row[1])


def read_tokens(
    path: "str | os.PathLike | Dataset | IterableDataset",
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> TokenTable:
    """Read sentences whose words have tags: entities in BIO, or a class for each word, such as its part of speech.

    An I- without an entity before it is read as B-, as seqeval does; tags in BIOES, BMES and BILOU are read as BIO, and so are
    other spellings of it, such as b-PER and B_PER.

    Args:
        path: JSON lines, Parquet or a saved data set with lists of words and tags (``tokens``, ``tags``), a file in CoNLL
            columns or CoNLL-U, or a data set of ``datasets``.
        columns: The file's own names of the columns ``tokens`` and ``tags`` if they differ.
        encoding: The encoding of a file that is not UTF-8.

    Returns:
        The usable sentences in the order of the file, with what was left out and what was repaired.

    Raises:
        TableError: If the file cannot be read, has no usable sentence, or some of its tags of entities are not in BIO.
    """
    records = _open(path, encoding, sure=True)
    if records is None:
        raise TableError(f"{path} has no columns of words and tags.")
    names = _columns(records, columns)
    sentences, tags, numbers, left_out = [], [], [], defaultdict(list)
    changes: Counter[str] = Counter()
    for number, cells in records.rows(names):
        place = f"{records.file.name}, {records.unit} {number}"
        words, marks = (words_of(cell, place, name) for cell, name in zip(cells, names, strict=True))
        if len(words) != len(marks):
            raise TableError(f"{place}: {len(words):,} words, but {len(marks):,} tags. Each word needs one tag.")
        if not words:
            left_out["no words"].append(number)
        elif any(mark in NO_TAG for mark in marks):
            left_out["a word without a tag"].append(number)
        else:
            sentences.append(tuple(as_seen(word, changes) or word for word in words))
            tags.append(tuple(marks))
            numbers.append(number)
    _check_tags(records, tags, numbers)
    return _table(records, sentences, tags, left_out, changes)


def token_columns(
    path: str | os.PathLike, columns: Mapping[str, str] | None = None, encoding: str | None = None
) -> dict[str, str]:
    """Return the file's own names of the columns ``tokens`` and ``tags``. Raise TableError if it has none."""
    records = _open(path, encoding, sure=True)
    if records is None:
        raise TableError(f"{path} has no columns of words and tags.")
    return dict(zip((TOKENS[0], TAGS[0]), _columns(records, columns), strict=True))


def _check_tags(records: Records, tags: Sequence[Words], numbers: Sequence[int]) -> None:
    """Raise TableError if tags are numbers, or if some are not in BIO where the others mark entities."""
    name = records.file.name
    first = {tag: number for row, number in zip(reversed(tags), reversed(numbers), strict=True) for tag in row}
    if first and all(tag.isdecimal() for tag in first):
        raise TableError(f"The tags of {name} are numbers. Write their names, such as B-PER or NOUN.")
    if odd := sorted(odd_tags(first), key=lambda tag: (first[tag], tag)):
        named = [f"{tag!r} (in the sentence at {records.unit} {first[tag]:,})" for tag in odd[:PLACES_NAMED]]
        raise TableError(
            f"{name} has tags of entities that are not in BIO: {', '.join(named)}{' …' if len(odd) > PLACES_NAMED else ''}. "
            "Each must be O, or a type after B- or I-, such as B-PER and I-PER. Correct them."
        )


def _table(
    records: Records,
    sentences: list[Words],
    tags: list[Words],
    left_out: Mapping[str, list[int]],
    changes: Counter[str],
) -> TokenTable:
    name, unit, repaired = records.file.name, records.unit, 0
    notes = [*records.file.notes]
    for reason, places in left_out.items():
        named = ", ".join(map(str, places[:PLACES_NAMED])) + (" …" if len(places) > PLACES_NAMED else "")
        notes.append(f"{name}: {counted_sentences(len(places))} with {reason} left out ({unit} {named}).")
    notes += [f"{name}: {describe(changes, 'word')}"] if changes else []
    if not sentences:
        raise TableError(" ".join([f"{name} has no usable sentence.", *notes]))
    found = {tag for row in tags for tag in row}
    if marks_entities(map(spelled, found)):
        repaired_tags = [tuple(as_bio([*map(spelled, row)])) for row in tags]
        repaired = sum(
            a != b for old, new in zip(tags, repaired_tags, strict=True) for a, b in zip(old, new, strict=True)
        )
        tags = repaired_tags
    if repaired:
        are = "1 tag is" if repaired == 1 else f"{repaired:,} tags are"
        notes.append(
            f"{name}: {are} not in BIO, where an entity begins with B- and goes on with I-, and read as if in it."
        )
    dropped = {reason: len(places) for reason, places in left_out.items()}
    return TokenTable(sentences, tags, name, fingerprint_of(sentences, tags), dropped, repaired, tuple(notes))


def _open(source: Any, encoding: str | None, sure: bool) -> Records | None:
    """Open a file; None for a text without columns of words, unless it is ``sure`` that it has them."""
    if is_dataset(source):
        return records_of(source, TableError)
    file = find_file(source, TableError, encoding)
    if file.kind in CONLL_TEXTS and looks_like_conll(file, TableError):
        return open_conll(file, TableError)
    records = open_records(file, TableError) if file.is_table else None
    headed = records is not None and all(column_of(records, None, names) for names in (TOKENS, TAGS))
    return open_conll(file, TableError) if sure and file.kind in CONLL_TEXTS and not headed else records


def _columns(records: Records, mapping: Mapping[str, str] | None) -> list[str]:
    for name in mapping or {}:
        if name not in (TOKENS[0], TAGS[0]):
            raise unknown_name("The column", name, (TOKENS[0], TAGS[0]), TableError)
    found = [column_of(records, mapping, names) for names in (TOKENS, TAGS)]
    if missing := [names[0] for names, column in zip((TOKENS, TAGS), found, strict=True) if column is None]:
        raise TableError(
            f"{records.file.name} has no column {' and no column '.join(map(repr, missing))}. "
            f"Found: {', '.join(records.columns)}. Expected: lists of words and tags."
        )
    return [column for column in found if column is not None]


def column_of(records: Records, mapping: Mapping[str, str] | None, names: Sequence[str]) -> str | None:
    """Return the file's own name of a column: that in ``mapping``, else the first of the expected ``names``; None without one."""
    wanted = (mapping or {}).get(names[0])
    found = (find_column(records, name, TableError) for name in ((wanted,) if wanted else names))
    return next((column for column in found if column is not None), None)


def is_list(cell: Any) -> bool:
    """Return whether a cell holds several values."""
    return isinstance(cell, (list, tuple))


def words_of(cell: Any, place: str, column: str) -> list[str]:
    """Return the words or tags in a cell without outer spaces. Raise TableError if the cell at ``place`` holds no list."""
    if not is_list(cell):
        raise TableError(f"{place}: column {column!r} contains no list. Write words and tags as lists, as JSON lines.")
    return ["" if one is None else str(one).strip() for one in cell]


# The kinds of labelled files.
KINDS: dict[str, Callable[..., Table | TokenTable | QuestionTable]] = {
    "sentences": read_table,
    "tokens": read_tokens,
    "questions": read_questions,
}
