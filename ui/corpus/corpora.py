"""Uploaded texts, and texts made from them by cleaning."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deftx.core.errors import CorpusError
from deftx.data.cleaning import CLEANINGS, clean
from deftx.data.reading import Amount
from deftx.data.text import Corpus, all_lines, read_corpus
from deftx.models.bases import ASSETS
from ui import strings
from ui.shared.uploads import Admit, KeptFiles, admit_all, safe_name

SAMPLE = "sample:indonesian"  # no file can have this name: names contain no colons
SAMPLE_FILE = ASSETS / "samples" / "indonesian.txt"


def title_of(name: str) -> str:
    """Return the page's name of a text."""
    return strings.SAMPLE if name == SAMPLE else name


class Corpora(KeptFiles):
    """The folder of texts, which includes the sample."""

    def __init__(self, home: Path, admit: Admit = admit_all, most: Amount | None = None) -> None:
        """Create the folder if it is missing."""
        super().__init__(home / "corpora", "The text", CorpusError, admit, most)

    def path(self, name: str) -> Path:
        """Find a text by its name; CorpusError for any other name, so paths are not accepted."""
        return SAMPLE_FILE if name == SAMPLE else super().path(name)

    def read(self, name: str) -> Corpus:
        """Read a text; CorpusError if it has no usable lines."""
        return read_corpus(self.path(name))

    def add(self, uploaded: str | os.PathLike | Sequence[str | os.PathLike], column: str | None = None) -> str:
        """Store a file, or several as one text, and return its name; CorpusError if one cannot be read.

        ``column`` is the column of the text if a table has several; only its lines are stored.
        """
        files = [Path(uploaded)] if isinstance(uploaded, (str, os.PathLike)) else [Path(file) for file in uploaded]
        self._admit_files(files)
        corpus = read_corpus(files, column=column)
        if len(files) == 1 and column is None:
            return self._keep(files[0], files[0].name)
        note = {"files": [name for name, _ in corpus.sources], **({"column": column} if column else {})}
        stem = safe_name(files[0].name)[0]
        return self.add_lines(
            f"{stem}-and-{len(files) - 1}-more" if len(files) > 1 else stem, all_lines(files, column=column), note
        )

    def clean(self, name: str, choices: Sequence[str]) -> str:
        """Store a cleaned copy of a text and return its name; CorpusError if no line is left or no step is chosen."""
        if not choices:
            raise CorpusError(strings.NOTHING_TO_CLEAN)
        lines = clean(self.read(name).lines, choices)
        if not lines:
            raise CorpusError("No line of this text would be left. Choose fewer cleaning steps.")
        stem = "sample" if name == SAMPLE else safe_name(name)[0]
        note = {"cleaned_from": name, "choices": [choice for choice in CLEANINGS if choice in choices]}
        return self.add_lines(f"{stem}-cleaned", lines, note)

    def add_lines(self, name: str, lines: Iterable[str], note: dict[str, Any] | None = None) -> str:
        """Store lines as a text under this name or a numbered one; ``note`` describes where they come from."""
        draft = partial(tempfile.NamedTemporaryFile, "w", encoding="utf-8", dir=self.folder, prefix=".", suffix=".part")
        with self._storing(name), draft() as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            return self._keep(Path(file.name), f"{name}.txt", note)

    def _offered(self, known: list[str]) -> list[str]:
        return [*known, SAMPLE]
