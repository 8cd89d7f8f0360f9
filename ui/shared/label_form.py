"""The form that maps the labels of one file to those of another, or of a task, where they have other names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.data.labels import suggest_labels
from ui import strings
from ui.shared import views

MOST_MAPPED = 8  # labels of a file that can be mapped by hand; more usually mean that the wrong column was chosen


@dataclass(frozen=True)
class LabelForm:
    """The form; ``asked`` holds the labels of the file."""

    place: gr.Column
    said: gr.HTML
    fields: list[gr.Dropdown]
    asked: gr.State

    def outputs(self) -> list[Any]:
        """In the order of what ``ask`` and ``ask_nothing`` return."""
        return [self.place, self.said, *self.fields, self.asked]


def build(name: str) -> LabelForm:
    """Lay out the form, hidden; ``name`` is the prefix of the ids of its fields."""
    with gr.Column(visible=False, elem_id=f"{name}-labels") as place:
        said = gr.HTML()
        fields = [gr.Dropdown([], visible=False, elem_id=f"{name}-label-{n}") for n in range(MOST_MAPPED)]
    return LabelForm(place, said, fields, gr.State([]))


def ask(found: Sequence[str], known: Sequence[str], guessed: str, not_guessed: str) -> list[Any]:
    """Show a list for each label of the file, with the likely meaning chosen; nothing if there are too many labels.

    Args:
        found: The labels of the file.
        known: The labels that they may mean.
        guessed: The message if a meaning is chosen already.
        not_guessed: The message otherwise.
    """
    if len(found) > MOST_MAPPED:
        return ask_nothing()
    suggested = suggest_labels(found, known)
    choices = [(strings.LEAVE_OUT, ""), *((name, name) for name in known)]
    fields = [
        gr.Dropdown(
            choices=choices, value=suggested[label], label=strings.LABEL_MEANS.format(label=label), visible=True
        )
        for label in found
    ]
    hidden = [gr.Dropdown(visible=False) for _ in range(MOST_MAPPED - len(fields))]
    said = guessed if any(suggested.values()) else not_guessed
    return [gr.Column(visible=True), views.notice(said), *fields, *hidden, list(found)]


def ask_nothing() -> list[Any]:
    """Hide the form."""
    return [gr.Column(visible=False), "", *(gr.Dropdown(visible=False) for _ in range(MOST_MAPPED)), []]


def meanings(asked: Sequence[str], values: Sequence[str | None]) -> dict[str, str]:
    """Return the chosen meaning of each label that was asked about; "" leaves its rows out."""
    return {label: meant or "" for label, meant in zip(asked, values, strict=False)}
