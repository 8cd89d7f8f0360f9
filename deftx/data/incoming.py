"""What a server does with uploaded and stored files, by path: calls that can run in a process of their own.

Arguments and results are plain data (``deftx.core.plain``), and small: the text itself stays in the process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from deftx.core.errors import CorpusError, TableError
from deftx.data.audit import Audit, Unused, audit, unused
from deftx.data.characters import describe
from deftx.data.cleaning import CLEANINGS, Effect, clean, preview
from deftx.data.languages import Profile, load_languages, register
from deftx.data.lexicon import read_lexicon
from deftx.data.nearest import Near, nearest
from deftx.data.open_table import as_text
from deftx.data.reading import Amount, check_amount, find_file
from deftx.data.squad import refuse_questions
from deftx.data.table_formats import open_records
from deftx.data.table_rows import LABEL
from deftx.data.tables import choose_columns, read_table
from deftx.data.text import all_lines, read_corpus
from deftx.data.token_tables import is_token_table, read_tokens, token_columns

FIRST_LINES = 3  # lines of a text that are shown: a wrong encoding is seen in them


@dataclass(frozen=True)
class Report:
    """What a text is: its audit, lines that are not used, the share of lines in each language by code, and its first lines."""

    audit: Audit
    unused: tuple[Unused, ...]
    mix: dict[str, float]
    first: tuple[str, ...]


def report(path: Path, languages: Path, tokenizer: Any) -> Report:
    """Report on a text; ``languages`` is the folder of registered languages. CorpusError if it cannot be read."""
    corpus = read_corpus(path)
    mix = load_languages(languages).mix(corpus.lines)
    return Report(audit(corpus, tokenizer), unused(path), mix, tuple(corpus.lines[:FIRST_LINES]))


def accept_text(
    files: Sequence[Path], column: str | None, most: Amount | None, copy: Path | None
) -> tuple[list[str], list[str]]:
    """Check files that are to become one text, and return their names, those of the files in a zip included, and notes on them.

    Args:
        files: The uploaded files.
        column: The column of the text of tables.
        most: How much they may unpack to.
        copy: Where to write their lines.

    Raises:
        CorpusError: If one cannot be read or is too large, or if no line is usable.
    """
    if most is not None:
        check_amount(files, most, CorpusError)
    corpus = read_corpus(files, column=column)
    notes = [*corpus.notes, describe(corpus.normalised)]
    if copy is not None:
        with copy.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in all_lines(files, column=column))
    return [name for name, _ in corpus.sources], [note for note in notes if note]


def accept_table(path: Path, columns: Mapping[str, str] | None, most: Amount | None) -> dict[str, str]:
    """Check a labelled file of sentences or words, and return its names of the standard columns. TableError if it cannot be used."""
    if most is not None:
        check_amount(path, most, TableError)
    refuse_questions(path)
    if LABEL not in (columns or {}) and is_token_table(path, columns):
        read_tokens(path, columns=columns)
        return token_columns(path, columns)
    read_table(path, columns=columns)
    return choose_columns(open_records(find_file(path, TableError), TableError), columns, labelled=True)


def accept_lexicon(path: Path, most: Amount | None) -> None:
    """Check a word list. TableError if it cannot be used."""
    if most is not None:
        check_amount(path, most, TableError)
    read_lexicon(path)


def first_cells(path: Path, columns: Sequence[str], count: int) -> list[list[str]]:
    """Return the first rows of a table as texts. TableError if it cannot be read."""
    rows = open_records(find_file(path, TableError), TableError).rows(columns)
    return [[as_text(cell) for cell in cells] for _, cells in islice(rows, count)]


def effects_of(path: Path, choices: Sequence[str]) -> list[tuple]:
    """Return the fields of the ``Effect`` of each cleaning step, without the step itself, which is code."""
    return [
        (one.chosen, one.lines, one.left, one.dropped, one.changed, one.examples)
        for one in preview(read_corpus(path).lines, choices)
    ]


def as_effects(found: Sequence[tuple]) -> tuple[Effect, ...]:
    """Return the effects of ``effects_of``."""
    return tuple(Effect(step, *fields) for step, fields in zip(CLEANINGS.values(), found, strict=True))


def clean_to(path: Path, choices: Sequence[str], copy: Path) -> None:
    """Write the cleaned lines of a text to ``copy``. CorpusError if no line is left."""
    lines = clean(read_corpus(path).lines, choices)
    if not lines:
        raise CorpusError("No line of this text would be left. Choose fewer cleaning steps.")
    with copy.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def nearest_to(path: Path, languages: Path, tokenizer: Any) -> tuple[Near, ...]:
    """Compare a text with every known language, the nearest first; CorpusError if it has no letters."""
    return nearest(read_corpus(path).lines, load_languages(languages), tokenizer)


def register_text(languages: Path, code: str, name: str, path: Path) -> Profile:
    """Learn the language of a text and store its profile; CorpusError if that is not possible."""
    return register(languages, code, name, read_corpus(path).lines)
