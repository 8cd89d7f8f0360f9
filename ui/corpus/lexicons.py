"""Uploaded word lists."""

import os
from pathlib import Path

from deftx.core.errors import TableError
from deftx.data.incoming import accept_lexicon
from deftx.data.lexicon import Lexicon, read_lexicon
from deftx.data.reading import Amount
from ui.shared.isolation import read_isolated
from ui.shared.uploads import Admit, KeptFiles, admit_all


class Lexicons(KeptFiles):
    """The folder of word lists."""

    def __init__(self, home: Path, admit: Admit = admit_all, most: Amount | None = None) -> None:
        """Create the folder if it is missing."""
        super().__init__(home / "lexicons", "The word list", TableError, admit, most)

    def read(self, name: str) -> Lexicon:
        """Read a word list; TableError if there is none of this name."""
        return read_lexicon(self.path(name))

    def add(self, uploaded: str | os.PathLike) -> str:
        """Store a word list and return its name; TableError if it cannot be read."""
        uploaded = Path(uploaded)
        self._admit_size([uploaded])
        read_isolated([uploaded], accept_lexicon, uploaded, self._most)
        return self._keep(uploaded, uploaded.name)
