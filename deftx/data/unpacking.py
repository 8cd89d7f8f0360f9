"""The bytes of one file that people bring, unpacked piece by piece and within bounds: plain, gzipped, or a member of a zip."""

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
from deftx.data.file_kinds import GZIP_MODE, TABLES
from deftx.data.zip_files import BROKEN_ZIP, CHUNK, RefusedZip, entry_chunks, open_zip

# Of a packed file: what it may unpack to in any case, in multiples of its size, and at the most, in bytes. A zip has
# many members, so that each of them is given less.
SMALL_UNPACKED, SMALL_MEMBER, MOST_TIMES, MOST_UNPACKED = 2**20, 2**18, 100, 2**31
LARGEST_WHOLE = 2**29  # bytes of a packed file that has to be unpacked in memory as a whole

NEW_ZIP = "Make it again without that, or bring the files themselves."
GZIP_MAGIC = b"\x1f\x8b"
# What Python's gzip raises for a file that is cut off, damaged, or not gzipped at all.
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class InputFile:
    """One readable file: where it is, how it is called in messages, its kind (of KINDS) and how it is packed.

    ``member`` is its entry in the zip at ``path``, ``encoding`` that of its text where it is not UTF-8, as a person told
    it. Readers add to ``notes`` what its owner should know: one sentence each.
    """

    path: Path
    name: str
    kind: str
    gzipped: bool = False
    member: ZipInfo | None = None
    encoding: str | None = None
    notes: list[str] = field(default_factory=list, compare=False)

    @property
    def packed(self) -> bool:
        """Whether the bytes at ``path`` are not those of the file itself."""
        return self.gzipped or self.member is not None

    @property
    def is_table(self) -> bool:
        """Whether it has columns."""
        return self.kind in TABLES

    def note(self, sentence: str) -> None:
        """Add a note, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def chunks(file: InputFile, error: type[DeftxError]) -> Iterator[bytes]:
    """Stream the content; ``error`` is raised where it cannot be unpacked or unpacks to too much."""
    unpacked = 0
    try:
        with file.path.open("rb") as stream:
            packed, most, content = _unpacked(file, stream)
            for chunk in content:
                unpacked += len(chunk)
                if file.packed and unpacked > most:
                    raise error(
                        f"{file.name} unpacks to more than {most / 2**20:,.2g} MB from {packed / 1e6:,.1f} MB: too much "
                        "to be read here. Unpack it, or bring a part of it."
                    )
                yield chunk
    except RefusedZip as problem:
        raise error(f"{file.name} {problem}. {NEW_ZIP}") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
    except BROKEN_ZIP:
        raise error(f"{file.name} is damaged or cut off: it cannot be unpacked to its end. Copy it again.") from None


def read_bytes(file: InputFile, most: int, error: type[DeftxError]) -> bytes:
    """Read a whole file, unpacked; one of more than ``most`` bytes is refused."""
    content = bytearray()
    for chunk in chunks(file, error):
        content += chunk
        if len(content) > most:
            raise error(f"{file.name} has more than {most >> 20} MB. Bring a part of it.")
    return bytes(content)


def open_whole(file: InputFile, error: type[DeftxError]) -> BinaryIO:
    """Open a file to read from any place; what is packed is unpacked in memory."""
    if file.packed:
        return io.BytesIO(read_bytes(file, LARGEST_WHOLE, error))
    try:
        return file.path.open("rb")
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None


@contextmanager
def opened_zip(file: InputFile, error: type[DeftxError]) -> Iterator[ZipFile]:
    """Open a file that is a zip, or made as one; ``error`` is raised for one that is damaged, also while it is read."""
    try:
        with open_whole(file, error) as stream, open_zip(stream) as archive:
            yield archive
    except RefusedZip as problem:
        raise error(f"{file.name} {problem}. {NEW_ZIP}") from None
    except OSError as problem:
        raise error(f"{file.name} cannot be read: {problem.strerror or problem}.") from None
    except BROKEN_ZIP:
        raise error(f"{file.name} is damaged or cut off: it cannot be unpacked. Copy it again.") from None


def _unpacked(file: InputFile, stream: BinaryIO) -> tuple[int, int, Iterator[bytes]]:
    """Return the bytes that are packed, the most that they may unpack to, and the content."""
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
    """Unpack one gzip stream after the other; bytes that are none behind the last are left out with a note, as by gunzip."""
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
        while packed and not (packed := packed.lstrip(b"\0")):  # tapes and disks fill up with zeros
            packed = stream.read(CHUNK)
        if len(packed) == 1:
            packed += stream.read(CHUNK)
        if packed and not packed.startswith(GZIP_MAGIC):
            note(f"{name}: bytes behind the end of the gzipped text are left out.")
            return
