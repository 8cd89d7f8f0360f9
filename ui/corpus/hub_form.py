"""Fetch a text or a labelled file from the Hugging Face Hub: enter a data set, and choose a split or a file."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import CorpusError, DeftxError
from deftx.data.table_columns import guess_text_column
from deftx.data.text import columns_of
from deftx.hub import splits as hub_splits
from deftx.hub import text as hub_text
from deftx.hub.splits import HubSplit
from deftx.hub.text import HubFile
from ui import strings
from ui.current import current_workspace
from ui.shared import views
from ui.shared.isolation import read_isolated

SAMPLE_BYTES = 100_000  # of a split, to see its columns


@dataclass(frozen=True)
class HubForm:
    """The fold with the form, the button that fetches, its inputs, and the component for its message."""

    place: gr.Accordion
    fetch: gr.Button
    inputs: list[gr.components.Component]
    outputs: list[gr.components.Component]


def build(prefix: str = "hub") -> HubForm:
    """Lay out the form and connect its events; ``prefix`` begins the ids of its fields."""
    with gr.Accordion(strings.HUB, open=False, elem_id=prefix) as place:
        name = gr.Textbox(label=strings.HUB_ID, info=strings.HUB_ID_HINT, max_length=200, elem_id=f"{prefix}-id")
        listing = gr.Button(strings.HUB_LIST, elem_id=f"{prefix}-list")
        answer = gr.HTML(elem_id=f"{prefix}-answer")
        files = gr.State(())
        file = gr.Dropdown([], label=strings.HUB_FILE, visible=False, elem_id=f"{prefix}-file")
        column = gr.Dropdown([], label=strings.COLUMN, visible=False, elem_id=f"{prefix}-column")
        fetch = gr.Button(strings.HUB_FETCH, visible=False, elem_id=f"{prefix}-fetch")
    gr.on(
        [listing.click, name.submit], list_parts, name, [files, file, column, fetch, answer],
        api_visibility="private", show_progress_on=[answer],
    )  # fmt: skip
    # Another file has other columns.
    file.input(lambda: gr.Dropdown(value=None, visible=False), None, column, api_visibility="private")
    return HubForm(place, fetch, [files, file, column], [column, answer])


def list_parts(name: str | None) -> tuple:
    """List the splits of a data set, then its files; on an error, show it."""
    try:
        repository, revision = hub_text.read_id(name or "")
        splits = hub_splits.find_splits(repository, revision)
        files = hub_text.find_files(name or "") if not splits else _files_beside(name or "")
    except DeftxError as error:
        hidden = gr.Dropdown(visible=False)
        return (), hidden, hidden, gr.Button(visible=False), views.refusal(strings.HUB_NOT_LISTED, error)
    megabytes = hub_splits.MOST_BYTES // 10**6
    named = [(strings.HUB_SPLIT.format(split=split, size=megabytes), str(split)) for split in splits]
    named += [(strings.HUB_SIZE.format(path=file.path, size=f"{file.size / 2**20:,.1f}"), file.path) for file in files]
    said = views.notice(strings.HUB_FOUND.format(splits=len(splits), files=len(files)))
    dropdown = gr.Dropdown(choices=named, value=named[0][1], visible=True)
    return (*splits, *files), dropdown, gr.Dropdown(value=None, visible=False), gr.Button(visible=True), said


def _files_beside(name: str) -> tuple[HubFile, ...]:
    """Return the files of a data set that has splits, whose files may be of kinds that only ``datasets`` reads."""
    try:
        return hub_text.find_files(name)
    except DeftxError:
        return ()


def take(parts: tuple, chosen: str | None, column: str | None) -> tuple[str | None, Any, str]:
    """Fetch a split or a file and store its text; return (its name or None, the column field, the message)."""
    try:
        current_workspace().admit(0)
        if (split := _split(parts, chosen)) is not None:
            with tempfile.TemporaryDirectory() as folder:
                return _take_split(split, Path(folder), column)
        file = hub_text.choose(_files(parts), chosen or "")
        fetched = hub_text.fetch(file)
        asked = _ask(fetched, column)
        return asked or _store(f"{file.repository}/{file.path}", fetched, column)
    except DeftxError as error:
        return None, gr.skip(), views.refusal(strings.HUB_NOT_FETCHED, error)


def fetch_labelled(parts: tuple, chosen: str | None) -> Path:
    """Fetch a split or a file of labelled rows; it stays until the next one is fetched. Raise DeftxError if that fails."""
    current_workspace().admit(0)
    split = _split(parts, chosen)
    if split is None:
        return hub_text.fetch(hub_text.choose(_files(parts), chosen or ""))
    folder = current_workspace().store.root / "hub"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return hub_splits.fetch_split(split, folder)[0]


def _split(parts: tuple, chosen: str | None) -> HubSplit | None:
    return next((part for part in parts if isinstance(part, HubSplit) and str(part) == chosen), None)


def _files(parts: tuple) -> tuple[HubFile, ...]:
    return tuple(part for part in parts if isinstance(part, HubFile))


def _take_split(split: HubSplit, folder: Path, column: str | None) -> tuple[str | None, Any, str]:
    if asked := _ask(hub_splits.fetch_split(split, folder, SAMPLE_BYTES)[0], column):
        return asked
    fetched, cut = hub_splits.fetch_split(split, folder)
    return _store(f"{split.repository}/{split}", fetched, column, strings.HUB_CUT_SPLIT if cut else None)


def _ask(fetched: Path, column: str | None) -> tuple[None, Any, str] | None:
    """Return the question for the column of the text; None if it is known."""
    columns, usual = read_isolated([fetched], columns_of, fetched)
    if not columns or column or usual:
        return None
    asked = views.notice(strings.COLUMN_ASKED.format(name=fetched.name))
    likely = read_isolated([fetched], guess_text_column, fetched, columns, CorpusError)
    return None, gr.Dropdown(choices=list(columns), value=likely, visible=True), asked


def _store(source: str, fetched: Path, column: str | None, said: str | None = None) -> tuple[str, Any, str]:
    """Store the text; ``said`` replaces the message about it."""
    lines, cut = hub_text.read_lines(fetched, column or columns_of(fetched)[1])
    name = current_workspace().corpora.add_lines(source.replace("/", "-").split(".")[0], lines, {"files": [source]})
    said = strings.HUB_CUT if cut else said or strings.HUB_KEPT
    return name, gr.skip(), views.notice(said.format(name=name, count=f"{len(lines):,}"), kind="good")
