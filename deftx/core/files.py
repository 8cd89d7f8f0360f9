"""Atomic and durable writing of files and folders, the free space of disks, and how long the trash is kept.

A file is written under another name in the same folder (the draft), flushed to the disk (fsync) and then renamed; then the
folder is flushed. A file has one draft name, so the next write overwrites a draft that an interrupted one left behind. Two
processes must not write the same file at the same time.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from deftx.core.errors import DeftxError

PART = ".part"  # suffix of a draft's name
WRITING = ".writing-"  # prefix of the name of a folder of drafts
SPARE = 2**26  # bytes to leave free on the disk
TRASH_KEPT = 7 * 86_400.0  # seconds until the files of vectors, jobs and texts in the trash are deleted
# Errors of file systems that cannot flush or open a folder; they are ignored.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}


def expanded(path: str | os.PathLike) -> Path:
    """Return a path with "~" replaced by the home folder it names. Raise DeftxError if it names no user of this machine."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise DeftxError(
            f"{os.fspath(path)} starts with ~, but names no user of this machine. Write the full path."
        ) from None


def draft_of(path: Path) -> Path:
    """Return the path of the draft of ``path``, a hidden file in the same folder."""
    return path.with_name(f".{path.name}{PART}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the draft of ``path`` to write to; at the end of the block it replaces ``path``."""
    with _draft(path) as draft:
        yield draft
        sync(draft)


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file. ``mode`` is its permissions before the umask is applied."""
    with _draft(path) as draft, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        flush(file)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write a JSON file, indented for readability, or on one line with ``indent=None``."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=indent))


def copy(source: Path, target: Path) -> None:
    """Copy the content of a file."""
    with _draft(target) as draft, open(source, "rb") as read, open(draft, "wb") as written:
        shutil.copyfileobj(read, written)
        flush(written)


@contextmanager
def replacing_files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Yield an empty folder for files of these names; at the end of the block they move into ``folder``, in this order.

    After an error in the block, all old files are still there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder, because moving is atomic only within a file system and the parent may be read-only.
    with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as drafts:
        yield Path(drafts)
        for name in names:
            sync(Path(drafts, name))
        for name in names:
            os.replace(Path(drafts, name), folder / name)
        sync_folder(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; at the end of the block it becomes ``folder``, or its entries move there if that is an empty folder.

    Raise DeftxError if something else has been written to ``folder`` by then.
    """
    folder = folder.resolve()
    if folder.is_dir():
        # No folder can replace a mounted disk, and one that replaces the current folder of a terminal is not seen there.
        with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as inside:
            draft = Path(inside)
            yield draft
            sync_tree(draft)
            require_empty(folder, "result", besides={draft.name})
            for entry in sorted(draft.iterdir()):
                os.replace(entry, folder / entry.name)
            sync_folder(folder)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)
        move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def move(source: Path, target: Path) -> None:
    """Flush a file or folder to the disk, and move it to ``target`` on the same file system.

    A file can replace a file, and a folder an empty folder.
    """
    sync_tree(source)
    os.replace(source, target)
    sync_folder(target.parent)


def flush(file: IO) -> None:
    """Flush an open file to the disk; mounted buckets support this only for files opened for writing."""
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Flush a closed file to the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, if the file system supports it."""
    try:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def sync_tree(path: Path) -> None:
    """Flush a file, or all files and folders below a folder, to the disk."""
    if not path.is_dir():
        sync(path)
        return
    for place, _, names in os.walk(path):
        for name in names:
            sync(Path(place, name))
        sync_folder(Path(place))


def require_empty(
    folder: Path, purpose: str, *, besides: Collection[str] = (), error: type[DeftxError] = DeftxError
) -> None:
    """Raise ``error`` if ``folder`` is a file, or contains anything but the names ``besides``."""
    if folder.exists() and (not folder.is_dir() or any(entry.name not in besides for entry in folder.iterdir())):
        raise error(f"{folder} is not an empty folder. Choose another one for the {purpose}.")


def folder_size(folder: Path) -> int:
    """Return the total size of all files below a folder, in bytes. Files that vanish meanwhile are ignored."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def free_space(folder: Path) -> int:
    """Return the free space on the disk of a folder in bytes; the folder need not exist yet."""
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(existing).free


def require_free_space(folder: Path, needed: int) -> None:
    """Raise DeftxError if the disk of ``folder`` has less free space than ``needed`` bytes, besides SPARE."""
    free = free_space(folder) - SPARE
    if needed > free:
        raise DeftxError(
            f"{needed / 1e6:,.0f} MB are needed on the disk of this machine, but only {max(0, free) / 1e6:,.0f} MB are "
            "free. Free some space first."
        )


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    draft = draft_of(path)
    try:
        yield draft
        os.replace(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
