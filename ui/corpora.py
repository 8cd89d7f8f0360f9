"""The texts that people brought: copied below DEFTX_HOME under safe names, and found again by name alone."""

import filecmp
import os
import re
import shutil
from pathlib import Path

from deftx.bases import ASSETS
from deftx.errors import CorpusError, unknown_name
from deftx.reading import KINDS
from deftx.text import Corpus, read_corpus

SAMPLE = "sample:indonesian"  # no file can be called so: names are free of colons
SAMPLE_FILE = ASSETS / "samples" / "indonesian.txt"
LONGEST_NAME = 80  # characters, ending included


class Corpora:
    """The folder of texts; the names it gives out are the only ones it takes."""

    def __init__(self, home: Path) -> None:
        """Create the folder where it is missing, readable by its owner alone."""
        self.folder = home / "corpora"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """List the files, the newest first."""
        files = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return [path.name for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)]

    def path(self, name: str) -> Path:
        """Find a text by its name; CorpusError for any other, so that no path gets through."""
        if name == SAMPLE:
            return SAMPLE_FILE
        known = self.names()
        if name not in known:
            raise unknown_name("The text", str(name), [*known, SAMPLE], CorpusError)
        return self.folder / name

    def read(self, name: str) -> Corpus:
        """Read a text; CorpusError where it holds nothing usable."""
        return read_corpus(self.path(name))

    def add(self, uploaded: str | os.PathLike) -> str:
        """Copy a file that can be read as a corpus, and return the name it has here; CorpusError for any other."""
        uploaded = Path(uploaded)
        read_corpus(uploaded)
        target = self._free_place(uploaded)
        if not target.exists():
            draft = target.with_name(f".{target.name}.part")
            shutil.copyfile(uploaded, draft)
            os.replace(draft, target)
        os.utime(target)  # what was brought last stands first
        return target.name

    def _free_place(self, uploaded: Path) -> Path:
        """Give the place for a file: the old one for the same content, a numbered one where the name is taken."""
        stem, ending = safe_name(uploaded.name)
        number = 1
        while True:
            place = self.folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
            if not place.exists() or filecmp.cmp(place, uploaded, shallow=False):
                return place
            number += 1


def safe_name(name: str) -> tuple[str, str]:
    """Turn any file name into a (stem, ending) of letters, digits, hyphens and dots; the ending says how to read it."""
    lower = name.lower()
    ending = next((kind + gz for kind in KINDS for gz in (".gz", "") if lower.endswith(kind + gz)), "")
    stem = re.sub(r"[^\w-]+", "-", name[: len(name) - len(ending)]).strip("-")
    return stem[: LONGEST_NAME - len(ending)] or "text", ending
