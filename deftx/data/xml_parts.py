"""The XML inside of office documents, read piece by piece with bounds; nothing outside of the document is ever fetched."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar
from xml.parsers import expat
from zipfile import ZipFile

from deftx.data.unpacking import MOST_TIMES
from deftx.data.zip_files import RefusedZip, member_chunks

# Of all parts of a document that are read: what they may unpack to in any case, and at the most, in bytes.
SMALL_PARTS, MOST_PARTS = 2**22, 2**29

_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
_ENCODINGS = (b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1")

Made = TypeVar("Made")


class Parts:
    """The parts of a document in a zip; what all of them unpack to is counted together."""

    def __init__(self, archive: ZipFile) -> None:
        """Look into an archive that is open."""
        self._archive, self._unpacked = archive, 0
        packed = sum(entry.compress_size for entry in archive.infolist())
        self._most = min(max(SMALL_PARTS, MOST_TIMES * packed), MOST_PARTS)
        self.names = archive.namelist()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Unpack a part piece by piece; RefusedZip where all of them become too much."""
        for chunk in member_chunks(self._archive, name):
            self._unpacked += len(chunk)
            if self._unpacked > self._most:
                raise RefusedZip(f"unpacks to more than {self._most >> 20} MB, too much to be read here")
            yield chunk


def read_xml(
    content: Iterable[bytes],
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    made: list[Made],
) -> Iterator[Made]:
    """Call ``start``, ``end`` (both with names without namespace) and ``text``, and give what they put into ``made``.

    Raises RefusedZip for XML that is damaged, and for declarations, which office documents never have.
    """

    def refuse(*_: object) -> None:
        raise RefusedZip("declares entities, as no office program does")

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
    """Refuse, with RefusedZip, XML with declarations or in a rare encoding, before it is given to a library."""
    plain = part.replace(b"\0", b"")  # UTF-16 is no place to hide
    declared = _DECLARED.search(plain[:300])
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain or (declared and declared[1].lower() not in _ENCODINGS):
        raise RefusedZip("declares entities or a rare encoding, as no office program does")


def _local(name: str) -> str:
    return name.rsplit(" ", 1)[-1]
