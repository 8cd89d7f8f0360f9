"""Zip archives that people bring: members are listed and read within bounds, whatever the archive says of itself.

Nothing is ever unpacked to the disk, so a name is only shown and compared. What is broken raises one of BROKEN_ZIP.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, BinaryIO

MOST_MEMBERS = 10_000
LARGEST_LIST = 2**20  # bytes of the list of members at an archive's end, which zipfile reads whole
CHUNK = 2**20  # bytes read at a time

BROKEN_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError,
    NotImplementedError, OverflowError, KeyError,
)  # fmt: skip


_ODD = re.compile(r"[\x00-\x1f]|^[A-Za-z]:")


class RefusedZip(ValueError):
    """An archive that is not read; the text ends the sentence "This file …"."""


def lists_too_much(archive: BinaryIO) -> bool:
    """Say whether the list of members is longer than ``LARGEST_LIST``: zipfile would make an object of each.

    See the .ZIP File Format, 4.3.15 and 4.3.16.
    """
    size = archive.seek(0, 2)
    archive.seek(max(0, size - 98 - 2**16))  # both kinds of end, with the longest comment
    tail = archive.read(98 + 2**16)
    # Found as zipfile finds it: at the very end, else the last one before a comment.
    bare = tail[-22:].startswith(b"PK\5\6") and tail.endswith(b"\0\0")
    end = len(tail) - 22 if bare else tail.rfind(b"PK\5\6")
    sizes = [
        tail[end + 12 : end + 16],
        tail[end - 36 : end - 28] if end >= 76 else b"",
    ]  # the plain end's, the 64-bit one's
    listed = sizes[end >= 76 and tail.startswith(b"PK\6\6", end - 76)]
    return end >= 0 and int.from_bytes(listed, "little") > LARGEST_LIST


def open_zip(archive: BinaryIO) -> zipfile.ZipFile:
    """Open an archive whose list is short and whose members do not share bytes; RefusedZip, or one of BROKEN_ZIP."""
    if lists_too_much(archive):
        raise RefusedZip("lists too many members to be read")
    opened = zipfile.ZipFile(archive)
    entries = opened.infolist()
    if len(entries) > MOST_MEMBERS:
        raise RefusedZip(f"holds {len(entries):,} members; up to {MOST_MEMBERS:,} can be read")
    # Members that share their packed bytes are the way to a bomb of any size (Fifield, "A better zip bomb").
    if sum(entry.compress_size for entry in entries) > archive.seek(0, 2):
        raise RefusedZip("says that its members are larger than it is")
    return opened


def member_names(opened: zipfile.ZipFile) -> list[str]:
    """List the files in an archive, in its order, each name once, without what macOS adds; RefusedZip for a path that leaves."""
    names = []
    for entry in opened.infolist():
        # orig_filename: zipfile cuts a name at a NUL and turns the separators of the machine it runs on into "/".
        path = PurePosixPath(entry.orig_filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or _ODD.search(entry.orig_filename):
            raise RefusedZip("holds a path that leads out of it")
        if not entry.is_dir() and path.parts and path.parts[0] != "__MACOSX":
            names.append(entry.filename)
    return list(dict.fromkeys(names))


def member_chunks(opened: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Unpack a member piece by piece; the caller counts and stops. RefusedZip for one that is locked or packed in a rare way."""
    assert opened.fp is not None  # it is open
    return entry_chunks(opened.fp, opened.getinfo(name))


def entry_chunks(archive: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member of which the entry in the list is known: the list, which may be long, is not read again."""
    if entry.flag_bits & 0x1:
        raise RefusedZip("is locked with a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedZip("is packed in a rare way")
    archive.seek(entry.header_offset)
    header = archive.read(30)
    if not header.startswith(b"PK\3\4") or len(header) < 30:
        raise zipfile.BadZipFile("no member where the list says")
    archive.seek(sum(struct.unpack("<HH", header[26:30])), 1)  # the name again, and what else stands there
    place = archive.tell()
    with zipfile.ZipExtFile(archive, "r", entry) as stream:
        while True:
            archive.seek(place)  # others may have read from the archive between two pieces
            chunk = stream.read(CHUNK)
            place = archive.tell()
            if not chunk:
                return
            yield chunk


def member_start(opened: zipfile.ZipFile, name: str, count: int) -> bytes:
    """Unpack the first bytes of a member; none where there is no such member or it is damaged. RefusedZip as ``member_chunks``."""
    try:
        return next(member_chunks(opened, name), b"")[:count]
    except RefusedZip:
        raise
    except BROKEN_ZIP:
        return b""
