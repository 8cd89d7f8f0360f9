"""Imported vectors: a folder for each below DEFTX_HOME, and a trash from which they can be restored."""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, count
from pathlib import Path

from deftx.core.errors import JOINERS, VectorError, unknown_name
from deftx.core.files import TRASH_KEPT, move, write_json
from deftx.core.names import is_plain, plain_name
from deftx.vectors.vector_files import INFO

NOTE = "own.json"  # added to the vector's files: title, origin and time of the import
ABANDONED = 86_400.0  # seconds until the folder of an interrupted import is deleted
LONGEST_TITLE, LONGEST_NAME = 80, 60  # characters


@dataclass(frozen=True)
class OwnVector:
    """An imported vector: its name (an id), title and origin; times are seconds since 1970."""

    name: str
    folder: Path
    title: str
    origin: str
    added: float
    trashed: float | None = None


class OwnVectors:
    """The folder of imported vectors below ``home``. It accepts only names of existing vectors, no paths."""

    def __init__(self, home: Path) -> None:
        """Use ``home``/vectors, which is created with the first vector."""
        self.folder = home / "vectors"
        self._trash = self.folder / ".trash"

    def list(self) -> tuple[OwnVector, ...]:
        """Return all vectors, the newest first."""
        return _read_all(self.folder)

    def trash(self) -> tuple[OwnVector, ...]:
        """Return the vectors in the trash, the last removed first."""
        return tuple(sorted(_read_all(self._trash), key=lambda own: own.trashed or 0, reverse=True))

    def get(self, name: str) -> OwnVector:
        """Return a vector by its name. Raise VectorError for any other text, such as a path."""
        return _find(self.list(), name)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Yield an empty folder for a new vector; what is left in it at the end is deleted."""
        self.remove_expired()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".incoming-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, folder: Path, title: str, origin: str) -> OwnVector:
        """Move a complete vector to its place, under a free name made from ``title``, atomically."""
        own = OwnVector("", folder, clean(title, LONGEST_TITLE) or "vector", clean(origin, 200), time.time())
        _write_note(own)
        return self._place(own, safe_name(own.title), self.folder)

    def rename(self, name: str, title: str) -> OwnVector:
        """Change the title of a vector. Its name, which jobs and links use, stays."""
        title = clean(title, LONGEST_TITLE)
        if not title:
            raise VectorError("A vector needs a name: type one with at least one letter.")
        own = replace(self.get(name), title=title)
        _write_note(own)
        return own

    def discard(self, name: str) -> OwnVector:
        """Move a vector to the trash."""
        own = replace(self.get(name), trashed=time.time())
        self._trash.mkdir(mode=0o700, exist_ok=True)
        _write_note(own)
        return self._place(own, own.name, self._trash)

    def restore(self, name: str) -> OwnVector:
        """Restore a vector from the trash, under its name or, if that is taken, another one."""
        own = replace(_find(self.trash(), name), trashed=None)
        _write_note(own)
        return self._place(own, own.name, self.folder)

    def remove_expired(self) -> None:
        """Delete vectors that have been in the trash for TRASH_KEPT, and remains of interrupted imports."""
        for own in self.trash():
            if (own.trashed or 0) < time.time() - TRASH_KEPT:
                shutil.rmtree(own.folder, ignore_errors=True)
        for folder in self.folder.glob(".incoming-*"):
            if folder.stat().st_mtime < time.time() - ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)

    def _place(self, own: OwnVector, name: str, parent: Path) -> OwnVector:
        """Move a vector to ``parent`` under ``name`` or a numbered variant that is not in use, trash included."""
        for taken in chain([name], (f"{name}-{number}" for number in count(2))):
            if taken != own.name and any((place / taken).exists() for place in (self.folder, self._trash)):
                continue
            try:
                move(own.folder, parent / taken)
            except OSError:
                if (parent / taken).exists():
                    continue  # another process has created it meanwhile
                raise
            return replace(own, name=taken, folder=parent / taken)
        raise AssertionError("numbers do not end")


def safe_name(title: str) -> str:
    """Return a title reduced to letters, digits and hyphens, as a folder name."""
    return plain_name(title, LONGEST_NAME) or "vector"


def clean(text: str, longest: int) -> str:
    """Return a text as one printable line of at most ``longest`` characters."""
    kept = (sign if sign.isprintable() or sign in JOINERS else " " for sign in str(text))
    return " ".join("".join(kept).split())[:longest].strip()


def _find(known: tuple[OwnVector, ...], name: str) -> OwnVector:
    for own in known:
        if own.name == name:
            return own
    raise unknown_name("The vector", str(name), [own.name for own in known] or ["(none)"], VectorError)


def _read_all(folder: Path) -> tuple[OwnVector, ...]:
    found = [_read(path) for path in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(filter(None, found), key=lambda own: own.added, reverse=True))


def _read(folder: Path) -> OwnVector | None:
    if not is_plain(folder.name) or not (folder / INFO).is_file():
        return None
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        times = float(note["added"]), None if note["trashed"] is None else float(note["trashed"])
        return OwnVector(folder.name, folder, str(note["title"]), str(note["origin"]), *times)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None  # not imported by the studio, so not checked


def _write_note(own: OwnVector) -> None:
    note = {name: value for name, value in asdict(own).items() if name not in ("name", "folder")}
    write_json(own.folder / NOTE, note)
