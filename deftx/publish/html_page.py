"""Pieces of one self-contained HTML page: no script, nothing loaded, every text escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from deftx.core.errors import printable

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.first { font-size: 1.25rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; overflow-wrap: normal; }
th, td { text-align: start; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
td.number, th.number { text-align: end; font-variant-numeric: tabular-nums; }
td:first-child { min-width: 11rem; } td.number { white-space: nowrap; }
pre { white-space: pre-wrap; } summary { cursor: pointer; }
@media (max-width: 36rem) { table { font-size: .8rem; } th, td { padding: .3rem .25rem; } td:first-child { min-width: 8rem; } }
@media print { body { max-width: none; margin: 0; font-size: 11pt; } h2, tr { break-after: avoid; break-inside: avoid; } }
"""


def safe(text: object) -> str:
    """Return a text in one line, escaped for HTML; control and direction characters are written out."""
    return escape(printable(str(text)))


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph, of a class if ``kind`` is given."""
    return f'<p class="{kind}">{safe(text)}</p>' if kind else f"<p>{safe(text)}</p>"


def listing(lines: Iterable[str], ordered: bool = False) -> str:
    """Return a list, or nothing if there are no lines."""
    items = "".join(f"<li>{safe(line)}</li>" for line in lines)
    tag = "ol" if ordered else "ul"
    return f"<{tag}>{items}</{tag}>" if items else ""


def table(header: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """Return a table, which scrolls on a narrow screen; ``numbers`` are the columns that are aligned at the end."""
    kinds = [' class="number"' if place in numbers else "" for place in range(len(header))]
    lines = ["".join(f"<th{kind}>{safe(cell)}</th>" for kind, cell in zip(kinds, header, strict=True))]
    lines += ["".join(f"<td{kind}>{safe(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) for row in rows]
    return f'<div class="scroll"><table>{"".join(f"<tr>{line}</tr>" for line in lines)}</table></div>'


def section(title: str, *parts: str) -> str:
    """Return a section with its heading."""
    return f"<section><h2>{safe(title)}</h2>{''.join(parts)}</section>"


def page(language: str, title: str, *parts: str) -> str:
    """Return the whole page, which is also well-formed XML."""
    body = "\n".join(parts)
    return f"""<!DOCTYPE html>
<html lang="{safe(language)}"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>
<title>{safe(title)}</title><style>{STYLE}</style></head>
<body><h1>{safe(title)}</h1>
{body}
</body></html>
"""
