"""The labelled files that people brought: copied below DEFTX_HOME under safe names, and found again by name alone."""

import filecmp
import os
import shutil
from pathlib import Path

from deftx.errors import TableError, unknown_name
from deftx.tables import Table, read_table
from ui.corpora import safe_name


class Tables:
    """The folder of labelled files; the names it gives out are the only ones it takes."""

    def __init__(self, home: Path) -> None:
        """Create the folder where it is missing, readable by its owner alone."""
        self.folder = home / "tables"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """List the files, the newest first."""
        files = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return [path.name for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)]

    def path(self, name: str) -> Path:
        """Find a file by its name; TableError for any other, so that no path gets through."""
        if name not in self.names():
            raise unknown_name("The labelled file", str(name), self.names(), TableError)
        return self.folder / name

    def columns(self, name: str) -> dict[str, str]:
        """Give the file's own name of each column that is called otherwise than expected."""
        return {}

    def read(self, name: str) -> Table:
        """Read a file; TableError where it cannot be learned from."""
        return read_table(self.path(name))

    def add(self, uploaded: str | os.PathLike) -> str:
        """Keep a labelled file and return the name it has here; TableError where it cannot be read."""
        uploaded = Path(uploaded)
        read_table(uploaded)
        stem, ending = safe_name(uploaded.name)
        number, place = 1, self.folder / f"{stem}{ending}"
        while place.exists() and not filecmp.cmp(place, uploaded, shallow=False):
            number += 1
            place = self.folder / f"{stem}-{number}{ending}"
        draft = place.with_name(f".{place.name}.part")
        shutil.copyfile(uploaded, draft)
        os.replace(draft, place)
        return place.name
