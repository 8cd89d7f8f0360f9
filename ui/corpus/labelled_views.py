"""Labelled files as HTML: their findings, and their first rows."""

from collections.abc import Mapping
from html import escape
from itertools import islice
from pathlib import Path

from deftx.data.incoming import first_cells
from deftx.data.tables import Findings
from ui import strings
from ui.shared import views
from ui.shared.isolation import read_isolated

ROWS_SHOWN = 3


def findings(train: str, valid: str | None, found: Findings, columns: Mapping[str, str]) -> str:
    """Describe the files ``train`` and ``valid``; ``columns`` are those of ``train`` by their use."""
    verdict = (strings.TABLE_READY_WITH_NOTES, "note") if found.warnings else (strings.TABLE_READY, "good")
    named = ", ".join(
        strings.COLUMN_IS.format(what=strings.TABLE_COLUMNS[what], column=column) for what, column in columns.items()
    )
    return (
        f"<h3>{escape(train)}</h3>{views.paragraph(strings.COLUMNS_OF.format(columns=named), 'quiet origin')}"
        f"{views.notice(verdict[0], kind=verdict[1])}{views.notes(strings.NOTE, found.warnings)}"
        f"{views.figures(_numbers(found))}{_labels(train, found.labels)}{_labels(valid or '', found.valid_labels)}"
    )


def first_rows(path: str, columns: tuple[str, ...]) -> str:
    """Return the first rows of a table."""
    rows = read_isolated([path], first_cells, Path(path), columns, ROWS_SHOWN)
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{views.quote(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    table = f'<table class="plain quoted"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p class="quiet">{escape(strings.FIRST_ROWS)}</p><div class="wide">{table}</div>'


def _numbers(found: Findings) -> list[tuple[str, str]]:
    measured = sum(found.valid_labels.values())
    return [
        (strings.ROWS, f"{sum(found.labels.values()):,}"),
        (strings.LABELS, f"{len(found.labels):,}"),
        (strings.REPEATED_ROWS, f"{found.duplicates:,}"),
        (strings.CONFLICTS, f"{found.conflicts:,}"),
        *(((strings.ROWS_MEASURED, f"{measured:,}"), (strings.SHARED_ROWS, f"{found.shared:,}")) if measured else ()),
    ]


def _labels(name: str, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    named = [(strings.LABEL_COUNT.format(label=label, count=f"{count:,}"), count / total)
             for label, count in islice(counts.items(), 50)]  # fmt: skip
    return views.bars(named, caption=strings.LABELS_OF.format(name=name))
