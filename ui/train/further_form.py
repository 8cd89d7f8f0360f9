"""The folded parts of the form: further labelled files, a word list, and a task vector to train further."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from ui import strings
from ui.corpus.lexicons import Lexicons
from ui.current import current_workspace
from ui.shared import removal, views
from ui.shared.uploads import READING, TABLE_TYPES
from ui.train import train_choices
from ui.train.train_fields import EMPTY, FURTHER

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
READS = {"api_visibility": "private", **READING}


@dataclass(frozen=True)
class FurtherForm:
    """The parts whose visibility depends on the choices, and how word lists are brought and removed."""

    part: gr.Accordion
    rows: list[gr.Row]  # of the further files, in the order of ``FURTHER``
    words: gr.Accordion
    upload: gr.UploadButton
    said: gr.HTML
    removing: removal.RemovalForm


def build_files() -> tuple[dict[str, Any], gr.Accordion, list[gr.Row]]:
    """Lay out the further labelled files; only the first empty row is visible."""
    fields: dict[str, Any] = {}
    rows = []
    with gr.Accordion(strings.FURTHER_FILES, open=False, elem_id="further-files") as part:
        gr.HTML(views.paragraph(strings.FURTHER_FILES_HINT, "quiet"))
        fields["repeat"] = _passes("repeat", strings.FIELDS["repeat"])
        for number in FURTHER:
            with gr.Row(elem_classes="file", visible=number == FURTHER[0]) as row:
                fields[f"train_{number}"] = gr.Dropdown(
                    train_choices.further_choices(), value="", label=strings.FURTHER_FILE.format(number=number),
                    scale=3, min_width=170, elem_id=f"further-{number}",
                )  # fmt: skip
                fields[f"source_{number}"] = gr.Dropdown(
                    train_choices.source_choices(), value="", label=strings.FURTHER_SOURCE, scale=3, min_width=170,
                    elem_id=f"further-source-{number}",
                )  # fmt: skip
                fields[f"repeat_{number}"] = _passes(f"further-repeat-{number}", strings.FURTHER_REPEAT)
            rows.append(row)
    return fields, part, rows


def build_start() -> gr.Dropdown:
    """Lay out the choice of a task vector to train further."""
    return gr.Dropdown(
        train_choices.start_choices(), value="", label=strings.FIELDS["start"], info=strings.FIELD_HINTS["start"],
        elem_id="train-start",
    )  # fmt: skip


def build_words(part: gr.Accordion, rows: list[gr.Row]) -> tuple[gr.Dropdown, FurtherForm]:
    """Lay out the word list, for both kinds of training."""
    with gr.Accordion(strings.FIELDS["lexicon"], open=False, elem_id="word-list") as words:
        gr.HTML(views.paragraph(strings.FIELD_HINTS["lexicon"], "quiet"))
        with gr.Row(equal_height=False, elem_classes="file"):
            chosen = gr.Dropdown(
                train_choices.lexicon_choices(), value="", label=strings.FIELDS["lexicon"], scale=4, min_width=180,
                elem_id="order-lexicon",
            )  # fmt: skip
            upload = gr.UploadButton(
                strings.UPLOAD_TABLE, file_types=TABLE_TYPES, size="sm", scale=1, min_width=110,
                elem_id="upload-lexicon",
            )  # fmt: skip
        removing = removal.build("lexicon", strings.REMOVE_TABLE)
        said = gr.HTML(elem_id="lexicon-said")
    return chosen, FurtherForm(part, rows, words, upload, said, removing)


def connect(form: FurtherForm, fields: dict[str, Any]) -> None:
    """Show a row for the next further file, store a word list that is brought, and let it be removed with undo."""
    files = [fields[f"train_{number}"] for number in FURTHER]
    gr.on([fields["train"].change, *(file.change for file in files)], _shown, files, [form.part, *form.rows, *files],
          **PRIVATE)  # fmt: skip
    lexicon = fields["lexicon"]
    lexicon.change(lambda name: gr.Accordion(open=True) if name else gr.skip(), lexicon, form.words, **PRIVATE)
    form.upload.upload(
        lambda file: (*receive(file), None), form.upload, [lexicon, form.said, form.upload],
        show_progress_on=[form.said], **READS,
    )  # fmt: skip
    removable = removal.RemovableFiles(_lexicons, [lexicon], train_choices.lexicon_choices, "")
    removal.connect(removable, 0, form.removing)


def receive(file: str | None) -> tuple:
    """Store a word list and choose it: (list, message)."""
    if not file:
        return gr.skip(), ""
    try:
        name = _lexicons().add(file)
    except DeftxError as error:
        return gr.skip(), views.refusal(strings.NOT_READ, error)
    return gr.Dropdown(choices=train_choices.lexicon_choices(), value=name), ""


def _shown(*files: str | None) -> tuple:
    """Open the part if a further file is chosen; show the rows up to the first empty one, with the present files."""
    last = max((place for place, name in enumerate(files, 1) if name), default=0)
    part = gr.Accordion(open=True) if last else gr.skip()
    rows = (gr.Row(visible=place <= last) for place in range(len(files)))
    return part, *rows, *(gr.Dropdown(choices=train_choices.further_choices()) for _ in files)


def _lexicons() -> Lexicons:
    return current_workspace().lexicons


def _passes(name: str, label: str) -> gr.Number:
    return gr.Number(EMPTY["repeat"], label=label, precision=0, minimum=1, scale=1, min_width=110, elem_id=f"{name}")
