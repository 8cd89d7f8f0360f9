"""Uploaded files: copied below DEFTX_HOME under safe names, and found by name only."""

import filecmp
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError, unknown_name
from deftx.core.files import PART, TRASH_KEPT, copy, write_json
from deftx.core.names import plain_name
from deftx.data.file_kinds import ALIASES, ENDINGS, GZIP, TABLES, ZIP
from deftx.data.reading import Amount
from ui import strings

Admit = Callable[[int], None]  # raises a DeftxError if so many bytes may not be stored

FILE_TYPES = [*ENDINGS, GZIP]  # the accepted extensions of texts
TABLE_TYPES = [*TABLES, *(alias for alias, kind in ALIASES.items() if kind in TABLES), ZIP, GZIP]
ABANDONED = (
    86_400.0  # seconds until the draft of an interrupted upload is deleted; another server may still write to it
)
LONGEST_NAME = 80  # characters, including the extension
# Arguments of events that read a whole file, which takes a processor and memory: so many at the same time, of all visitors
# together. The others wait in Gradio's queue, from which they are dropped when the person leaves.
READING = {"concurrency_limit": 2, "concurrency_id": "reading"}


@dataclass(frozen=True)
class Removed:
    """A file in the trash: the key that restores it, its name, when it was removed (seconds since 1970), its bytes."""

    key: str
    name: str
    removed: float
    size: int


def admit_all(size: int) -> None:
    """Accept every file."""


class KeptFiles:
    """A folder of files; only the names that it lists are accepted."""

    def __init__(
        self, folder: Path, what: str, error: type[DeftxError], admit: Admit = admit_all, most: Amount | None = None
    ) -> None:
        """Create the folder if it is missing, readable by its owner only; ``what`` and ``error`` are for messages.

        ``admit`` is called before a file of so many bytes is read or stored; ``most`` limits what it unpacks to.
        """
        self.folder, self._what, self._error, self._admit, self._most = folder, what, error, admit, most
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._trash = self.folder / ".trash"
        self._keeping = threading.Lock()
        self.trash()  # removes old items of the trash

    def names(self) -> list[str]:
        """List the files, the newest first."""
        files = [path for path in self.folder.iterdir() if path.is_file() and not path.name.startswith(".")]
        return [path.name for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)]

    def path(self, name: str) -> Path:
        """Find a file by its name; an error for any other name, so paths are not accepted."""
        known = self.names()
        if name not in known:
            raise unknown_name(self._what, str(name), self._offered(known), self._error)
        return self.folder / name

    def _offered(self, known: list[str]) -> Iterable[str]:
        return known

    def note(self, name: str) -> dict[str, Any]:
        """Return the stored note about a file; empty if there is none."""
        return _read_note(self._note_path(self.path(name)))

    def discard(self, name: str) -> str:
        """Move a file to the trash and return its key; an error for a file that was not uploaded here."""
        path = self.path(name)
        if path.parent != self.folder:
            raise self._error(strings.SAMPLE_STAYS)
        key = str(time.time_ns())
        place = self._trash / key
        with self._writing(strings.NOT_REMOVED, name):
            place.mkdir(mode=0o700, parents=True)
            # The file before its note: after an interruption, the file is restored next to its note.
            os.replace(path, place / path.name)
            if self._note_path(path).is_file():
                os.replace(self._note_path(path), self._note_path(place / path.name))
        return key

    def trash(self) -> list[Removed]:
        """List the trash, the last removed first; items older than ``TRASH_KEPT`` are permanently removed.

        So are drafts of files that were being stored when the server was killed.
        """
        for draft in self.folder.glob(f".*{PART}"):
            with suppress(OSError):
                if draft.stat().st_mtime < time.time() - ABANDONED:
                    draft.unlink()
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
        """Restore a file and its note from the trash; return its name, a numbered one if the old name is in use."""
        removed = next((one for one in self.trash() if one.key == key), None)
        if removed is None:
            raise self._error(strings.FILE_GONE)
        file = self._trash / key / removed.name
        name = self._keep(file, removed.name, _read_note(self._note_path(file)), moved=True)
        shutil.rmtree(file.parent, ignore_errors=True)
        return name

    def empty_trash(self) -> None:
        """Permanently remove everything in the trash."""
        shutil.rmtree(self._trash, ignore_errors=True)

    def _admit_size(self, files: Sequence[Path]) -> None:
        """Ask for the size of uploaded files before they are read; an error if it is too much."""
        self._admit(sum(file.stat().st_size for file in files if file.is_file()))

    def _keep(self, file: Path, name: str, note: dict[str, Any] | None = None, *, moved: bool = False) -> str:
        """Copy a file under a safe form of ``name``, once for the same content and note; return its name.

        A file of the trash is ``moved``: its size counts already.
        """
        with self._keeping:  # two uploads with the same name must not get the same path
            target = self._free_place(file, name, note or {})
            if not target.exists():
                if not moved:
                    self._admit(file.stat().st_size)
                with self._writing(strings.NOT_STORED, name):
                    self._store(file, target, note, os.replace if moved else copy)
            with suppress(OSError):
                os.utime(target)  # the last uploaded file is listed first
        return target.name

    def _store(
        self, file: Path, target: Path, note: dict[str, Any] | None, put: Callable[[Path, Path], object]
    ) -> None:
        """Put a file at its place; its note first, so that no other process sees it without. After an error, neither is left."""
        try:
            if note:
                write_json(self._note_path(target), note)
            put(file, target)
        except BaseException:
            self._note_path(target).unlink(missing_ok=True)
            raise

    @contextmanager
    def _writing(self, refused: str, name: str) -> Iterator[None]:
        """Turn an error of the disk, such as a full or read-only one, into the message ``refused`` about the file ``name``."""
        try:
            yield
        except OSError as error:
            raise self._error(refused.format(name=name, reason=error.strerror)) from error

    def _free_place(self, file: Path, name: str, note: dict[str, Any]) -> Path:
        """Return the path for a file: the existing one for the same content, a numbered one if the name is in use."""
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


def safe_name(name: str) -> tuple[str, str]:
    """Turn any file name into a (stem, extension) of letters, digits, hyphens and dots; the extension tells the format."""
    lower = name.lower()
    ending = next((kind + gz for kind in ENDINGS for gz in (".gz", "") if lower.endswith(kind + gz)), "")
    return plain_name(name[: len(name) - len(ending)], LONGEST_NAME - len(ending), "_") or "text", ending
