"""Corpus: upload or choose a text, see its audit, and clean it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from deftx.core.errors import CorpusError, DeftxError
from deftx.data.file_kinds import TABLES, TEXTS
from deftx.data.table_columns import guess_text_column
from deftx.data.text import columns_of
from ui import strings
from ui.corpus import clean_form, hub_form, labelled_tab
from ui.corpus.clean_form import CleanForm
from ui.corpus.corpora import SAMPLE
from ui.corpus.findings import show, show_findings, show_repairs
from ui.corpus.hub_form import HubForm
from ui.current import current_workspace
from ui.shared import encoding_form, plot, removal, views
from ui.shared.encoding_form import EncodingForm
from ui.shared.isolation import read_isolated
from ui.shared.uploads import FILE_TYPES, READING

PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}
READS = {**PRIVATE, **READING}


@dataclass(frozen=True)
class CorpusTab:
    """The components that other sections use."""

    upload: gr.File
    choice: gr.Dropdown
    findings: gr.HTML
    said: gr.HTML  # messages about the text
    to_train: gr.Button
    to_test: gr.Button
    labelled: labelled_tab.LabelledTab


@dataclass(frozen=True)
class UploadForm:
    """The components that upload a text."""

    upload: gr.File
    column: gr.Dropdown
    use_column: gr.Button
    waiting: gr.State  # files whose text column is not yet known
    refused: gr.HTML
    encoding: EncodingForm
    hub: HubForm


@dataclass(frozen=True)
class Shown:
    """The components that show the audit of a text."""

    findings: gr.HTML
    lengths: gr.HTML
    plot_title: gr.HTML
    details: gr.HTML

    def outputs(self) -> list[gr.HTML]:
        """In the order of what ``show`` returns."""
        return [self.findings, self.plot_title, self.lengths, self.details]


def build() -> CorpusTab:
    """Lay out the section and connect its events."""
    gr.HTML(views.paragraph(strings.CORPUS_INTRO))
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            form = _build_upload()
            choice = gr.Dropdown(choices(), value=None, label=strings.CHOOSE_CORPUS, elem_id="corpus-choice")
            removing = removal.build("text", strings.REMOVE_TEXT)
            with gr.Row(elem_classes="buttons"):
                to_train = gr.Button(strings.NEXT_TRAIN, variant="primary", elem_id="to-train")
                to_test = gr.Button(strings.TRY_FIRST, elem_id="to-test")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            shown = Shown(
                gr.HTML(show_findings(None), elem_id="audit", js_on_load=views.PICK),
                plot_title=gr.HTML(elem_id="lengths-title"),
                lengths=plot.live_plot("lengths", strings.LENGTHS_TITLE),
                details=gr.HTML(elem_id="corpus-details"),
            )
            cleaning = clean_form.build()
    _connect_upload(form, choice, shown)
    _connect_choice(choice, shown, cleaning)
    _connect_repairs(choice, shown.findings, form.refused)
    removable = removal.RemovableFiles(lambda: current_workspace().corpora, [choice], choices, None)
    removal.connect(removable, 0, removing)
    # Earlier messages were about another text.
    choice.input(None, None, [form.refused, cleaning.answer, cleaning.remembered], js="() => ['', '', '']", **QUIET)
    labelled = labelled_tab.build()
    return CorpusTab(form.upload, choice, shown.findings, form.refused, to_train, to_test, labelled)


def _build_upload() -> UploadForm:
    upload = gr.File(
        label=strings.UPLOAD, file_types=FILE_TYPES, file_count="multiple", height=150, elem_id="corpus-file"
    )
    gr.HTML(views.paragraph(strings.FORMATS.format(kinds=", ".join([*TEXTS, *TABLES])), "under"))
    refused = gr.HTML(elem_id="corpus-refused")
    encoding = encoding_form.build("corpus")
    column = gr.Dropdown([], label=strings.COLUMN, visible=False, elem_id="corpus-column")
    use_column = gr.Button(strings.USE_COLUMN, visible=False, elem_id="corpus-use-column")
    return UploadForm(upload, column, use_column, gr.State([]), refused, encoding, hub_form.build())


def _connect_upload(form: UploadForm, choice: gr.Dropdown, shown: Shown) -> None:
    asking = [form.column, form.use_column, form.waiting]
    taken = [choice, form.refused, *asking, *form.encoding.outputs()]
    form.upload.upload(
        lambda files: (*receive_any(files), None), form.upload, [*taken, form.upload],
        show_progress_on=[shown.findings], **READS,
    )  # fmt: skip
    form.encoding.use.click(receive_in, form.encoding.inputs(), taken, show_progress_on=[shown.findings], **READS)
    form.use_column.click(
        receive, [form.waiting, form.column], [choice, form.refused, *asking], show_progress_on=[shown.findings],
        **READS,
    )  # fmt: skip

    def fetch(files: tuple, path: str | None, column: str | None) -> tuple:
        name, field, said = hub_form.take(files, path, column)
        return (chosen(name) if name else gr.skip()), field, said

    hub = form.hub
    hub.fetch.click(fetch, hub.inputs, [choice, *hub.outputs], show_progress_on=[hub.outputs[-1]], **READS)


def _connect_choice(choice: gr.Dropdown, shown: Shown, form: CleanForm) -> None:
    # "multiple": who chooses another text while one is read does not wait for it; ``read_isolated`` ends it.
    see = choice.change(show, choice, shown.outputs(), trigger_mode="multiple", **READS)
    # The effects take as long as the audit, which is shown before them: they add the buttons that repair.
    see.then(
        lambda name: (*clean_form.show(name, ()), show_repairs(name)), choice,
        [form.choices, form.effects, shown.findings], **QUIET,
    )  # fmt: skip
    form.choices.input(clean_form.show, [choice, form.choices], [form.choices, form.effects], **QUIET)

    def apply(name: str | None, ticked: list[str]) -> tuple:
        cleaned, said = clean_form.apply(name, ticked)
        return (chosen(cleaned) if cleaned else gr.skip()), said

    form.apply.click(apply, [choice, form.choices], [choice, form.answer], **PRIVATE)
    named = form.remember.click(clean_form.remember, [choice, form.code, form.language], form.remembered, **PRIVATE)
    named.then(show, choice, shown.outputs(), **PRIVATE)


def _connect_repairs(choice: gr.Dropdown, findings: gr.HTML, said: gr.HTML) -> None:
    def fix(name: str | None, event: gr.EventData) -> tuple:
        cleaned, message = clean_form.apply(name, [str(event.picked)])
        return (chosen(cleaned) if cleaned else gr.skip()), message

    findings.select(fix, choice, [choice, said], show_progress_on=[findings], **READS)


def choices() -> list[tuple[str, str]]:
    """List the texts as (label, name), the sample last."""
    return [*((name, name) for name in current_workspace().corpora.names()), (strings.SAMPLE, SAMPLE)]


def renew_lists(kept: Sequence[str | None]) -> tuple:
    """Return the current lists: the texts, then the labelled files for each role."""
    text, *tables = kept
    listed = labelled_tab.choices(words=True)
    return removal.renewed(choices(), text, None), *(removal.renewed(listed, table, "") for table in tables)


def chosen(name: str) -> gr.Dropdown:
    """Return the list of texts with this one chosen."""
    return gr.Dropdown(choices=choices(), value=name)


def receive_any(files: Sequence[str] | None) -> tuple:
    """Store uploaded files as ``receive`` does, or ask first for the encoding of files that are not in UTF-8."""
    asked = encoding_form.ask(files) if files else None
    if asked is None:
        return *receive(files), *encoding_form.ask_nothing()
    return gr.skip(), "", gr.Dropdown(visible=False), gr.Button(visible=False), [], *asked


def receive_in(files: Sequence[str], encoding: str) -> tuple:
    """Store files in the confirmed encoding, or ask about the next one; if it cannot be read in it, the form stays."""
    try:
        files = encoding_form.confirmed(files, encoding)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error), *[gr.skip()] * 7
    return receive_any(files)


def receive(files: Sequence[str] | None, column: str | None = None) -> tuple:
    """Store uploaded files, or ask for a table's column first: (choice, message, column, its button, files)."""
    asked, done = gr.Dropdown(visible=False), gr.Button(visible=False)
    if files and column is None and (unclear := unclear_columns(files)):
        file, columns = unclear
        said = views.notice(strings.COLUMN_ASKED.format(name=Path(file).name))
        likely = read_isolated([file], guess_text_column, file, columns, CorpusError)
        asked = gr.Dropdown(choices=list(columns), value=likely, visible=True)
        return gr.skip(), said, asked, gr.Button(visible=True), list(files)
    return *store_upload(files, column), asked, done, []


def unclear_columns(files: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the first file of which several columns may hold the text, and these; None if none, or if one cannot be read."""
    try:
        found = [read_isolated([file], columns_of, file) for file in files]
    except DeftxError:
        return None
    unclear = (
        (file, columns) for file, (columns, usual) in zip(files, found, strict=True) if columns and usual is None
    )
    return next(unclear, None)


def store_upload(files: str | Sequence[str] | None, column: str | None = None) -> tuple:
    """Store uploaded files as one text and choose it; on an error, show it and keep the choice."""
    if not files:
        return gr.skip(), ""
    try:
        return chosen(current_workspace().corpora.add(files, column)), ""
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error)
