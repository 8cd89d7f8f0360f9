"""The card of a vector, README.md, as HTML: headings, lists, tables and code, and nothing that a stranger could do harm with."""

import re
from pathlib import Path

from markdown_it import MarkdownIt

LONGEST = 50_000  # bytes that are shown
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
SHIFT = 3  # levels by which its headings stand below those of the page

# Left out: links and pictures lead elsewhere, and HTML is shown as the text it is.
_OFF = ("image", "link", "autolink", "html_inline", "html_block", "reference")


def read_card(path: Path) -> str:
    """Read a card and lay it out; empty where there is none."""
    try:
        with path.open("rb") as file:
            return render(file.read(LONGEST).decode("utf-8", errors="replace"))
    except OSError:
        return ""


def render(text: str) -> str:
    """Lay Markdown out as HTML without links, pictures or HTML of its own; what the Hub reads at its top is left out."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(list(_OFF))
    tokens = markdown.parse(FRONT_MATTER.sub("", text.replace("\r\n", "\n"), count=1))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + SHIFT, 6)}"
    return markdown.renderer.render(tokens, markdown.options, {})
