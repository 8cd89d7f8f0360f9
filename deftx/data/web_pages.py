"""Visible text of web pages, one line per block element."""

from collections.abc import Iterator
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.optional import optional_module
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

LARGEST_PAGE = 2**26  # characters: a page is kept in memory together with its element tree

# Browsers show no text of these elements.
_NOT_SHOWN = frozenset({
    "head", "script", "style", "template", "noscript", "noframes", "iframe", "object", "audio", "video", "canvas", "svg",
    "math", "select", "textarea", "datalist", "-comment", "!doctype",
})  # fmt: skip
# These elements start a new line.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "button", "caption", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip


def page_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Return (number, line) of a web page, numbered from 1. Raise ``error`` if it is too large or not text."""
    parser = optional_module("selectolax.lexbor", "HTML", error)
    source, length = [], 0
    for _, line in numbered_lines(file, error):
        source.append(line)
        length += len(line)
        if length > LARGEST_PAGE:
            raise error(f"{file.name} is a web page of more than {LARGEST_PAGE >> 20} MB. Use a part of it.")
    return enumerate(_lines(parser.LexborHTMLParser("".join(source)).root), 1)


def _lines(root: Any) -> Iterator[str]:
    """Yield the lines of a page, without recursion, since elements can be nested to any depth."""
    parts: list[str] = []
    for name, text, preformatted in _walk(root):
        if name == "-text":
            first, *rest = text.split("\n") if preformatted else [text]
            parts.append(first)
            for line in rest:
                yield from _line(parts)
                parts.append(line)
        else:
            yield from _line(parts)
    yield from _line(parts)


def _line(parts: list[str]) -> Iterator[str]:
    line = " ".join("".join(parts).split())
    parts.clear()
    if line:
        yield line


def _walk(root: Any) -> Iterator[tuple[str, str, bool]]:
    """Yield (name, text, whether it is preformatted) of each text, and of each block at its start and its end."""
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
