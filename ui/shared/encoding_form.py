"""A form, hidden at first, that asks for the encoding of an uploaded file that is not in UTF-8, and shows its first lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import CorpusError, DeftxError
from deftx.data.encodings import Guess
from deftx.data.reading import guesses_of, save_as_utf8
from ui import strings
from ui.shared import views
from ui.shared.isolation import read_isolated


@dataclass(frozen=True)
class EncodingForm:
    """The form; ``waiting`` holds the files that it asks about."""

    place: gr.Column
    asked: gr.HTML
    choice: gr.Dropdown
    use: gr.Button
    waiting: gr.State

    def outputs(self) -> list[Any]:
        """In the order of what ``ask`` and ``ask_nothing`` return."""
        return [self.place, self.asked, self.choice, self.waiting]

    def inputs(self) -> list[Any]:
        """In the order of the arguments of ``confirmed``."""
        return [self.waiting, self.choice]


def build(name: str) -> EncodingForm:
    """Lay out the form; ``name`` is the prefix of the ids of its fields."""
    with gr.Column(visible=False, elem_id=f"{name}-encodings") as place:
        asked = gr.HTML()
        choice = gr.Dropdown([], label=strings.ENCODING, elem_id=f"{name}-encoding")
        use = gr.Button(strings.USE_ENCODING, elem_id=f"{name}-use-encoding")
    form = EncodingForm(place, asked, choice, use, gr.State([]))
    choice.input(show, form.inputs(), asked, api_visibility="private", show_progress="hidden")
    return form


def ask(files: Sequence[str]) -> list[Any] | None:
    """Show the form with the most likely encoding chosen; None if no file needs it, or if a file cannot be read at all."""
    try:
        name, guesses = read_isolated(files, guesses_of, list(files), CorpusError)
    except DeftxError:
        return None
    if not guesses:
        return None
    choices = [(strings.of_library(guess.title), guess.encoding) for guess in guesses]
    field = gr.Dropdown(choices=choices, value=guesses[0].encoding)
    return [gr.Column(visible=True), _shown(name, guesses[0]), field, list(files)]


def ask_nothing() -> list[Any]:
    """Hide the form."""
    return [gr.Column(visible=False), "", gr.Dropdown(choices=[], value=None), []]


def show(files: Sequence[str], encoding: str) -> str:
    """Show the first lines in another encoding."""
    try:
        name, guesses = read_isolated(files, guesses_of, list(files), CorpusError)
    except DeftxError as error:
        return views.refusal(strings.NOT_READ, error)
    return next((_shown(name, guess) for guess in guesses if guess.encoding == encoding), "")


def confirmed(files: Sequence[str], encoding: str) -> list[str]:
    """Save UTF-8 copies of files next to the uploaded ones, and return the files to use.

    The encoding is confirmed for the first file that is not in UTF-8, whose lines were shown, and used for others that it is
    the likeliest encoding of. The rest stay as they are, for ``ask`` to ask about.

    Raises:
        DeftxError: a file is not in this encoding.
    """
    saved: list[str] = []
    for file in files:
        folder, others = Path(file).parent / "utf-8", saved != list(files[: len(saved)])
        saved.append(str(read_isolated([file], save_as_utf8, file, encoding, folder, CorpusError, if_likely=others)))
    return saved


def in_utf8(file: str, encoding: str | None) -> str:
    """Return the file to use for one that a program uploads with its encoding. Raise DeftxError as ``confirmed`` does."""
    return confirmed([file], str(encoding))[0] if encoding else file


def _shown(name: str, guess: Guess) -> str:
    lines = "".join(f"<li><q>{escape(line)}</q></li>" for line in guess.lines)
    return f'{views.notice(strings.ENCODING_ASKED.format(name=name))}<ul class="quoted">{lines}</ul>'
