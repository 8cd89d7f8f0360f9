"""Uploaded labelled files, each with the columns chosen for it."""

import csv
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deftx.core.errors import TableError
from deftx.data.incoming import accept_table
from deftx.data.labels import rename_labels
from deftx.data.reading import Amount
from deftx.data.table_rows import LABEL, PAIR, SINGLE, Table
from deftx.data.tables import read_table
from deftx.data.token_rows import TOKENS, TokenTable
from deftx.data.token_tables import read_tokens
from ui import strings
from ui.shared.isolation import read_isolated
from ui.shared.uploads import Admit, KeptFiles, admit_all


class Tables(KeptFiles):
    """The folder of labelled files."""

    def __init__(self, home: Path, admit: Admit = admit_all, most: Amount | None = None) -> None:
        """Create the folder if it is missing."""
        super().__init__(home / "tables", "The labelled file", TableError, admit, most)

    def columns(self, name: str) -> dict[str, str]:
        """Return the file's own name of each column, as ``read_table(columns=…)`` takes it; TableError for an unknown name."""
        return dict(self.note(name).get("columns", {}))

    def has_words(self, name: str) -> bool:
        """Return whether a file has words with tags, and not sentences with labels; TableError for an unknown name."""
        return TOKENS[0] in self.columns(name)

    def read(self, name: str) -> Table:
        """Read a file of sentences with its chosen columns; TableError if it cannot be used for training, or has words."""
        if self.has_words(name):
            raise TableError(strings.WORDS_NOT_HERE.format(name=name))
        return read_table(self.path(name), columns=self.columns(name))

    def labelled(self, name: str) -> Table | TokenTable:
        """Read a file of sentences or of words with its chosen columns; TableError if it cannot be used for training."""
        return read_tokens(self.path(name), columns=self.columns(name)) if self.has_words(name) else self.read(name)

    def add(self, uploaded: str | os.PathLike, columns: Mapping[str, str] | None = None) -> str:
        """Store a labelled file and its columns and return its name; TableError if it cannot be read.

        The same file with other columns is stored separately: training runs that use the first one keep it.
        """
        uploaded = Path(uploaded)
        self._admit_size([uploaded])
        chosen = read_isolated([uploaded], accept_table, uploaded, columns and dict(columns), self._most)
        return self._keep(uploaded, uploaded.name, {"columns": chosen})

    def add_renamed(self, table: Table, labels: Mapping[str, str]) -> str:
        """Store a copy of a table with other labels as a CSV file and return its name; rows whose label becomes "" are left out.

        Raises:
            TableError: No row is left, or the file cannot be stored.
        """
        renamed = rename_labels(table, labels)
        texts = ((text,) if isinstance(text, str) else text for text in renamed.texts)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{table.name.split('.')[0]}-labels.csv"
            with file.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow((*(PAIR if table.pairs else SINGLE), LABEL))
                writer.writerows((*text, label) for text, label in zip(texts, renamed.labels, strict=True))
            return self.add(file)
