"""A vector's card, README.md, as safe HTML: headings, lists, tables and code only."""

import re
from pathlib import Path

from markdown_it import MarkdownIt

LONGEST = 50_000  # bytes that are shown
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
SHIFT = 3  # levels by which its headings are moved below those of the page

# Left out: links and pictures lead to other sites, and HTML is shown as text.
_OFF = ("image", "link", "autolink", "html_inline", "html_block", "reference")


def read_card(path: Path) -> str:
    """Read and render a card; empty if there is none."""
    try:
        with path.open("rb") as file:
            return render(file.read(LONGEST).decode("utf-8", errors="replace"))
    except OSError:
        return ""


def render(text: str) -> str:
    """Render Markdown as HTML without links, pictures or embedded HTML; the front matter for the Hub is left out."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(list(_OFF))
    tokens = markdown.parse(FRONT_MATTER.sub("", text.replace("\r\n", "\n"), count=1))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + SHIFT, 6)}"
    return markdown.renderer.render(tokens, markdown.options, {})
