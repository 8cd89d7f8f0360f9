"""Files and folders that appear whole or not at all, also after a kill or a power cut; and what a disk has room for.

A file is written under another name beside its place (the draft), flushed to the disk (fsync) and then renamed. The rename
itself is flushed with the folder. One name gives one draft, so that what a kill leaves behind is overwritten by the next
write; two writers of the same file must take turns.
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

PART = ".part"  # the ending of a draft's name
WRITING = ".writing-"  # the start of the name of a folder of drafts
SPARE = 2**26  # bytes of the disk that are left free
# What a file system answers that cannot flush a folder, or does not let one open it: there is nothing to do then.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM}


def draft_of(path: Path) -> Path:
    """Return the name under which ``path`` is written: hidden, and in the same folder."""
    return path.with_name(f".{path.name}{PART}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the draft of ``path`` to write to; at the end of the block it takes the place of ``path``."""
    with _draft(path) as draft:
        yield draft
        sync(draft)


def write_bytes(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file; ``mode`` are its permissions, less those that the umask takes away."""
    with _draft(path) as draft, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        flush(file)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write a JSON file, for people to read as well; ``indent=None`` writes long lists in one line."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=indent))


def copy(source: Path, target: Path) -> None:
    """Copy the content of a file."""
    with _draft(target) as draft, open(source, "rb") as read, open(draft, "wb") as written:
        shutil.copyfileobj(read, written)
        flush(written)


@contextmanager
def replacing_files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give an empty folder for files of these names; at the end of the block they move into ``folder``, in this order.

    An error before leaves all the old files in place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Inside the folder: moving is atomic only within one file system, and the parent may not be writable.
    with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as drafts:
        yield Path(drafts)
        for name in names:
            sync(Path(drafts, name))
        for name in names:
            os.replace(Path(drafts, name), folder / name)
        sync_folder(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside ``folder``, which is empty or not there; at the end of the block it takes its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)
        move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def move(source: Path, target: Path) -> None:
    """Move a file, or a folder with all that is in it, once it is on the disk; ``target`` is on the same one.

    A file replaces a file, and a folder an empty folder.
    """
    sync_tree(source)
    os.replace(source, target)
    sync_folder(target.parent)


def flush(file: IO) -> None:
    """Flush an open file to the disk; mounted buckets can do so only where it was opened for writing."""
    file.flush()
    os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Flush a file that was written and closed to the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the file system can."""
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
    """Raise ``error`` where ``folder`` is a file, or holds anything but the names ``besides``."""
    if folder.exists() and (not folder.is_dir() or any(entry.name not in besides for entry in folder.iterdir())):
        raise error(f"{folder} is not an empty folder. Choose another one for the {purpose}.")


def folder_size(folder: Path) -> int:
    """Count the bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def free_space(folder: Path) -> int:
    """Return the bytes that are free on the disk of a folder, which need not exist yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return shutil.disk_usage(there).free


def require_free_space(folder: Path, needed: int) -> None:
    """Raise DeftxError where the disk of ``folder`` has fewer bytes free than are needed, a spare apart."""
    free = free_space(folder) - SPARE
    if needed > free:
        raise DeftxError(
            f"{needed / 1e6:,.0f} MB are needed on the disk of this machine; {max(0, free) / 1e6:,.0f} MB are free. Free "
            "some space first."
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
