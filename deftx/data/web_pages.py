"""Visible text of web pages, one line per block element.

Tags are read in sequence, without building a tree: by the HTML standard a tree can be a thousand times as large as the page
(each paragraph repeats the formatting elements that were left open), and tree parsers take minutes for some pages.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from deftx.core.errors import DeftxError
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

LARGEST_PAGE = 2**26  # characters: a page is kept in memory

# Browsers show no text of these elements. The content of the first set is plain characters up to the end tag.
_RAW = frozenset({"script", "style", "title", "textarea", "noscript", "noframes", "iframe"})
_HIDDEN = frozenset({"template", "svg", "math", "select", "datalist", "object", "canvas", "audio", "video"})
# These elements start a new line.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip

_TAG = re.compile(r"<(?:(?P<comment>!--)|[!?]|(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*))")
# Character references beyond Unicode, which may have more digits than Python converts to an integer.
_TOO_LARGE = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{8,});?")
# The rest of a tag; a quote counts only at the start of a value. There is no backtracking, so no page takes long.
_TO_END = re.compile(r"""(?>[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>""")


@dataclass(frozen=True)
class _Token:
    """A tag with its name, or a text without a name."""

    name: str
    text: str = ""
    is_end: bool = False
    closes_itself: bool = False


def page_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Return (number, line) of a web page, numbered from 1. Raise ``error`` if it is too large or not text."""
    source, length = [], 0
    for _, line in numbered_lines(file, error):
        source.append(line)
        length += len(line)
        if length > LARGEST_PAGE:
            raise error(f"{file.name} is a web page of more than {LARGEST_PAGE >> 20} MB. Use a part of it.")
    return enumerate(_lines("".join(source)), 1)


def _lines(page: str) -> Iterator[str]:
    line_parts: list[str] = []
    open_pre = 0  # number of open <pre> elements, in which line breaks are kept
    for token in _shown(_tokens(page)):
        if token.name == "pre":
            open_pre = max(0, open_pre + (-1 if token.is_end else 1))
        if token.name:
            parts = ["", ""] if token.name in _BLOCKS else [""]
        else:
            parts = token.text.split("\n") if open_pre else [token.text]
        for place, part in enumerate(parts):
            if place and (line := " ".join("".join(line_parts).split())):
                yield line
            if place:
                line_parts.clear()
            line_parts.append(part)
    if line := " ".join("".join(line_parts).split()):
        yield line


def _shown(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Leave out the elements that a browser does not show, including nested ones."""
    hidden, depth = "", 0
    for token in tokens:
        if hidden:
            depth += (token.name == hidden) * (-1 if token.is_end else not token.closes_itself)
            hidden = hidden if depth else ""
        elif token.name in _HIDDEN and not token.is_end and not token.closes_itself:
            hidden, depth = token.name, 1
        else:
            yield token


def _tokens(page: str) -> Iterator[_Token]:
    """Split a page into tags and texts; an unclosed comment or tag extends to the end of the page, as in browsers."""
    place = 0
    while tag := _TAG.search(page, place):
        yield _Token("", _unescaped(page[place : tag.start()]))
        if tag["comment"]:
            end = page.find("-->", tag.start() + 2)
            if end < 0:
                return
            place = end + 3
            continue
        rest = _TO_END.match(page, tag.end())
        if rest is None:
            return
        place, name = rest.end(), (tag["name"] or "").lower()
        yield _Token(name or "!", is_end=bool(tag["end"]), closes_itself=page[place - 2] == "/")
        if name in _RAW and not tag["end"]:
            close = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(page, place)
            if close is None:
                return
            place = close.start()
    yield _Token("", _unescaped(page[place:]))


def _unescaped(text: str) -> str:
    return html.unescape(_TOO_LARGE.sub("\ufffd", text))
