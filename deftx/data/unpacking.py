"""The bytes of a user's file (plain, gzipped or in a zip), unpacked in chunks and up to a limit."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from deftx.core.errors import DeftxError
from deftx.data.file_kinds import GZIP_MODE, SAVED, TABLES
from deftx.data.zip_files import BROKEN_ZIP, CHUNK, RefusedZip, entry_chunks, open_zip

# Limits on the unpacked size of a packed file: always allowed (bytes; less for each of the many members of a zip),
# multiple of its size, never more than (bytes).
SMALL_UNPACKED, SMALL_MEMBER, MOST_TIMES, MOST_UNPACKED = 2**20, 2**18, 100, 2**31
LARGEST_WHOLE = 2**29  # bytes of a packed file that must be unpacked in memory as a whole

NEW_ZIP = "Create it again without that, or give the files themselves."
GZIP_MAGIC = b"\x1f\x8b"
# What gzip raises for a file that is truncated, damaged, or not gzipped.
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class InputFile:
    """A readable file: its path, its name in messages, its kind (one of KINDS, or SAVED) and whether it is gzipped.

    ``member`` is its entry in the zip at ``path``; ``encoding`` is the encoding that the user gave for text that is not
    UTF-8, perhaps to ``one_of_several`` files. Readers add sentences for the user to ``notes``.
    """

    path: Path
    name: str
    kind: str
    gzipped: bool = False
    member: ZipInfo | None = None
    encoding: str | None = None
    one_of_several: bool = False
    notes: list[str] = field(default_factory=list, compare=False)

    @property
    def packed(self) -> bool:
        """Whether the file is gzipped or in a zip."""
        return self.gzipped or self.member is not None

    @property
    def is_table(self) -> bool:
        """Whether the file has columns."""
        return self.kind in TABLES or self.kind == SAVED

    def note(self, sentence: str) -> None:
        """Add a note unless it is already there."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def chunks(file: InputFile, error: type[DeftxError]) -> Iterator[bytes]:
    """Yield the unpacked content. Raise ``error`` if it cannot be unpacked or is too large."""
    unpacked = 0
    try:
        with file.path.open("rb") as stream:
            packed, most, content = _unpacked(file, stream)
            for chunk in content:
                unpacked += len(chunk)
                if file.packed and unpacked > most:
                    raise error(
                        f"{file.name} unpacks from {packed / 1e6:,.1f} MB to more than {most / 2**20:,.2g} MB, which is "
                        "too much. Unpack it, or use a part of it."
                    )
                yield chunk
    except RefusedZip as problem:
        raise error(f"{file.name} {problem}. {NEW_ZIP}") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
    except BROKEN_ZIP:
        raise error(f"{file.name} is damaged or incomplete and cannot be unpacked. Copy it again.") from None


def read_bytes(file: InputFile, most: int, error: type[DeftxError]) -> bytes:
    """Read a whole file, unpacked. Raise ``error`` if it has more than ``most`` bytes."""
    content = bytearray()
    for chunk in chunks(file, error):
        content += chunk
        if len(content) > most:
            raise error(f"{file.name} is larger than {most >> 20} MB. Use a part of it.")
    return bytes(content)


def open_whole(file: InputFile, error: type[DeftxError]) -> BinaryIO:
    """Open a file for random access; a packed file is unpacked in memory."""
    if file.packed:
        return io.BytesIO(read_bytes(file, LARGEST_WHOLE, error))
    try:
        return file.path.open("rb")
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None


@contextmanager
def opened_zip(file: InputFile, error: type[DeftxError]) -> Iterator[ZipFile]:
    """Open a zip file or a document in zip format. Raise ``error`` if it is damaged, also while it is read."""
    try:
        with open_whole(file, error) as stream, open_zip(stream) as archive:
            yield archive
    except RefusedZip as problem:
        raise error(f"{file.name} {problem}. {NEW_ZIP}") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
    except BROKEN_ZIP:
        raise error(f"{file.name} is damaged or incomplete, so it cannot be unpacked. Copy it again.") from None


def _unpacked(file: InputFile, stream: BinaryIO) -> tuple[int, int, Iterator[bytes]]:
    """Return the packed size, the limit on the unpacked size, and the content."""
    packed = stream.seek(0, 2)
    if file.member is not None:
        packed, small = min(packed, file.member.compress_size), SMALL_MEMBER
        content = entry_chunks(stream, file.member)
    else:
        stream.seek(0)
        small = SMALL_UNPACKED
        content = _gunzip(stream, file.note, file.name) if file.gzipped else iter(lambda: stream.read(CHUNK), b"")
    return packed, min(max(small, MOST_TIMES * packed), MOST_UNPACKED), content


def _gunzip(stream: BinaryIO, note: Callable[[str], None], name: str) -> Iterator[bytes]:
    """Unpack one gzip stream after the other; other bytes after the last are ignored with a note, as by gunzip."""
    packed = stream.read(CHUNK)
    while packed:
        unpacker = zlib.decompressobj(GZIP_MODE)
        while not unpacker.eof:
            chunk = unpacker.decompress(packed, CHUNK)
            if not (chunk or packed or unpacker.eof):
                raise EOFError
            if chunk:
                yield chunk
            packed = unpacker.unconsumed_tail or (b"" if unpacker.eof else stream.read(CHUNK))
        packed = unpacker.unused_data or stream.read(CHUNK)
        while packed and not (packed := packed.lstrip(b"\0")):  # tapes and disks are padded with zeros
            packed = stream.read(CHUNK)
        if len(packed) == 1:
            packed += stream.read(CHUNK)
        if packed and not packed.startswith(GZIP_MAGIC):
            note(f"{name}: bytes after the end of the gzip data are ignored.")
            return
