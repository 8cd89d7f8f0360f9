"""Receiving an uploaded labelled file: a form asks for its encoding and its columns where they are not clear."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError, TableError
from deftx.data.table_columns import guess_columns, table_columns
from deftx.data.table_rows import LABEL, PAIR, SINGLE
from deftx.data.token_rows import TAGS, TOKENS
from ui import strings
from ui.corpus import labelled_views
from ui.current import current_workspace
from ui.shared import encoding_form, views
from ui.shared.encoding_form import EncodingForm
from ui.shared.isolation import read_isolated
from ui.shared.uploads import READING

PRIVATE = {"api_visibility": "private"}
READS = {**PRIVATE, **READING}
# The columns that each kind needs.
COLUMNS_OF_KIND = {"single": (*SINGLE, LABEL), "pair": (*PAIR, LABEL), "words": (TOKENS[0], TAGS[0])}

# The choices of each role ("train", "valid"), in the order of the lists, as (label, name).
Listed = Callable[[], Mapping[str, list[tuple[str, str]]]]


@dataclass(frozen=True)
class ColumnForm:
    """The form for the encoding, and the one that names the columns; ``waiting`` is the (path, role) that this one asks about."""

    name: str  # the prefix of the ids of its fields
    encoding: EncodingForm
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


def build(name: str) -> ColumnForm:
    """Lay out both forms, hidden; ``name`` is the prefix of the ids of their fields."""
    encoding = encoding_form.build(name)
    with gr.Column(visible=False, elem_id=f"{name}-columns") as place:
        asked = gr.HTML()
        kind = gr.Radio([(text, name) for name, text in strings.TABLE_KINDS.items()], value="single",
                        label=strings.TABLE_KIND, elem_id=f"{name}-kind")  # fmt: skip
        columns = {
            column: gr.Dropdown(
                [], label=text, visible=column in COLUMNS_OF_KIND["single"], elem_id=f"{name}-column-{column}"
            )
            for column, text in strings.TABLE_COLUMNS.items()
        }
        use = gr.Button(strings.USE_COLUMNS, variant="primary", elem_id=f"{name}-use-columns")
    refused = gr.HTML(elem_id=f"{name}-refused")
    kind.change(
        lambda kind: [gr.Dropdown(visible=column in COLUMNS_OF_KIND[kind]) for column in columns], kind, list(columns.values()),
        show_progress="hidden", **PRIVATE,
    )  # fmt: skip
    return ColumnForm(name, encoding, place, asked, kind, columns, use, refused, gr.State(("", "train")))


def connect(
    uploads: Mapping[str, Any], lists: Mapping[str, gr.Dropdown], form: ColumnForm, listed: Listed,
    progress: gr.HTML | None = None,
) -> None:  # fmt: skip
    """Store what the ``uploads`` receive and choose it in the list of the same role; ``progress`` shows that it is read."""
    encoding, targets = form.encoding, [*lists.values(), *form.outputs()]
    # The question can be out of sight: without scrolling to it, the file would seem to be lost.
    to_question = {
        "fn": None,
        "js": f"() => {{ document.querySelector('#{form.name}-columns')?.scrollIntoView({{behavior: 'smooth', block: 'nearest'}}) }}",
        **PRIVATE,
    }
    asked_of = gr.State("train")  # the role of the file whose encoding is asked for
    for role, upload in uploads.items():
        upload.upload(
            lambda file, role=role: (*receive_any(file, role, listed), role, None), upload,
            [*targets, *encoding.outputs(), asked_of, upload],
            show_progress_on=[progress] if progress else None, **READS,
        ).then(**to_question)  # fmt: skip

    encoding.use.click(
        lambda role, *given: receive_in(role, *given, listed), [asked_of, *encoding.inputs()],
        [*targets, *encoding.outputs()], **READS,
    ).then(**to_question)  # fmt: skip

    def use(waiting: tuple[str, str], kind: str, *values: str | None) -> tuple:
        return map_columns(waiting, kind, dict(zip(form.columns, values, strict=True)), listed)

    form.use.click(use, [form.waiting, form.kind, *form.columns.values()], targets, **READS)


def receive_any(file: str | None, role: str, listed: Listed) -> tuple:
    """Store an uploaded file as ``receive`` does, or ask first for its encoding if it is not in UTF-8."""
    asked = encoding_form.ask([file]) if file else None
    if asked is None:
        return *receive(file, role, listed), *encoding_form.ask_nothing()
    return *_keep_lists(listed), *_asked_nothing(), *asked


def receive_in(role: str, files: list[str], encoding: str, listed: Listed) -> tuple:
    """Store a file in the confirmed encoding; if it cannot be read in it, the form stays."""
    try:
        (file,) = encoding_form.confirmed(files, encoding)
    except DeftxError as error:
        return *_keep_lists(listed), *_asked_nothing(views.refusal(strings.NOT_READ, error)), *[gr.skip()] * 4
    return *receive(file, role, listed), *encoding_form.ask_nothing()


def receive(file: str | None, role: str, listed: Listed) -> tuple:
    """Store an uploaded file and choose it, or ask for its columns."""
    if not file:
        return *_keep_lists(listed), *_asked_nothing()
    try:
        columns, recognised = read_isolated([file], table_columns, file)
        if not recognised:
            return *_keep_lists(listed), *_ask(file, role, columns)
        return *_chosen(role, current_workspace().tables.add(file), listed), *_asked_nothing()
    except DeftxError as error:
        return *_keep_lists(listed), *_asked_nothing(views.refusal(strings.NOT_READ, error))


def map_columns(waiting: tuple[str, str], kind: str, columns: Mapping[str, str | None], listed: Listed) -> tuple:
    """Store the file with these columns; if one is missing, say so and keep the form."""
    path, role = waiting
    mapping = {name: columns[name] for name in COLUMNS_OF_KIND[kind]}
    try:
        if not all(mapping.values()):
            raise TableError(strings.NEEDS_COLUMNS)
        if len(set(mapping.values())) < len(mapping):
            raise TableError(strings.COLUMNS_TWICE)
        return *_chosen(role, current_workspace().tables.add(path, mapping), listed), *_asked_nothing()
    except DeftxError as error:
        kept = [gr.skip()] * (3 + len(columns))
        return *_keep_lists(listed), *kept, views.refusal(strings.NOT_READ, error), waiting


def _ask(path: str, role: str, columns: tuple[str, ...]) -> tuple:
    """Open the form with the file's columns, likely ones chosen, and its first rows."""
    likely = read_isolated([path], guess_columns, path, columns)
    kind = "pair" if PAIR[0] in likely else "single"
    fields = [
        gr.Dropdown(choices=list(columns), value=likely.get(name), visible=name in COLUMNS_OF_KIND[kind])
        for name in strings.TABLE_COLUMNS
    ]
    asked = views.notice(strings.COLUMNS_ASKED.format(name=Path(path).name)) + labelled_views.first_rows(path, columns)
    return gr.Column(visible=True), asked, kind, *fields, "", (path, role)


def _asked_nothing(said: str = "") -> tuple:
    fields = [gr.skip()] * len(strings.TABLE_COLUMNS)
    return gr.Column(visible=False), "", gr.skip(), *fields, said, ("", "train")


def _keep_lists(listed: Listed) -> tuple:
    return tuple(gr.skip() for _ in listed())


def _chosen(role: str, name: str, listed: Listed) -> tuple:
    """Return both lists, with the file chosen in the list of this role; TableError if that list has no files of its kind."""
    if name not in [key for _, key in listed()[role]]:
        raise TableError(strings.WORDS_NOT_HERE.format(name=name))
    chosen = {role: {"value": name}}
    return tuple(gr.Dropdown(choices=choices, **chosen.get(one, {})) for one, choices in listed().items())
