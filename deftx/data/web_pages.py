"""Web pages as lines of text: what a reader sees, a block of the page to a line."""

from collections.abc import Iterator
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.optional import optional_module
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

LARGEST_PAGE = 2**26  # characters: a page is held in memory, with a tree of its parts

# A browser shows nothing of these.
_NOT_SHOWN = frozenset({
    "head", "script", "style", "template", "noscript", "noframes", "iframe", "object", "audio", "video", "canvas", "svg",
    "math", "select", "textarea", "datalist", "-comment", "!doctype",
})  # fmt: skip
# These begin a line of their own.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip


def page_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Read a web page: its lines with numbers from 1. Raises ``error`` where it is too large or no text."""
    parser = optional_module("selectolax.lexbor", "HTML", error)
    source, length = [], 0
    for _, line in numbered_lines(file, error):
        source.append(line)
        length += len(line)
        if length > LARGEST_PAGE:
            raise error(f"{file.name} is a web page of more than {LARGEST_PAGE >> 20} MB. Bring a part of it.")
    return enumerate(_lines(parser.LexborHTMLParser("".join(source)).root), 1)


def _lines(root: Any) -> Iterator[str]:
    """Walk through the tree of a page without recursion: pages nest their parts as deep as they like."""
    held: list[str] = []
    for name, text, keeps in _walk(root):
        if name == "-text":
            first, *rest = text.split("\n") if keeps else [text]
            held.append(first)
            for line in rest:
                yield from _line(held)
                held.append(line)
        else:
            yield from _line(held)
    yield from _line(held)


def _line(held: list[str]) -> Iterator[str]:
    line = " ".join("".join(held).split())
    held.clear()
    if line:
        yield line


def _walk(root: Any) -> Iterator[tuple[str, str, bool]]:
    """Give (name, text, whether line ends in it count) of each text, and of each block where it begins and where it ends."""
    path, node = [], root
    while node is not None:
        name = node.tag
        if name == "-text":
            yield name, node.text_content or "", any(above.tag == "pre" for above in path[-1:])
        elif name in _BLOCKS:
            yield name, "", False
        below = None if name in _NOT_SHOWN else node.child
        if below is not None:
            path.append(node)
            node = below
            continue
        node = node.next
        while node is None and path:
            above = path.pop()
            if above.tag in _BLOCKS:
                yield above.tag, "", False
            node = above.next if path else None
