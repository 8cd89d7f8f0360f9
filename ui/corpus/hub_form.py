"""Fetch a text from the Hugging Face Hub: enter a data set, choose a file and a column."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.core.errors import CorpusError, DeftxError
from deftx.data.table_columns import guess_text_column
from deftx.data.text import columns_of
from deftx.hub import text as hub_text
from ui import strings
from ui.shared import views
from ui.studio import Studio


@dataclass(frozen=True)
class HubForm:
    """The button that fetches, its inputs, and the component for its message."""

    fetch: gr.Button
    inputs: list[gr.components.Component]
    outputs: list[gr.components.Component]


def build() -> HubForm:
    """Lay out the form and connect its events."""
    with gr.Accordion(strings.HUB, open=False, elem_id="hub"):
        name = gr.Textbox(label=strings.HUB_ID, info=strings.HUB_ID_HINT, max_length=200, elem_id="hub-id")
        listing = gr.Button(strings.HUB_LIST, elem_id="hub-list")
        answer = gr.HTML(elem_id="hub-answer")
        files = gr.State(())
        file = gr.Dropdown([], label=strings.HUB_FILE, visible=False, elem_id="hub-file")
        column = gr.Dropdown([], label=strings.COLUMN, visible=False, elem_id="hub-column")
        fetch = gr.Button(strings.HUB_FETCH, visible=False, elem_id="hub-fetch")
    gr.on(
        [listing.click, name.submit], list_files, name, [files, file, column, fetch, answer],
        api_visibility="private", show_progress_on=[answer],
    )  # fmt: skip
    # Another file has other columns.
    file.input(lambda: gr.Dropdown(value=None, visible=False), None, column, api_visibility="private")
    return HubForm(fetch, [files, file, column], [column, answer])


def list_files(name: str | None) -> tuple:
    """List the files of a data set; on an error, show it."""
    try:
        files = hub_text.find_files(name or "")
    except DeftxError as error:
        hidden = gr.Dropdown(visible=False)
        return (), hidden, hidden, gr.Button(visible=False), views.refusal(strings.HUB_NOT_LISTED, error)
    named = [(strings.HUB_SIZE.format(path=file.path, size=f"{file.size / 2**20:,.1f}"), file.path) for file in files]
    said = views.notice(strings.HUB_FOUND.format(count=len(files)))
    dropdown = gr.Dropdown(choices=named, value=files[0].path, visible=True)
    return files, dropdown, gr.Dropdown(value=None, visible=False), gr.Button(visible=True), said


def take(studio: Studio, files: tuple, path: str | None, column: str | None) -> tuple[str | None, Any, str]:
    """Fetch a file and store its text; return (its name or None, the column field, the message)."""
    try:
        file = hub_text.choose(files, path or "")
        fetched = hub_text.fetch(file)
        columns, usual = columns_of(fetched)
        if columns and not (column or usual):
            asked = views.notice(strings.COLUMN_ASKED.format(name=fetched.name))
            likely = guess_text_column(fetched, columns, CorpusError)
            return None, gr.Dropdown(choices=list(columns), value=likely, visible=True), asked
        lines, cut = hub_text.read_lines(fetched, column or usual)
        stem = f"{file.repository}-{file.path}".replace("/", "-").split(".")[0]
        name = studio.corpora.add_lines(stem, lines, {"files": [f"{file.repository}/{file.path}"]})
    except DeftxError as error:
        return None, gr.skip(), views.refusal(strings.HUB_NOT_FETCHED, error)
    said = (strings.HUB_CUT if cut else strings.HUB_KEPT).format(name=name, count=f"{len(lines):,}")
    return name, gr.skip(), views.notice(said, kind="good")
