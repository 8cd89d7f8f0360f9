"""The texts that people brought, and those that came of cleaning them."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deftx.core.errors import CorpusError
from deftx.data.cleaning import CLEANINGS, clean
from deftx.data.text import Corpus, all_lines, read_corpus
from deftx.models.bases import ASSETS
from ui import strings
from ui.shared.uploads import Admit, KeptFiles, admit_all, safe_name

SAMPLE = "sample:indonesian"  # no file can be called so: names are free of colons
SAMPLE_FILE = ASSETS / "samples" / "indonesian.txt"


def title_of(name: str) -> str:
    """How a text is called on the page."""
    return strings.SAMPLE if name == SAMPLE else name


class Corpora(KeptFiles):
    """The folder of texts; the sample counts as one of them."""

    def __init__(self, home: Path, admit: Admit = admit_all) -> None:
        """Create the folder where it is missing."""
        super().__init__(home / "corpora", "The text", CorpusError, admit)

    def path(self, name: str) -> Path:
        """Find a text by its name; CorpusError for any other, so that no path gets through."""
        return SAMPLE_FILE if name == SAMPLE else super().path(name)

    def read(self, name: str) -> Corpus:
        """Read a text; CorpusError where it holds nothing usable."""
        return read_corpus(self.path(name))

    def add(self, uploaded: str | os.PathLike | Sequence[str | os.PathLike], column: str | None = None) -> str:
        """Keep a file, or several as one text, and return the name it has here; CorpusError where one cannot be read.

        ``column`` names the one that holds the text where a table has several; its lines alone are kept.
        """
        files = [Path(uploaded)] if isinstance(uploaded, (str, os.PathLike)) else [Path(file) for file in uploaded]
        corpus = read_corpus(files, column=column)
        if len(files) == 1 and column is None:
            return self._keep(files[0], files[0].name)
        note = {"files": [name for name, _ in corpus.sources], **({"column": column} if column else {})}
        stem = safe_name(files[0].name)[0]
        return self.add_lines(
            f"{stem}-and-{len(files) - 1}-more" if len(files) > 1 else stem, all_lines(files, column=column), note
        )

    def clean(self, name: str, choices: Sequence[str]) -> str:
        """Keep a cleaned copy of a text beside it and return its name; CorpusError where nothing is left or chosen."""
        if not choices:
            raise CorpusError(strings.NOTHING_TO_CLEAN)
        lines = clean(self.read(name).lines, choices)
        stem = "sample" if name == SAMPLE else safe_name(name)[0]
        note = {"cleaned_from": name, "choices": [choice for choice in CLEANINGS if choice in choices]}
        return self.add_lines(f"{stem}-cleaned", lines, note)

    def add_lines(self, name: str, lines: Iterable[str], note: dict[str, Any] | None = None) -> str:
        """Keep lines as a text of its own, under this name or a numbered one; ``note`` says where they come from."""
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.folder, prefix=".", suffix=".part") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            return self._keep(Path(file.name), f"{name}.txt", note)

    def _offered(self, known: list[str]) -> list[str]:
        return [*known, SAMPLE]
