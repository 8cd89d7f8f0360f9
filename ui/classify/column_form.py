"""A form, hidden at first, that asks which column is which if a file's columns do not have the expected names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import TableError
from deftx.data.table_columns import guess_columns
from deftx.data.table_rows import LABEL, PAIR, SINGLE
from ui import strings
from ui.shared import views
from ui.shared.isolation import read_isolated


@dataclass(frozen=True)
class ColumnForm:
    """The components of the form, with a list of columns for each name that may be needed."""

    place: gr.Column
    asked: gr.HTML
    fields: dict[str, gr.Dropdown]

    def outputs(self) -> list[Any]:
        """In the order of what ``ask`` and ``ask_nothing`` return."""
        return [self.place, self.asked, *self.fields.values()]

    def inputs(self) -> list[gr.Dropdown]:
        """In the order of the arguments of ``mapping``."""
        return list(self.fields.values())


def build(name: str, *, labelled: bool) -> ColumnForm:
    """Lay out the form; ``name`` is the prefix of the ids of its fields."""
    with gr.Column(visible=False, elem_id=f"{name}-columns") as place:
        asked = gr.HTML()
        fields = {
            column: gr.Dropdown([], label=strings.TABLE_COLUMNS[column], elem_id=f"{name}-column-{column}")
            for column in _names(labelled)
        }
    return ColumnForm(place, asked, fields)


def needed(pairs: bool, labelled: bool) -> tuple[str, ...]:
    """Return the names of the columns that a file must have."""
    return (*(PAIR if pairs else SINGLE), *((LABEL,) if labelled else ()))


def ask(path: str, columns: Sequence[str], pairs: bool, *, labelled: bool) -> list[Any]:
    """Show the form with the file's columns; likely ones are chosen."""
    likely, wanted = read_isolated([path], guess_columns, path, columns), needed(pairs, labelled)
    return [
        gr.Column(visible=True),
        views.notice(strings.COLUMNS_ASKED.format(name=Path(path).name)),
        *(
            gr.Dropdown(choices=list(columns), value=likely.get(name), visible=name in wanted)
            for name in _names(labelled)
        ),
    ]


def ask_again(pairs: bool, *, labelled: bool) -> list[Any]:
    """Show the lists that a task needs, with the choices made so far; the task may be another one by now."""
    wanted = needed(pairs, labelled)
    return [gr.skip(), gr.skip(), *(gr.Dropdown(visible=name in wanted) for name in _names(labelled))]


def ask_nothing(*, labelled: bool) -> list[Any]:
    """Hide the form and clear its choices."""
    return [gr.Column(visible=False), "", *(gr.Dropdown(choices=[], value=None) for _ in _names(labelled))]


def mapping(values: Sequence[str | None], pairs: bool, *, labelled: bool) -> Mapping[str, str] | None:
    """Return the choices as ``columns=`` takes them; None if nothing was asked, TableError if a choice is missing."""
    chosen = dict(zip(_names(labelled), values, strict=True))
    if not any(chosen.values()):
        return None
    wanted = {name: chosen[name] for name in needed(pairs, labelled)}
    if not all(wanted.values()):
        raise TableError(strings.NEEDS_COLUMNS)
    if len(set(wanted.values())) < len(wanted):
        raise TableError(strings.COLUMNS_TWICE)
    return wanted


def _names(labelled: bool) -> tuple[str, ...]:
    return (*SINGLE, *PAIR, *((LABEL,) if labelled else ()))
