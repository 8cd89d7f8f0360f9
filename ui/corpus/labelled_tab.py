"""Labelled files: upload one for training and one for validation, and see their labels."""

from dataclasses import dataclass
from html import escape

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.file_kinds import TABLES
from deftx.data.labels import drop_unknown_labels
from deftx.data.table_rows import label_names
from deftx.data.tables import check
from deftx.data.token_rows import TokenTable
from deftx.training.sources import check_same_kind
from ui import strings
from ui.corpus import hub_form, labelled_upload, labelled_views, word_views
from ui.current import current_workspace
from ui.shared import removal, views
from ui.shared.uploads import READING, TABLE_TYPES

PRIVATE = {"api_visibility": "private"}
READS = {**PRIVATE, **READING}
ROLES = {"train": "TRAIN_FILE", "valid": "VALID_FILE"}


@dataclass(frozen=True)
class LabelledTab:
    """The components that other sections use: the choice of each role, and the button that leads to training."""

    choices: dict[str, gr.Dropdown]
    to_train: gr.Button


def build() -> LabelledTab:
    """Lay out the section and connect its events."""
    gr.HTML(f'<h2 id="labelled">{escape(strings.LABELLED)}</h2>{views.paragraph(strings.LABELLED_INTRO)}')
    uploads, lists, removing = {}, {}, {}
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            for role, key in ROLES.items():
                title = getattr(strings, key)
                uploads[role] = gr.File(label=title, file_types=TABLE_TYPES, height=140, elem_id=f"table-file-{role}")
                lists[role] = gr.Dropdown(
                    choices(words=True), value="", label=f"{strings.CHOOSE_TABLE}: {title}", show_label=False,
                    elem_id=f"table-{role}",
                )  # fmt: skip
                removing[role] = removal.build(role, strings.REMOVE_TABLE)
            gr.HTML(views.paragraph(strings.LABELLED_FORMATS.format(tables=", ".join(TABLES)), "quiet"))
            form = labelled_upload.build("table")
            hub = hub_form.build("table-hub")
            roles = [(getattr(strings, key), role) for role, key in ROLES.items()]
            with hub.place:
                as_role = gr.Radio(roles, value="train", label=strings.HUB_ROLE, elem_id="table-hub-role")
            to_train = gr.Button(strings.NEXT_TASK, variant="primary", elem_id="to-train-task")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            findings = gr.HTML(show("", ""), elem_id="table-findings")
    labelled_upload.connect(uploads, lists, form, listed, findings)
    parts, part, _ = hub.inputs
    hub.fetch.click(
        fetch, [parts, part, as_role], [*lists.values(), *form.outputs(), hub.outputs[-1]],
        show_progress_on=[hub.outputs[-1]], **READS,
    )  # fmt: skip
    for chosen in lists.values():
        chosen.change(show, list(lists.values()), findings, **READS)
    removable = removal.RemovableFiles(
        lambda: current_workspace().tables, list(lists.values()), lambda: choices(words=True), ""
    )
    for place, role in enumerate(lists):
        removal.connect(removable, place, removing[role])
    return LabelledTab(lists, to_train)


def fetch(parts: tuple, part: str | None, role: str) -> tuple:
    """Fetch a labelled split or file from the Hub, store and choose it, or ask for its columns."""
    try:
        path = str(hub_form.fetch_labelled(parts, part))
    except DeftxError as error:
        kept = labelled_upload.receive(None, role, listed)
        return *kept, views.refusal(strings.HUB_NOT_FETCHED, error)
    return *labelled_upload.receive(path, role, listed), ""


def choices(words: bool = False) -> list[tuple[str, str]]:
    """List the files for either role as (label, name), "none" first; with ``words``, those of words with tags too."""
    tables = current_workspace().tables
    return [(strings.NO_TABLE, ""), *((name, name) for name in tables.names() if words or not tables.has_words(name))]


def listed() -> dict[str, list[tuple[str, str]]]:
    """Return the current choices of each role."""
    return dict.fromkeys(ROLES, choices(words=True))


def refresh() -> list[gr.Dropdown]:
    """Return the current lists of both roles, for a page that opens."""
    return [gr.Dropdown(choices=choices(words=True)) for _ in ROLES]


def show(train: str | None, valid: str | None) -> str:
    """Describe the chosen files."""
    if not train:
        return views.paragraph(strings.NO_TABLE_YET, "quiet")
    workspace = current_workspace()
    try:
        tables = [workspace.tables.labelled(name) for name in (train, valid) if name]
        check_same_kind(tables[0], tables[-1])
        if isinstance(tables[0], TokenTable):
            return word_views.findings(tables, workspace.tables.columns(train))
        found = check(*tables)
        if len(tables) > 1:
            drop_unknown_labels(tables[1], label_names(tables[0]))
    except DeftxError as error:
        return views.refusal(strings.TABLE_REFUSED, error)
    return labelled_views.findings(train, valid, found, workspace.tables.columns(train))
