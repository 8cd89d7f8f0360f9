"""Raw text for language training: reading it, and splitting it into training and held-out lines."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deftx.core.errors import CorpusError
from deftx.data.documents import text_lines
from deftx.data.file_kinds import HEADED
from deftx.data.hf_datasets import is_dataset, records_of, to_dataset
from deftx.data.open_table import Records, as_text, find_column
from deftx.data.reading import find_file, find_files
from deftx.data.splitting import choose_groups, fold, group_equal
from deftx.data.table_formats import open_records
from deftx.data.unpacking import InputFile

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset
    from datasets.arrow_dataset import Column

TEXT_COLUMN = "text"
NAME_SHOWN = 80  # characters of the name of a column in a note
EMPTY, WITHOUT_LETTERS = "empty", "without letters"  # why a line is not used


@dataclass(frozen=True)
class Corpus:
    """Usable lines of text, their files with the number of lines from each, and the number of unused lines by reason.

    ``fingerprint`` is the SHA-256 over the lines as UTF-8, each ended by a line feed. ``normalised`` counts the lines
    that ``characters.as_seen`` changed, by kind of change; ``notes`` are sentences on how the files were read.
    """

    lines: list[str]
    sources: tuple[tuple[str, int], ...]
    fingerprint: str
    skipped: dict[str, int]
    normalised: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dataset(self) -> "Dataset":
        """Return the lines as a ``Dataset`` of the package ``datasets`` with one column, ``text``."""
        return to_dataset({TEXT_COLUMN: self.lines})


def read_corpus(
    source: "str | os.PathLike | Sequence[str | os.PathLike] | Dataset | IterableDataset | Column",
    *,
    column: str | None = None,
    limit: int | None = None,
    encoding: str | None = None,
) -> Corpus:
    """Read a file, a folder, several files or a data set. A line is usable if it contains a letter or digit.

    Args:
        source: A file, a folder, a list of files, or a data set of ``datasets``, also one column of it or a folder of
            ``save_to_disk``.
        column: The text column of tables. By default the column "text", else the only text column.
        limit: Stop after this many usable lines.
        encoding: The encoding of the files that are not UTF-8.

    Returns:
        The usable lines in the order of the files, with what was left out.

    Raises:
        CorpusError: If a file cannot be read or no line is usable.
    """
    lines: list[str] = []
    sources = []
    skipped = Counter({EMPTY: 0, WITHOUT_LETTERS: 0})
    normalised: Counter[str] = Counter()
    notes: dict[str, None] = {}
    for file, texts in _sources(source, column, encoding, normalised):
        before = len(lines)
        for _, line in texts:
            reason = why_unused(line)
            if reason is not None:
                skipped[reason] += 1
            elif len(lines) == limit:
                break
            else:
                lines.append(line)
        sources.append((file.name, len(lines) - before))
        notes.update(dict.fromkeys(file.notes))
    if not lines:
        names = ", ".join(name for name, _ in sources[:3])
        raise CorpusError(f"There is no usable text in {names}: no line contains a letter or digit.")
    return Corpus(lines, tuple(sources), fingerprint(lines), dict(skipped), dict(normalised), tuple(notes))


def why_unused(line: str) -> str | None:
    """Return why a stripped line is not used; None if it is used, that is, contains a letter or digit."""
    if any(map(str.isalnum, line)):
        return None
    return WITHOUT_LETTERS if line else EMPTY


def all_lines(
    source: str | Path | Sequence[str | Path], *, column: str | None = None, encoding: str | None = None
) -> Iterator[str]:
    """Yield every line of a source, stripped, unused ones included. Raise CorpusError as ``read_corpus`` does."""
    for file in find_files(source, CorpusError, encoding):
        for _, line in _texts(file, column):
            yield line


def unused_lines(
    source: str | Path | Sequence[str | Path], *, column: str | None = None
) -> Iterator[tuple[str, str, int, str]]:
    """Yield (reason, file, line number, text) of each line that ``read_corpus`` leaves out."""
    for file in find_files(source, CorpusError):
        for number, line in _texts(file, column):
            reason = why_unused(line)
            if reason is not None:
                yield reason, file.name, number, line


def columns_of(source: str | Path) -> tuple[tuple[str, ...], str | None]:
    """Return the columns of a table, text columns first, and the one that ``read_corpus`` would use, if any.

    Plain text has no columns. Raises CorpusError if the file cannot be read.
    """
    file = find_file(source, CorpusError)
    if not file.is_table:
        return (), None
    records = open_records(file, CorpusError)
    others = tuple(name for name in records.columns if name not in records.text_columns)
    return (*records.text_columns, *others), _find_text_column(records, None)


def fingerprint(lines: Sequence[str]) -> str:
    """Return the SHA-256 over the lines as UTF-8, each ended by a line feed, in hexadecimal."""
    digest = sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def split(lines: Sequence[str], hold_out: float, seed: int) -> tuple[list[str], list[str]]:
    """Split lines into (training, held out), keeping their order; equal lines always go to the same side.

    ``hold_out`` is the share to hold out; at least one line is. If all lines are equal, both sides contain all lines.
    """
    groups = group_equal(fold(line) for line in lines)
    if len(groups) < 2:
        return list(lines), list(lines)
    chosen = set(choose_groups(groups, hold_out, np.random.default_rng(seed)))
    train = [line for position, line in enumerate(lines) if position not in chosen]
    return train, [lines[position] for position in sorted(chosen)]


def _sources(
    source: Any, column: str | None, encoding: str | None, normalised: Counter[str]
) -> Iterator[tuple[InputFile, Iterator[tuple[int, str]]]]:
    """Yield each file, or the data set, with its numbered texts."""
    if is_dataset(source):
        records = records_of(source, CorpusError)
        yield records.file, _column_texts(records, column, normalised)
        return
    for file in find_files(source, CorpusError, encoding):
        yield file, _texts(file, column, normalised)


def _column_texts(records: Records, column: str | None, normalised: Counter[str] | None) -> Iterator[tuple[int, str]]:
    name = _text_column(records, column)
    if column is None and records.columns == (name,) and " " in name and records.file.kind in HEADED:
        records.file.note(
            f"{records.file.name}: the first line, “{name[:NAME_SHOWN]}”, is read as the name of the column. If it is text, "
            f"put the line {TEXT_COLUMN} before it."
        )
    # The name of the column as a text is the header of a second file that was appended to the first.
    cells = records.texts([name], CorpusError, normalised)
    return ((number, texts[0]) for number, texts in cells if texts[0] != name)


def _texts(file: InputFile, column: str | None, normalised: Counter[str] | None = None) -> Iterator[tuple[int, str]]:
    if file.is_table:
        return _column_texts(open_records(file, CorpusError), column, normalised)
    lines = text_lines(file, CorpusError)
    return ((number, as_text(line.strip(), normalised)) for number, line in lines)


def _find_text_column(records: Records, wanted: str | None) -> str | None:
    found = find_column(records, wanted or TEXT_COLUMN, CorpusError)
    only = wanted is None and len(records.text_columns) == 1
    return records.text_columns[0] if found is None and only else found


def _text_column(records: Records, wanted: str | None) -> str:
    found = _find_text_column(records, wanted)
    if found is None:
        raise CorpusError(
            f"{records.file.name} has no column {wanted or TEXT_COLUMN!r}. Its columns are: "
            f"{', '.join(records.columns)}. Name the one that contains the text (--column NAME)."
        )
    return found
