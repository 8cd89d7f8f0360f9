"""Pieces of HTML that several sections use; text from people and files is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from deftx.core.errors import DeftxError
from ui import strings

DATE = "%Y-%m-%d"  # numbers, because strftime writes the names of months in English whatever the page's language
DATE_AND_TIME = f"{DATE} %H:%M"
# The script of an HTML part whose buttons have ``data-pick``: a click is a "select" event, with that value as ``picked``.
PICK = """
element.addEventListener('click', e => {
  const button = e.target.closest('[data-pick]');
  if (button) trigger('select', {picked: button.dataset.pick});
});
"""


def quote(text: str, most: int = 160) -> str:
    """Quote a text, shortened if it has more characters."""
    return escape(text if len(text) <= most else text[:most] + strings.TOO_LONG.format(count=f"{len(text):,}"))


def notice(text: str, *, title: str = "", kind: str = "note") -> str:
    """Return a highlighted short text; ``kind`` is "note", "good" or "bad", which colour and words both express."""
    heading = f"<strong>{escape(title)}</strong> " if title else ""
    role = "alert" if kind == "bad" else "status"
    return f'<div class="notice {kind}" role="{role}">{heading}{escape(text)}</div>'


def refusal(title: str, error: DeftxError | OSError | str) -> str:
    """Return the message of an error under a title, without the path that an error of the disk has."""
    said = error.strerror if isinstance(error, OSError) else None
    return notice(said or str(error), title=title, kind="bad")


def is_refusal(shown: str | None) -> bool:
    """Return whether a part of the page shows a refusal."""
    return (shown or "").startswith('<div class="notice bad"')


def paragraph(text: str, style: str = "intro") -> str:
    """Return a paragraph of plain text."""
    return f'<p class="{style}">{escape(text)}</p>'


def in_words(sentences: Sequence[str]) -> str:
    """Return scores in words, the first sentence larger; empty without sentences."""
    if not sentences:
        return ""
    others = "".join(f"<li>{escape(text)}</li>" for text in sentences[1:])
    return f'<p class="in-words">{escape(sentences[0])}</p><ul class="in-words">{others}</ul>'


def figures(items: Iterable[tuple[str, str]]) -> str:
    """Return named numbers in aligned columns; a hint is shown on hover and read by screen readers."""
    return '<dl class="figures">' + "".join(_figure(name, value) for name, value in items) + "</dl>"


def _figure(name: str, value: str) -> str:
    hint = next((text for key, text in strings.HINTS.items() if getattr(strings, key) == name), "")
    title = f' title="{escape(hint)}"' if hint else ""
    return f"<div{title}><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"


def bar(share: float, label: str = "") -> str:
    """Return a horizontal bar for ``share`` (0 to 1); with a label it is a progress bar."""
    percent = f"{100 * min(max(share, 0.0), 1.0):.1f}"
    spoken = f'role="progressbar" aria-label="{escape(label)}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}"'
    return f'<div class="bar" {spoken if label else "aria-hidden=true"}><span style="width:{percent}%"></span></div>'


def bars(shares: Iterable[tuple[str, float]], *, caption: str = "", best: str = "") -> str:
    """Return shares as labelled bars with aligned numbers; the row named ``best`` is highlighted."""
    rows = "".join(
        f'<tr class="{"best" if name == best else ""}"><th scope="row">{escape(name)}</th>'
        f"<td>{bar(share)}</td><td>{share:.1%}</td></tr>"
        for name, share in shares
    )
    heading = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<table class="bars">{heading}{rows}</table>' if rows else ""


def notes(title: str, texts: Iterable[str], repairs: Mapping[str, str] | None = None) -> str:
    """Return sentences that a person should read, each marked with a word; empty without sentences.

    ``repairs`` is the HTML that follows some of them.
    """
    after = repairs or {}
    items = "".join(f"<li><b>{escape(title)}</b> {escape(text)} {after.get(text, '')}</li>" for text in texts)
    return f'<ul class="notes">{items}</ul>' if items else ""


def strip(cells: Iterable[tuple[str, str]]) -> str:
    """Return the status line, which is always visible: the name and value of each cell."""
    inside = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cells)
    return f'<dl class="strip">{inside}</dl>'


def table(heads: Iterable[str], lines: Iterable[Iterable[str]], *, caption: str = "") -> str:
    """Return a table of numbers and names; the first cell of a line names it."""
    heading = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in lines
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table class="numbers">{said}<thead><tr>{heading}</tr></thead>{body}</table></div>'


def size(count: int) -> str:
    """Return a number of bytes in a suitable unit."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_each:
            return f"{count / bytes_each:,.1f} {unit}"
    return f"{count} B"


def press(elem_id: str) -> str:
    """Return the script that clicks a hidden download button, so that a finished file is downloaded at once."""
    return f"() => document.querySelector('#{elem_id} a, a#{elem_id}, #{elem_id}')?.click()"
