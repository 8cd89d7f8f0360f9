"""Labels of a validation file that the task lacks: a form asks what they mean before anything starts."""

from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.labels import with_spellings_of
from deftx.data.table_rows import label_names
from ui import strings
from ui.current import current_workspace
from ui.library import vector_index
from ui.shared import label_form, views
from ui.train import train_choices


def ask(kind: str, train: str | None, valid: str | None, start: str = "") -> list[Any]:
    """Ask what the labels of the validation file mean if the task lacks some; otherwise hide the form."""
    if kind != "task" or not train or not valid:
        return label_form.ask_nothing()
    tables = current_workspace().tables
    try:
        known = _known(train, start)
        found = label_names(with_spellings_of(tables.read(valid), known))
    except DeftxError:  # the preview says why
        return label_form.ask_nothing()
    if set(found) <= set(known):
        return label_form.ask_nothing()
    said = (strings.VALID_LABELS_GUESSED, strings.VALID_LABELS_NOT_GUESSED)
    named = {"valid": valid, "train": train, "known": ", ".join(known)}
    return label_form.ask(found, known, *(text.format(**named) for text in said))


def use(valid: str | None, train: str | None, start: str, asked: list[str], *values: str | None) -> tuple[Any, Any]:
    """Store a copy of the validation file with the chosen labels and choose it; return (the choice, the message)."""
    tables = current_workspace().tables
    try:
        spelt = with_spellings_of(tables.read(valid or ""), _known(train or "", start))
        name = tables.add_renamed(spelt, label_form.meanings(asked, values))
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error)
    return gr.Dropdown(choices=train_choices.valid_choices(), value=name), gr.skip()


def _known(train: str, start: str) -> list[str]:
    """Return the labels of the task: those of the vector that is trained further, else those of the training file."""
    workspace = current_workspace()
    return list(vector_index.labels_of(workspace.store, start) or label_names(workspace.tables.read(train)))
