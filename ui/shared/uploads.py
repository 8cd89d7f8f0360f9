"""Files that people brought: copied below DEFTX_HOME under safe names, and found again by name alone."""

import filecmp
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError, unknown_name
from deftx.core.names import plain_name
from deftx.data.file_kinds import ALIASES, ENDINGS, GZIP, TABLES, ZIP
from deftx.jobs.store import TRASH_KEPT
from ui import strings

Admit = Callable[[int], None]  # refuses to keep so many bytes by raising a DeftxError

FILE_TYPES = [*ENDINGS, GZIP]  # what a text can be uploaded as
TABLE_TYPES = [*TABLES, *(alias for alias, kind in ALIASES.items() if kind in TABLES), ZIP, GZIP]
LONGEST_NAME = 80  # characters, ending included


@dataclass(frozen=True)
class Removed:
    """A file in the trash: the key that brings it back, the name it had, when it was removed (seconds), its bytes."""

    key: str
    name: str
    removed: float
    size: int


def admit_all(size: int) -> None:
    """Let every file in."""


class KeptFiles:
    """A folder of files; the names it gives out are the only ones it takes."""

    def __init__(self, folder: Path, what: str, error: type[DeftxError], admit: Admit = admit_all) -> None:
        """Create the folder where it is missing, readable by its owner alone; ``what`` and ``error`` are for messages.

        ``admit`` is asked before a file of so many bytes is kept.
        """
        self.folder, self._what, self._error, self._admit = folder, what, error, admit
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._trash = self.folder / ".trash"
        self._keeping = threading.Lock()
        self.trash()  # what has been there long enough goes

    def names(self) -> list[str]:
        """List the files, the newest first."""
        files = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return [path.name for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)]

    def path(self, name: str) -> Path:
        """Find a file by its name; an error for any other, so that no path gets through."""
        known = self.names()
        if name not in known:
            raise unknown_name(self._what, str(name), self._offered(known), self._error)
        return self.folder / name

    def _offered(self, known: list[str]) -> Iterable[str]:
        return known

    def note(self, name: str) -> dict[str, Any]:
        """Give what is kept about a file; empty where nothing is."""
        return _read_note(self._note_path(self.path(name)))

    def discard(self, name: str) -> str:
        """Put a file into the trash and return its key there; an error for a file that was not brought here."""
        path = self.path(name)
        if path.parent != self.folder:
            raise self._error(strings.SAMPLE_STAYS)
        key = str(time.time_ns())
        place = self._trash / key
        place.mkdir(mode=0o700, parents=True)
        # The file before its note: cut short, it comes back beside the note that stayed.
        os.replace(path, place / path.name)
        if self._note_path(path).is_file():
            os.replace(self._note_path(path), self._note_path(place / path.name))
        return key

    def trash(self) -> list[Removed]:
        """List what is in the trash, the last removed first; what has been there for ``TRASH_KEPT`` is gone for good."""
        found = []
        for place in sorted(self._trash.iterdir(), reverse=True) if self._trash.is_dir() else ():
            removed = int(place.name) / 1e9
            if removed < time.time() - TRASH_KEPT:
                shutil.rmtree(place, ignore_errors=True)
                continue
            found += [
                Removed(place.name, path.name, removed, path.stat().st_size)
                for path in place.iterdir()
                if not path.name.startswith(".")
            ]
        return found

    def restore(self, key: str) -> str:
        """Bring a file back from the trash, note and all; return its name, a numbered one where the old one is taken."""
        removed = next((one for one in self.trash() if one.key == key), None)
        if removed is None:
            raise self._error(strings.FILE_GONE)
        file = self._trash / key / removed.name
        name = self._keep(file, removed.name, _read_note(self._note_path(file)))
        shutil.rmtree(file.parent, ignore_errors=True)
        return name

    def empty_trash(self) -> None:
        """Remove all that is in the trash for good."""
        shutil.rmtree(self._trash, ignore_errors=True)

    def _keep(self, file: Path, name: str, note: dict[str, Any] | None = None) -> str:
        """Copy a file under a safe form of ``name``, once for the same content and note; return the name it has here."""
        with self._keeping:  # two who call theirs the same must not both find the place free
            target = self._free_place(file, name, note or {})
            if not target.exists():
                self._admit(file.stat().st_size)
                if note:
                    _write(self._note_path(target), json.dumps(note, ensure_ascii=False).encode())
                _write(target, file)
            os.utime(target)  # what was brought last stands first
        return target.name

    def _free_place(self, file: Path, name: str, note: dict[str, Any]) -> Path:
        """Give the place for a file: the old one for the same content, a numbered one where the name is taken."""
        stem, ending = safe_name(name)
        number = 1
        while True:
            place = self.folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
            if not place.exists() or (filecmp.cmp(place, file, shallow=False) and self.note(place.name) == note):
                return place
            number += 1

    def _note_path(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.json")


def _read_note(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _write(target: Path, content: Path | bytes) -> None:
    """Put a file in place at once: nobody reads a half of it."""
    draft = target.with_name(f".{target.name}.part")
    if isinstance(content, bytes):
        draft.write_bytes(content)
    else:
        shutil.copyfile(content, draft)
    os.replace(draft, target)


def safe_name(name: str) -> tuple[str, str]:
    """Turn any file name into a (stem, ending) of letters, digits, hyphens and dots; the ending says how to read it."""
    lower = name.lower()
    ending = next((kind + gz for kind in ENDINGS for gz in (".gz", "") if lower.endswith(kind + gz)), "")
    return plain_name(name[: len(name) - len(ending)], LONGEST_NAME - len(ending), "_") or "text", ending
