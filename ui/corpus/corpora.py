"""Uploaded texts, and texts made from them by cleaning."""

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deftx.core.errors import CorpusError
from deftx.core.files import PART
from deftx.data.cleaning import CLEANINGS
from deftx.data.incoming import accept_text, clean_to
from deftx.data.reading import Amount
from deftx.data.text import Corpus, read_corpus
from deftx.models.bases import ASSETS
from ui import strings
from ui.shared.isolation import read_isolated
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
        self._admit_size(files)
        if len(files) == 1 and column is None:
            read_isolated(files, accept_text, files, column, self._most, None)
            return self._keep(files[0], files[0].name)
        note: dict[str, Any] = {"column": column} if column else {}

        def write(draft: Path) -> None:
            note["files"], said = read_isolated(files, accept_text, files, column, self._most, draft)
            if said:
                note["notes"] = said

        stem = safe_name(files[0].name)[0]
        return self._add_written(f"{stem}-and-{len(files) - 1}-more" if len(files) > 1 else stem, write, note)

    def clean(self, name: str, choices: Sequence[str]) -> str:
        """Store a cleaned copy of a text and return its name; CorpusError if no line is left or no step is chosen."""
        if not choices:
            raise CorpusError(strings.NOTHING_TO_CLEAN)
        path = self.path(name)
        stem = "sample" if name == SAMPLE else safe_name(name)[0]
        note = {"cleaned_from": name, "choices": [choice for choice in CLEANINGS if choice in choices]}
        note |= {key: said for key, said in self.note(name).items() if key == "notes"}
        return self._add_written(
            f"{stem}-cleaned", lambda draft: read_isolated([path], clean_to, path, choices, draft), note
        )

    def add_lines(self, name: str, lines: Iterable[str], note: dict[str, Any] | None = None) -> str:
        """Store lines as a text under this name or a numbered one; ``note`` describes where they come from."""

        def write(draft: Path) -> None:
            with draft.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)

        return self._add_written(name, write, note)

    def with_lines(self, lines: Iterable[str]) -> str:
        """Return the newest text that holds exactly these lines; empty if there is none."""
        content = "".join(f"{line}\n" for line in lines).encode("utf-8")
        files = (self.folder / name for name in self.names())
        alike = (file for file in files if file.stat().st_size == len(content))
        return next((file.name for file in alike if file.read_bytes() == content), "")

    def _add_written(self, name: str, write: Callable[[Path], object], note: dict[str, Any] | None) -> str:
        """Store what ``write`` writes to a draft, as ``add_lines`` does."""
        draft = partial(tempfile.NamedTemporaryFile, dir=self.folder, prefix=".", suffix=PART)
        with self._writing(strings.NOT_STORED, name), draft() as file:
            write(Path(file.name))
            return self._keep(Path(file.name), f"{name}.txt", note)

    def _offered(self, known: list[str]) -> list[str]:
        return [*known, SAMPLE]
