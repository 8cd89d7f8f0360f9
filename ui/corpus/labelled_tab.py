"""Labelled files: upload one for training and one for validation, name their columns, and see their labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError, TableError
from deftx.data.open_table import as_text
from deftx.data.reading import find_file
from deftx.data.table_columns import guess_columns, table_columns
from deftx.data.table_formats import open_records
from deftx.data.tables import LABEL, PAIR, SINGLE, Findings, check
from ui import strings
from ui.corpus.audit_view import quote
from ui.shared import encoding_form, removal, views
from ui.shared.encoding_form import EncodingForm
from ui.shared.uploads import READING, TABLE_TYPES
from ui.studio import Studio

PRIVATE = {"api_visibility": "private"}
READS = {**PRIVATE, **READING}
ROLES = {"train": "TRAIN_FILE", "valid": "VALID_FILE"}
COLUMNS_OF_KIND = {"single": (*SINGLE, LABEL), "pair": (*PAIR, LABEL)}  # the columns that each kind needs
ROWS_SHOWN = 3

# The question is below both lists: without scrolling to it, the file would seem to be lost.
_SHOW_QUESTION = (
    "() => { document.querySelector('#table-columns')?.scrollIntoView({behavior: 'smooth', block: 'nearest'}) }"
)


@dataclass(frozen=True)
class LabelledTab:
    """The components that other sections use: the choice of each role."""

    choices: dict[str, gr.Dropdown]


@dataclass(frozen=True)
class ColumnForm:
    """The form that names the columns; ``waiting`` is the (path, role) of the file that it asks about."""

    place: gr.Column
    asked: gr.HTML
    kind: gr.Radio
    columns: dict[str, gr.Dropdown]
    use: gr.Button
    refused: gr.HTML
    waiting: gr.State

    def outputs(self) -> list[Any]:
        """In the order of what ``_ask`` and ``_asked_nothing`` return."""
        return [self.place, self.asked, self.kind, *self.columns.values(), self.refused, self.waiting]


def build(studio: Studio) -> LabelledTab:
    """Lay out the section and connect its events."""
    gr.HTML(f'<h2 id="labelled">{escape(strings.LABELLED)}</h2>{views.paragraph(strings.LABELLED_INTRO)}')
    uploads, lists, removing = {}, {}, {}
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            for role, key in ROLES.items():
                title = getattr(strings, key)
                uploads[role] = gr.File(label=title, file_types=TABLE_TYPES, height=140, elem_id=f"table-file-{role}")
                lists[role] = gr.Dropdown(
                    choices(studio), value="", label=f"{strings.CHOOSE_TABLE}: {title}", show_label=False,
                    elem_id=f"table-{role}",
                )  # fmt: skip
                removing[role] = removal.build(role, strings.REMOVE_TABLE)
            gr.HTML(views.paragraph(strings.LABELLED_FORMATS, "quiet"))
            encoding = encoding_form.build("table")
            form = _build_form()
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            findings = gr.HTML(show(studio, "", ""), elem_id="table-findings")
    _connect(studio, uploads, lists, form, encoding, findings)
    removable = removal.RemovableFiles(lambda: studio.tables, list(lists.values()), lambda: choices(studio), "")
    for place, role in enumerate(lists):
        removal.connect(studio, removable, place, removing[role])
    return LabelledTab(lists)


def _build_form() -> ColumnForm:
    with gr.Column(visible=False, elem_id="table-columns") as place:
        asked = gr.HTML()
        kind = gr.Radio([(text, name) for name, text in strings.TABLE_KINDS.items()], value="single",
                        label=strings.TABLE_KIND, elem_id="table-kind")  # fmt: skip
        columns = {
            name: gr.Dropdown([], label=text, visible=name in COLUMNS_OF_KIND["single"], elem_id=f"column-{name}")
            for name, text in strings.TABLE_COLUMNS.items()
        }
        use = gr.Button(strings.USE_COLUMNS, variant="primary", elem_id="use-columns")
    refused = gr.HTML(elem_id="table-refused")
    kind.change(
        lambda kind: [gr.Dropdown(visible=name in COLUMNS_OF_KIND[kind]) for name in columns], kind, list(columns.values()),
        show_progress="hidden", **PRIVATE,
    )  # fmt: skip
    return ColumnForm(place, asked, kind, columns, use, refused, gr.State(("", "train")))


def _connect(
    studio: Studio, uploads: dict, lists: dict, form: ColumnForm, encoding: EncodingForm, findings: gr.HTML
) -> None:
    targets = [*lists.values(), *form.outputs()]
    asked_of = gr.State("train")  # the role of the file whose encoding is asked for
    for role, upload in uploads.items():
        upload.upload(
            lambda file, role=role: (*receive_any(studio, file, role), role, None), upload,
            [*targets, *encoding.outputs(), asked_of, upload],
            show_progress_on=[findings], **READS,
        ).then(None, js=_SHOW_QUESTION, **PRIVATE)  # fmt: skip
        lists[role].change(lambda *names: show(studio, *names), list(lists.values()), findings, **READS)

    encoding.use.click(
        lambda role, *given: receive_in(studio, role, *given), [asked_of, *encoding.inputs()],
        [*targets, *encoding.outputs()], **READS,
    ).then(None, js=_SHOW_QUESTION, **PRIVATE)  # fmt: skip

    def use(waiting: tuple[str, str], kind: str, *values: str | None) -> tuple:
        return map_columns(studio, waiting, kind, dict(zip(form.columns, values, strict=True)))

    form.use.click(use, [form.waiting, form.kind, *form.columns.values()], targets, **PRIVATE)


def choices(studio: Studio) -> list[tuple[str, str]]:
    """List the files for either role as (label, name), "none" first."""
    return [(strings.NO_TABLE, ""), *((name, name) for name in studio.tables.names())]


def refresh(studio: Studio) -> list[gr.Dropdown]:
    """Return the current lists of both roles, for a page that opens."""
    return [gr.Dropdown(choices=choices(studio)) for _ in ROLES]


def receive_any(studio: Studio, file: str | None, role: str) -> tuple:
    """Store an uploaded file as ``receive`` does, or ask first for its encoding if it is not in UTF-8."""
    asked = encoding_form.ask([file]) if file else None
    if asked is None:
        return *receive(studio, file, role), *encoding_form.ask_nothing()
    return *_keep_lists(), *_asked_nothing(), *asked


def receive_in(studio: Studio, role: str, files: list[str], encoding: str) -> tuple:
    """Store a file in the confirmed encoding; if it cannot be read in it, the form stays."""
    try:
        (file,) = encoding_form.confirmed(files, encoding)
    except DeftxError as error:
        return *_keep_lists(), *_asked_nothing(views.refusal(strings.NOT_READ, error)), *[gr.skip()] * 4
    return *receive(studio, file, role), *encoding_form.ask_nothing()


def receive(studio: Studio, file: str | None, role: str) -> tuple:
    """Store an uploaded file and choose it, or ask for its columns."""
    if not file:
        return *_keep_lists(), *_asked_nothing()
    try:
        columns, recognised = table_columns(file)
        if not recognised:
            return *_keep_lists(), *_ask(file, role, columns)
        return *_chosen(studio, role, studio.tables.add(file)), *_asked_nothing()
    except DeftxError as error:
        return *_keep_lists(), *_asked_nothing(views.refusal(strings.NOT_READ, error))


def map_columns(studio: Studio, waiting: tuple[str, str], kind: str, columns: Mapping[str, str | None]) -> tuple:
    """Store the file with these columns; if one is missing, say so and keep the form."""
    path, role = waiting
    mapping = {name: columns[name] for name in COLUMNS_OF_KIND[kind]}
    try:
        if not all(mapping.values()):
            raise TableError(strings.NEEDS_COLUMNS)
        if len(set(mapping.values())) < len(mapping):
            raise TableError(strings.COLUMNS_TWICE)
        return *_chosen(studio, role, studio.tables.add(path, mapping)), *_asked_nothing()
    except DeftxError as error:
        kept = [gr.skip()] * (3 + len(columns))
        return *_keep_lists(), *kept, views.refusal(strings.NOT_READ, error), waiting


def show(studio: Studio, train: str | None, valid: str | None) -> str:
    """Describe the chosen files."""
    if not train:
        return views.paragraph(strings.NO_TABLE_YET, "quiet")
    try:
        tables = [studio.tables.read(name) for name in (train, valid) if name]
        found = check(*tables)
    except DeftxError as error:
        return views.refusal(strings.TABLE_REFUSED, error)
    verdict = (strings.TABLE_READY_WITH_NOTES, "note") if found.warnings else (strings.TABLE_READY, "good")
    columns = ", ".join(
        strings.COLUMN_IS.format(what=strings.TABLE_COLUMNS[what], column=column)
        for what, column in studio.tables.columns(train).items()
    )
    return (
        f"<h3>{escape(train)}</h3>{views.paragraph(strings.COLUMNS_OF.format(columns=columns), 'quiet origin')}"
        f"{views.notice(verdict[0], kind=verdict[1])}{views.notes(strings.NOTE, found.warnings)}"
        f"{views.figures(_numbers(found))}{_labels(train, found.labels)}{_labels(valid or '', found.valid_labels)}"
    )


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


def _ask(path: str, role: str, columns: tuple[str, ...]) -> tuple:
    """Open the form with the file's columns, likely ones chosen, and its first rows."""
    likely = guess_columns(path, columns)
    kind = "pair" if PAIR[0] in likely else "single"
    fields = [
        gr.Dropdown(choices=list(columns), value=likely.get(name), visible=name in COLUMNS_OF_KIND[kind])
        for name in strings.TABLE_COLUMNS
    ]
    asked = views.notice(strings.COLUMNS_ASKED.format(name=Path(path).name)) + _first_rows(path, columns)
    return gr.Column(visible=True), asked, kind, *fields, "", (path, role)


def _asked_nothing(said: str = "") -> tuple:
    fields = [gr.skip()] * len(strings.TABLE_COLUMNS)
    return gr.Column(visible=False), "", gr.skip(), *fields, said, ("", "train")


def _first_rows(path: str, columns: tuple[str, ...]) -> str:
    rows = open_records(find_file(path, TableError), TableError).rows(columns)
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{quote(as_text(cell))}</td>' for cell in cells)}</tr>"
        for _, cells in islice(rows, ROWS_SHOWN)
    )
    table = f'<table class="plain quoted"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p class="quiet">{escape(strings.FIRST_ROWS)}</p><div class="wide">{table}</div>'


def _keep_lists() -> tuple:
    return tuple(gr.skip() for _ in ROLES)


def _chosen(studio: Studio, role: str, name: str) -> tuple:
    """Return both lists, with the file chosen in the list of this role."""
    listed = choices(studio)
    return tuple(gr.Dropdown(choices=listed, **({"value": name} if one == role else {})) for one in ROLES)
