"""Rows of texts with their labels: the class ``Table``, and the choice of rows for validation."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from deftx.core.errors import TableError
from deftx.data.hf_datasets import to_dataset
from deftx.data.splitting import choose_groups, fold, group_equal

if TYPE_CHECKING:
    from datasets import Dataset

PAIR, SINGLE, LABEL = ("premise", "hypothesis"), ("text",), "label"  # names of the columns of a file of such rows


@dataclass(frozen=True)
class Table:
    """Rows of a labelled file: a text or (premise, hypothesis) and its label. ``labels`` is empty if read without labels.

    ``dropped`` counts the rows that were left out, by reason; ``notes`` describes them with their first line numbers.
    ``fingerprint`` is the SHA-256 over the rows, each written as a JSON array and a line feed.
    """

    texts: list[str] | list[tuple[str, str]]
    labels: list[str]
    pairs: bool
    name: str
    fingerprint: str
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.texts)

    def keep(self, positions: Iterable[int]) -> "Table":
        """Return a table of only the rows at these positions.

        Args:
            positions: Indices of rows, from 0, in the order of the new table.
        """
        positions = list(positions)
        texts = [self.texts[position] for position in positions]
        labels = [self.labels[position] for position in positions] if self.labels else []
        return replace(self, texts=texts, labels=labels, fingerprint=fingerprint_of(texts, labels))

    def to_dataset(self) -> "Dataset":
        """Return the rows as a ``Dataset`` of the package ``datasets``, for ``save_to_disk`` or ``push_to_hub``.

        Returns:
            The columns that a file of such rows has, the label as a ``ClassLabel``.
        """
        columns: dict[str, list[str]] = {LABEL: self.labels} if self.labels else {}
        for at, name in enumerate(PAIR if self.pairs else SINGLE):
            columns[name] = [text if isinstance(text, str) else text[at] for text in self.texts]
        return to_dataset(columns, LABEL if self.labels else None)


def join_tables(tables: Sequence[Table]) -> Table:
    """Return the rows of all tables in their order; one table is returned as it is."""
    if len(tables) == 1:
        return tables[0]
    texts: list = [text for table in tables for text in table.texts]
    labels = [label for table in tables for label in table.labels]
    dropped = dict(sum((Counter(table.dropped) for table in tables), Counter()))
    notes = tuple(note for table in tables for note in table.notes)
    name = ", ".join(table.name for table in tables)
    return Table(texts, labels, tables[0].pairs, name, fingerprint_of(texts, labels), dropped, notes)


def label_names(table: Table) -> list[str]:
    """Return the labels of a table, sorted by number if all are integers, else alphabetically."""
    names = sorted(set(table.labels))
    return sorted(names, key=int) if all(re.fullmatch(r"[+-]?[0-9]+", name) for name in names) else names


def hold_out(table: Table, share: float, seed: int) -> tuple[Table, Table]:
    """Split rows into (training, validation), stratified by label; equal texts always go to the same side.

    A label with two or more different texts has at least one row on each side. Raises TableError if there is no such label.
    """
    generator = np.random.default_rng(seed)
    by_label = defaultdict(list)
    for group in group_equal(map(folded, table.texts)):
        by_label[table.labels[group[0]]].append(group)
    valid = {row for label in sorted(by_label) for row in choose_groups(by_label[label], share, generator)}
    if not valid:
        raise TableError(f"{table.name} has too few rows to hold some out for validation. Give a validation file.")
    train = table.keep(row for row in range(len(table)) if row not in valid)
    # Rows that were left out of the file are reported once, with the training rows.
    return train, replace(table.keep(sorted(valid)), name=f"{table.name} (held out)", dropped={}, notes=())


def fingerprint_of(texts: Sequence[str | tuple[str, str]], labels: Sequence[str]) -> str:
    """Return the SHA-256 of texts and labels in their order."""
    digest = sha256()
    for text, label in zip_longest(texts, labels):
        digest.update(json.dumps([text, label], ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def folded(text: str | tuple[str, str]) -> object:
    """Return a text or pair as ``fold`` writes it, to find equal ones."""
    return fold(text) if isinstance(text, str) else tuple(map(fold, text))


def counted_rows(count: int) -> str:
    """Return a number of rows in words, such as "1 row"."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
