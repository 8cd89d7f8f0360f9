"""Web pages as lines of text: what a reader sees, a block of the page to a line.

Tags are read one after the other and no tree is made: by the HTML standard a tree can be a thousand times as large as the page
(each paragraph repeats the formatting elements that were left open), and parsers that make one take minutes for some pages.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from deftx.core.errors import DeftxError
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

LARGEST_PAGE = 2**26  # characters: a page is held in memory

# A browser shows nothing of these. The first are plain characters up to their end tag, whatever stands in them.
_RAW = frozenset({"script", "style", "title", "textarea", "noscript", "noframes", "iframe"})
_HIDDEN = frozenset({"template", "svg", "math", "select", "datalist", "object", "canvas", "audio", "video"})
# These begin a line of their own.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip

_TAG = re.compile(r"<(?:(?P<comment>!--)|[!?]|(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*))")
# Beyond all characters, and more digits than Python turns into a number.
_TOO_LARGE = re.compile(r"&#(?:\d{8,}|[xX][0-9a-fA-F]{8,});?")
# Up to the end of a tag; a quote counts only where a value begins. Nothing is tried twice, so no page takes long.
_TO_END = re.compile(r"""(?>[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>""")


@dataclass(frozen=True)
class _Token:
    """A tag by its name, or a text without one."""

    name: str
    text: str = ""
    is_end: bool = False
    closes_itself: bool = False


def page_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Read a web page: its lines with numbers from 1. Raises ``error`` where it is too large or no text."""
    source, length = [], 0
    for _, line in numbered_lines(file, error):
        source.append(line)
        length += len(line)
        if length > LARGEST_PAGE:
            raise error(f"{file.name} is a web page of more than {LARGEST_PAGE >> 20} MB. Bring a part of it.")
    return enumerate(_lines("".join(source)), 1)


def _lines(page: str) -> Iterator[str]:
    held: list[str] = []
    as_it_is = 0  # how many <pre> are open: line ends in them count
    for token in _shown(_tokens(page)):
        if token.name == "pre":
            as_it_is = max(0, as_it_is + (-1 if token.is_end else 1))
        if token.name:
            parts = ["", ""] if token.name in _BLOCKS else [""]
        else:
            parts = token.text.split("\n") if as_it_is else [token.text]
        for place, part in enumerate(parts):
            if place and (line := " ".join("".join(held).split())):
                yield line
            if place:
                held.clear()
            held.append(part)
    if line := " ".join("".join(held).split()):
        yield line


def _shown(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Leave out the elements that a browser does not show, one in the other too."""
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
    """Cut a page into tags and texts; a comment or tag that does not end takes the rest of the page, as in browsers."""
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
