"""Classify a file of texts: upload it, classify it in the background, show the answers, download them as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.file_kinds import TABLES, TEXTS
from deftx.data.table_columns import table_columns
from deftx.data.words_to_tag import has_words
from ui import strings
from ui.classify import column_form, file_views, word_file_views
from ui.classify.compose_form import ComposeForm, combination_of, is_for_words
from ui.classify.file_tasks import Classified, classify_file, wants_pairs
from ui.classify.word_files import TaggedWords, tag_words
from ui.current import current_workspace
from ui.shared import encoding_form, views
from ui.shared.background_views import known_work, see
from ui.shared.isolation import read_isolated
from ui.shared.uploads import FILE_TYPES

EVERY = 1.0  # seconds
PRIVATE = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}


@dataclass(frozen=True)
class FileTab:
    """The components that a refresh updates, in the order of its answers."""

    view: gr.HTML
    stop: gr.Button
    found: gr.Column
    label: gr.Dropdown
    order: gr.Dropdown
    sure: gr.Dropdown
    uncertain: gr.HTML
    rows: gr.HTML
    download: gr.DownloadButton
    others: gr.File
    timer: gr.Timer

    def outputs(self) -> list[Any]:
        """The components as a list."""
        return list(vars(self).values())


def build(vectors: ComposeForm, kept: gr.BrowserState) -> FileTab:
    """Lay out the section below the form that chooses the vectors, and connect it; the browser keeps the id of the work in ``kept``."""
    gr.HTML(f'<h2 class="part" id="file">{strings.FILE_TITLE}</h2>{views.paragraph(strings.FILE_INTRO)}')
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            file = gr.File(label=strings.FILE_UPLOAD, file_types=FILE_TYPES, height=140, elem_id="texts-file")
            kinds = strings.FILE_FORMATS.format(texts=", ".join(TEXTS), tables=", ".join(TABLES))
            gr.HTML(views.paragraph(kinds, "quiet"))
            encoding = encoding_form.build("texts")
            form = column_form.build("texts", labelled=False)
            start = gr.Button(strings.FILE_CLASSIFY, variant="primary", elem_id="classify-file")
            stop = gr.Button(strings.WORK_STOP, visible=False, elem_id="stop-file")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            view = gr.HTML(views.paragraph(strings.NO_FILE_YET, "quiet"), elem_id="file-view")
            download = gr.DownloadButton(strings.FILE_DOWNLOAD, visible=False, elem_id="file-download")
            others = gr.File(
                label=strings.OTHER_FORMATS,
                visible=False,
                interactive=False,
                file_count="multiple",
                height=110,
                elem_id="file-others",
            )
    with gr.Column(visible=False) as found:
        uncertain = gr.HTML(elem_id="file-uncertain")
        with gr.Row(elem_classes="filters"):
            label = gr.Dropdown(
                [(strings.ANY, "")], value="", label=strings.LABEL_FILTER, min_width=140, elem_id="file-label"
            )
            order = gr.Dropdown(
                [(text, name) for name, text in strings.ROW_ORDERS.items()],
                value="file", label=strings.ROW_ORDER, min_width=140, elem_id="file-order",
            )  # fmt: skip
            sure = gr.Dropdown(
                [(strings.ANY, 0.0)], value=0.0, label=strings.SURE_FILTER, min_width=200, elem_id="file-sure"
            )
        rows = gr.HTML(elem_id="file-rows")
    timer = gr.Timer(EVERY, active=False)
    tab = FileTab(view, stop, found, label, order, sure, uncertain, rows, download, others, timer)
    _connect_encoding(tab, file, encoding)
    _connect(tab, file, vectors, form, start, kept)
    return tab


def _connect_encoding(tab: FileTab, file: gr.File, encoding: encoding_form.EncodingForm) -> None:
    file.change(ask_encoding, file, encoding.outputs(), **PRIVATE)
    encoding.use.click(use_encoding, encoding.inputs(), [file, tab.view], **PRIVATE)


def _connect(tab: FileTab, file: gr.File, vectors: ComposeForm, form: column_form.ColumnForm,
             start: gr.Button, kept: gr.BrowserState) -> None:  # fmt: skip
    task, chosen = vectors.fields["task"], vectors.inputs()
    received = [*form.outputs(), tab.view, tab.found]
    gr.on([file.change, task.change], receive, [file, task, tab.view], received, **PRIVATE)
    start.click(
        lambda file, before, *given: begin(file, vectors.values(given[: len(chosen)]), before, *given[len(chosen) :]),
        [file, kept, *chosen, *form.inputs()],
        [kept, tab.view, tab.stop, tab.found, tab.download, tab.others, tab.timer], **PRIVATE,
    )  # fmt: skip
    looking = {"fn": look, "inputs": kept, "outputs": tab.outputs(), **PRIVATE}
    tab.timer.tick(**looking)
    tab.stop.click(lambda id_: current_workspace().background_tasks.stop(id_), kept, None, **PRIVATE).then(**looking)
    filters = [tab.label, tab.order, tab.sure]
    gr.on([one.input for one in filters], show_rows, [kept, *filters], tab.rows, **PRIVATE)


def ask_encoding(file: str | None) -> list[Any]:
    """Ask for the encoding of a file that is not in UTF-8."""
    return (encoding_form.ask([file]) if file else None) or encoding_form.ask_nothing()


def use_encoding(files: Sequence[str], encoding: str) -> tuple:
    """Replace the uploaded file by a UTF-8 copy."""
    try:
        (file,) = encoding_form.confirmed(files, encoding)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error)
    return file, gr.skip()


def receive(file: str | None, task: str | None, shown: str | None = "") -> tuple:
    """Check whether a file can be read, and ask for its columns if they are not clear.

    A refusal hides an earlier result. ``shown`` is what the view shows: a refusal of another file is removed, a result stays.
    """
    nothing = column_form.ask_nothing(labelled=False)
    kept = without_refusal(shown, strings.NO_FILE_YET), gr.skip()
    if not file or not task:
        return *nothing, *kept
    try:
        if is_for_words(task) and read_isolated([file], has_words, file):
            return *nothing, *kept
        columns, recognised = read_isolated([file], table_columns, file, labelled=False)
        if recognised:
            return *nothing, *kept
        asked = column_form.ask(file, columns, wants_pairs(current_workspace(), task), labelled=False)
        return *asked, *kept
    except DeftxError as error:
        if encoding_form.ask([file]):  # a file that is not in UTF-8: the encoding form asks
            return *nothing, *kept
        return *nothing, views.refusal(strings.NOT_READ, error), gr.Column(visible=False)


def without_refusal(shown: str | None, placeholder: str) -> Any:
    """Return the placeholder in place of a refusal that is shown; otherwise leave the view as it is."""
    return views.paragraph(placeholder, "quiet") if views.is_refusal(shown) else gr.skip()


def begin(file: str | None, vectors: dict[str, Any], before: str, *columns: str | None) -> tuple:
    """Put a file into the queue and start to poll for the result; errors are shown at once."""
    workspace = current_workspace()
    try:
        combination = combination_of(vectors)
        if not file:
            raise DeftxError(strings.NEEDS_FILE)
        named = column_form.mapping(columns, wants_pairs(workspace, combination.task), labelled=False)
        work = tag_words if is_for_words(combination.task) else classify_file
        id_ = workspace.background_tasks.start(
            lambda on_share: work(workspace, Path(file), named, combination, on_share), instead_of=before
        )
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.FILE_REFUSED, error), gr.skip(), *_hidden(), gr.skip()
    view = file_views.progress(workspace.background_tasks, workspace.background_tasks.find(id_))
    return id_, view, gr.Button(visible=True), *_hidden(), gr.Timer(active=True)


def _hidden() -> tuple[gr.Column, gr.DownloadButton, gr.File]:
    """Hide an earlier result and its files."""
    return gr.Column(visible=False), gr.DownloadButton(visible=False), gr.File(visible=False)


def restore(id_: object) -> tuple:
    """Show earlier work, for a page that opens; nothing if it is gone."""
    return look(known_work(id_))


def look(id_: str) -> tuple:
    """Show the progress; after the end, show the result and stop polling."""
    seen = see(current_workspace().background_tasks, id_, (Classified, TaggedWords), strings.FILE_REFUSED)
    if seen is None:
        return *[gr.skip()] * 10, gr.Timer(active=False)
    if seen.going:
        return seen.view, gr.Button(visible=True), *[gr.skip()] * 8, gr.Timer(active=True)
    shown = [*_hidden()[:1], *[gr.skip()] * 5, *_hidden()[1:]] if seen.view else _shown(seen.result)
    return (
        seen.view or _views(seen.result).summary(seen.result),
        gr.Button(visible=False),
        *shown,
        gr.Timer(active=False),
    )


def _views(found: Classified | TaggedWords) -> Any:
    return word_file_views if isinstance(found, TaggedWords) else file_views


def _shown(found: Classified | TaggedWords) -> Sequence[Any]:
    """Show a result: its filters, its rows and its files."""
    if isinstance(found, TaggedWords):
        return _shown_words(found)
    sure = gr.Dropdown(choices=file_views.sure_choices(found), value=0.0, visible=found.calibration is not None)
    order = gr.update(value="file", visible=True)
    return (
        gr.Column(visible=True), _labels(found.labels), order, sure, file_views.uncertain(found),
        file_views.rows(found, "", "file"), gr.DownloadButton(value=_served([found.file()])[0], visible=True),
        gr.File(visible=False),
    )  # fmt: skip


def _shown_words(found: TaggedWords) -> Sequence[Any]:
    table, *others = _served(found.files())
    hidden = gr.Dropdown(visible=False)
    return (
        gr.Column(visible=True), _labels(list(found.found.counts)), hidden, hidden, "", word_file_views.rows(found, ""),
        gr.DownloadButton(value=table, visible=True), gr.File(value=others, visible=True),
    )  # fmt: skip


def _labels(names: Sequence[str]) -> gr.Dropdown:
    return gr.Dropdown(choices=[(strings.ANY, ""), *((name, name) for name in names)], value="")


def _served(files: Sequence[Path]) -> list[str]:
    workspace = current_workspace()
    return [str(workspace.served_files.copy(file, workspace.owner)) for file in files]


def show_rows(id_: str, label: str | None, order: str | None, wanted: float | None = None) -> str:
    """Show the rows that match the filter."""
    background_task = current_workspace().background_tasks.find(id_)
    found = background_task.result if background_task is not None else None
    if isinstance(found, TaggedWords):
        return word_file_views.rows(found, label or "")
    if not isinstance(found, Classified):
        return views.notice(strings.WORK_GONE)
    return file_views.rows(found, label or "", order or "file", wanted or 0.0)
