"""What every card of the project is written with: front matter, code spans, lists, tables, tags and the citation."""

import json
from collections.abc import Mapping
from typing import Any

TAGS = ("deft-x", "sparse-fine-tuning", "cross-lingual-transfer")
CITATION = """```bibtex
@article{simon2025deftx,
  title   = {{DeFT-X}: Denoised Sparse Fine-Tuning for Zero-Shot Cross-Lingual Transfer},
  author  = {Simon, Sona Elza and Jyothi, Preethi},
  journal = {arXiv preprint arXiv:2505.15090},
  year    = {2025},
}
```"""


def code(text: Any) -> str:
    """Return a text as a Markdown code span in one line, in which markup, links and HTML have no effect."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return f"`{line.replace('`', chr(39)).replace('|', chr(0xA6))[:200] or ' '}`"  # "|" would end a table cell


def front_matter(entries: Mapping[str, Any]) -> str:
    """Return a card's metadata as YAML, with JSON values, which are valid YAML and safely escaped."""
    return "\n".join(("---", *(f"{key}: {json.dumps(value)}" for key, value in entries.items()), "---"))


def as_list(lines: list[tuple[str, str]]) -> str:
    """Return "name: value" lines as a Markdown list, without those that have no value."""
    return "\n".join(f"- {what}: {value}" for what, value in lines if value)


def as_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table with numbers on the right after the first column; "" if there are no rows."""
    lines = [header, ("---",) + ("---:",) * (len(header) - 1), *rows] if rows else []
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_number(value: Any, how: str = "") -> str:
    """Return a number as text in the format ``how``, by default with separated thousands; "" if it is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return format(value, how or ("," if isinstance(value, int) else ",.4g"))
