"""Owners of uploaded and downloadable files. Gradio itself serves such a file to anybody who knows its address."""

import os
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from gradio.utils import get_upload_folder

REMEMBERED = 20_000  # files; the oldest are forgotten first, and then only admins can read them


class ServedFiles:
    """The owners of files, in memory until the server ends, when Gradio removes the files; safe for any thread."""

    def __init__(self) -> None:
        """Create an empty table."""
        self._lock = threading.Lock()
        self._owners: OrderedDict[str, set[str]] = OrderedDict()
        self._copies: dict[tuple[Path, str], Path] = {}

    def note(self, path: str | os.PathLike, owner: str) -> None:
        """Record ``owner`` as one of the owners of a file."""
        with self._lock:
            self._owners.setdefault(os.path.realpath(path), set()).add(owner)
            while len(self._owners) > REMEMBERED:
                self._owners.popitem(last=False)

    def is_of(self, path: str | os.PathLike, owner: str) -> bool:
        """Return whether ``owner`` owns a file."""
        with self._lock:
            return owner in self._owners.get(os.path.realpath(path), ())

    def write(self, name: str, write: Callable[[Path], Path], owner: str) -> Path:
        """Write a downloadable file into Gradio's folder, which Gradio clears; a failed write leaves nothing."""
        folder = Path(get_upload_folder()) / f"{time.time_ns():x}-{secrets.token_hex(16)}"
        folder.mkdir(mode=0o700, parents=True)
        try:
            path = write(folder / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.note(path, owner)
        return path

    def copy(self, file: Path, owner: str) -> Path:
        """Return a downloadable copy of a file, made again only if the earlier copy is gone."""
        kept = self._copies.get((file, owner))
        if kept is None or not kept.is_file():
            kept = self.write(file.name, lambda target: Path(shutil.copyfile(file, target)), owner)
            self._copies = {key: path for key, path in self._copies.items() if path.is_file()} | {(file, owner): kept}
        return kept


def comes_from_outside(value: object) -> bool:
    """Return whether a handler's argument is the path of a file in Gradio's folder, which a client sent."""
    if not isinstance(value, str) or not value or "\0" in value or len(value) > 4096:
        return False
    return Path(os.path.realpath(value)).is_relative_to(os.path.realpath(get_upload_folder()))
