"""Users' zip archives: members are listed and read up to limits that do not depend on the archive's own statements.

Nothing is unpacked to the disk, so names are only shown and compared. A damaged archive raises one of BROKEN_ZIP.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, BinaryIO

MOST_MEMBERS = 10_000
LARGEST_LIST = 2**20  # bytes of the central directory, which zipfile reads into memory
CHUNK = 2**20  # bytes read at a time

BROKEN_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError,
    NotImplementedError, OverflowError, KeyError,
)  # fmt: skip


_ODD = re.compile(r"[\x00-\x1f]|^[A-Za-z]:")


class RefusedZip(ValueError):
    """An archive that is refused; the text completes the sentence "This file …"."""


def lists_too_much(archive: BinaryIO) -> bool:
    """Return whether the central directory is longer than ``LARGEST_LIST``: zipfile would create an object per member.

    See the .ZIP File Format, 4.3.15 and 4.3.16.
    """
    size = archive.seek(0, 2)
    archive.seek(max(0, size - 98 - 2**16))  # both end records, with the longest comment
    tail = archive.read(98 + 2**16)
    # Found as by zipfile: at the very end, else the last one before a comment.
    bare = tail[-22:].startswith(b"PK\5\6") and tail.endswith(b"\0\0")
    end = len(tail) - 22 if bare else tail.rfind(b"PK\5\6")
    sizes = [
        tail[end + 12 : end + 16],
        tail[end - 36 : end - 28] if end >= 76 else b"",
    ]  # of the plain end record, and of the 64-bit one
    listed = sizes[end >= 76 and tail.startswith(b"PK\6\6", end - 76)]
    return end >= 0 and int.from_bytes(listed, "little") > LARGEST_LIST


def open_zip(archive: BinaryIO) -> zipfile.ZipFile:
    """Open an archive. Raise RefusedZip if it lists too many members or members share bytes, else one of BROKEN_ZIP."""
    if lists_too_much(archive):
        raise RefusedZip("lists too many files")
    opened = zipfile.ZipFile(archive)
    entries = opened.infolist()
    if len(entries) > MOST_MEMBERS:
        raise RefusedZip(f"contains {len(entries):,} files; at most {MOST_MEMBERS:,} can be read")
    # Members that share packed bytes make a zip bomb of any size possible (Fifield, "A better zip bomb").
    if sum(entry.compress_size for entry in entries) > archive.seek(0, 2):
        raise RefusedZip("contains files that are stated to be larger than the archive")
    return opened


def member_names(opened: zipfile.ZipFile) -> list[str]:
    """Return the names of the files in an archive, in order, without duplicates and files that macOS adds.

    Raises RefusedZip for a path outside of the archive.
    """
    names = []
    for entry in opened.infolist():
        # orig_filename: zipfile cuts a name at a NUL and replaces the separators of its platform by "/".
        path = PurePosixPath(entry.orig_filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or _ODD.search(entry.orig_filename):
            raise RefusedZip("contains a path outside the archive")
        if not entry.is_dir() and path.parts and path.parts[0] != "__MACOSX":
            names.append(entry.filename)
    return list(dict.fromkeys(names))


def member_chunks(opened: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Unpack a member in chunks; the caller limits the size. Raise RefusedZip for a password or unsupported compression."""
    assert opened.fp is not None  # noqa: S101 (it is open)
    return entry_chunks(opened.fp, opened.getinfo(name))


def entry_chunks(archive: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack a member by its entry, without reading the central directory again, which may be long."""
    if entry.flag_bits & 0x1:
        raise RefusedZip("is protected by a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedZip("uses an unsupported compression method")
    archive.seek(entry.header_offset)
    header = archive.read(30)
    if not header.startswith(b"PK\3\4") or len(header) < 30:
        raise zipfile.BadZipFile("no member at the stated position")
    archive.seek(sum(struct.unpack("<HH", header[26:30])), 1)  # the name and extra fields
    place = archive.tell()
    with zipfile.ZipExtFile(archive, "r", entry) as stream:
        while True:
            archive.seek(place)  # the archive may have been read elsewhere since the last chunk
            chunk = stream.read(CHUNK)
            place = archive.tell()
            if not chunk:
                return
            yield chunk


def member_start(opened: zipfile.ZipFile, name: str, count: int) -> bytes:
    """Unpack the first bytes of a member; none if it is missing or damaged. Raise RefusedZip as ``member_chunks`` does."""
    try:
        return next(member_chunks(opened, name), b"")[:count]
    except RefusedZip:
        raise
    except BROKEN_ZIP:
        return b""
