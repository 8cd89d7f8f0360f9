"""Files of running text as numbered lines: plain text, web pages, Word and OpenDocument texts, PDF."""

import re
from collections.abc import Iterator, Mapping

from deftx.core.errors import DeftxError
from deftx.data.pdf import pdf_lines
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile, opened_zip
from deftx.data.web_pages import page_lines
from deftx.data.xml_parts import Parts, read_xml

_WORD_PARTS = re.compile(r"word/(?:document|footnotes|endnotes)\d*\.xml")
# What is no text that a reader sees: settings, what was taken out, the second form of a drawing, comments, marks of notes.
_NOT_SHOWN = frozenset({
    "pPr", "rPr", "sectPr", "Fallback", "del", "moveFrom", "instrText", "delText",
    "annotation", "note-citation", "tracked-changes", "ruby-text", "sequence-decls", "forms",
})  # fmt: skip
_PARAGRAPHS, _SPACES, _BREAKS = (
    frozenset({"p", "h"}),
    frozenset({"tab", "s", "ptab"}),
    frozenset({"br", "cr", "line-break"}),
)


def text_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Stream the lines of a file of running text with numbers from 1; a paragraph of a document is a line.

    Raises ``error`` where it cannot be read.
    """
    return _READERS[file.kind](file, error)


class _Paragraphs:
    """Collects the paragraphs of an office document; ``inside`` is the element that holds text, None for any."""

    def __init__(self, inside: str | None) -> None:
        self.lines: list[str] = []
        self._inside, self._text, self._hidden = inside, 0, 0
        self._open: list[list[str]] = [[]]  # one in the other: a text box and a note lie within a paragraph

    def start(self, name: str, _: Mapping[str, str]) -> None:
        if self._hidden or name in _NOT_SHOWN:
            self._hidden += 1
        elif name in _PARAGRAPHS:
            self._open.append([])
        elif name in _SPACES:
            self._open[-1].append(" ")
        elif name in _BREAKS:
            self._flush()
        elif name == "noBreakHyphen":
            self._open[-1].append("-")
        self._text += name == self._inside

    def end(self, name: str) -> None:
        self._text -= name == self._inside
        if self._hidden:
            self._hidden -= 1
        elif name in _PARAGRAPHS and len(self._open) > 1:
            self._flush()
            self._open.pop()

    def text(self, text: str) -> None:
        if not self._hidden and (self._text or self._inside is None) and len(self._open) > 1:
            self._open[-1].append(text)

    def _flush(self) -> None:
        self.lines.append(" ".join("".join(self._open[-1]).split()))
        self._open[-1].clear()


def _office_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    number = 0
    with opened_zip(file, error) as archive:
        parts = Parts(archive)
        word = file.kind == ".docx"
        names = sorted(filter(_WORD_PARTS.fullmatch, parts.names)) if word else ["content.xml"]
        for name in names:
            found = _Paragraphs("t" if word else None)
            for line in read_xml(parts.chunks(name), found.start, found.end, found.text, found.lines):
                number += 1
                yield number, line


_READERS = {
    ".txt": numbered_lines,
    ".html": page_lines,
    ".docx": _office_lines,
    ".odt": _office_lines,
    ".pdf": pdf_lines,
}
