"""The XML in office documents, read in chunks and up to a limit; nothing outside of the document is fetched."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar
from xml.parsers import expat
from zipfile import ZipFile

from deftx.data.unpacking import MOST_TIMES
from deftx.data.zip_files import RefusedZip, member_chunks

# Limits on the unpacked size of all parts of a document that are read, in bytes: always allowed, never more than.
SMALL_PARTS, MOST_PARTS = 2**22, 2**29

_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
_ENCODINGS = (b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1")

Made = TypeVar("Made")


class Parts:
    """The parts of a document in a zip, with one limit on the unpacked size of all parts."""

    def __init__(self, archive: ZipFile) -> None:
        """Use an open archive."""
        self._archive, self._unpacked = archive, 0
        packed = sum(entry.compress_size for entry in archive.infolist())
        self._most = min(max(SMALL_PARTS, MOST_TIMES * packed), MOST_PARTS)
        self.names = archive.namelist()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Unpack a part in chunks. Raise RefusedZip if all parts together are too large."""
        for chunk in member_chunks(self._archive, name):
            self._unpacked += len(chunk)
            if self._unpacked > self._most:
                raise RefusedZip(f"unpacks to more than {self._most >> 20} MB, which is too much")
            yield chunk


def read_xml(
    content: Iterable[bytes],
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    made: list[Made],
) -> Iterator[Made]:
    """Call ``start``, ``end`` (both with names without namespace) and ``text``; yield the objects they add to ``made``.

    Raises RefusedZip for damaged XML, and for declarations, which office documents never contain.
    """

    def refuse(*_: object) -> None:
        raise RefusedZip("declares XML entities, which office programs never do")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, found: start(_local(name), {_local(key): found[key] for key in found})
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = text
    try:
        for chunk in content:
            parser.Parse(chunk, False)
            yield from made
            made.clear()
        parser.Parse(b"", True)
        yield from made
    except expat.ExpatError:
        raise RefusedZip("is damaged: its text is not well-formed XML") from None


def check_xml(part: bytes) -> None:
    """Raise RefusedZip for XML with declarations or in an unusual encoding, before a library reads it."""
    plain = part.replace(b"\0", b"")  # also finds declarations in UTF-16
    declared = _DECLARED.search(plain[:300])
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain or (declared and declared[1].lower() not in _ENCODINGS):
        raise RefusedZip("declares XML entities or an unusual encoding, which office programs never do")


def _local(name: str) -> str:
    return name.rsplit(" ", 1)[-1]
