"""Train: what to learn from and how; "Start training" puts a job into the queue and returns at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.training.request import SettingsRefused
from ui import strings
from ui.corpus import corpus_tab, labelled_upload
from ui.current import current_workspace
from ui.shared import removal, views
from ui.train import further_form, train_choices, train_fields, train_form, train_settings, valid_labels
from ui.train.train_fields import EMPTY, Values
from ui.train.train_preview import preview, refusals_view

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
LATEST = {
    "trigger_mode": "always_last",
    "concurrency_limit": None,
    **PRIVATE,
}  # while one request runs, only the last waits
SHAPING = ("kind", "preset", "method", "rank", "train")  # choices that show or hide fields, or change the grey values


@dataclass(frozen=True)
class TrainTab:
    """The section: its form, the button, and the components for its messages."""

    form: train_form.Form
    start: gr.Button
    answer: gr.HTML
    outlook: gr.HTML
    copies: tuple[gr.Code, gr.Code, gr.Code]
    settings: gr.UploadButton
    ready: gr.State  # whether the browser's stored values are restored: before that, nothing is stored
    beside: gr.Column  # space below, for the training runs

    def inputs(self) -> list[gr.components.Component]:
        """The text, then every field in the order of ``EMPTY``."""
        return [self.form.text, *self.form.fields.values()]

    def filled(self) -> list[gr.components.Component]:
        """The outputs of ``train_settings.fill`` and ``again``."""
        return [*self.inputs(), self.answer]


def build(corpus: gr.Dropdown, kept: gr.BrowserState) -> TrainTab:
    """Lay out the section in two columns and connect its events; ``corpus`` is the choice of the text under Corpus."""
    with gr.Column(scale=2, min_width=300):
        form = train_form.build()
    with gr.Column(scale=3, min_width=300):
        outlook = gr.HTML(views.paragraph(strings.NOT_YET, "quiet"), elem_id="outlook")
        with gr.Row(elem_classes="buttons"):
            start = gr.Button(strings.START, variant="primary", elem_id="start")
            settings = gr.UploadButton(strings.OPEN_SETTINGS, file_types=[".json"], elem_id="open-settings")
        answer = gr.HTML(elem_id="train-answer")
        with gr.Accordion(strings.COPY, open=False, elem_id="copies"):
            copies = _copies()
        beside = gr.Column(elem_classes="card")
    tab = TrainTab(form, start, answer, outlook, copies, settings, gr.State(False), beside)
    _connect_text(tab, corpus)
    _connect_fields(tab, kept)
    return tab


def _copies() -> tuple[gr.Code, gr.Code, gr.Code]:
    gr.HTML(views.paragraph(strings.COPY_HINT, "quiet"))
    kinds = (("shell", strings.COMMAND), ("python", strings.PYTHON), ("json", strings.SETTINGS_FILE))
    return tuple(
        gr.Code(language=language, label=label, interactive=False, wrap_lines=True, lines=1, elem_id=f"as-{language}")
        for language, label in kinds
    )


def _connect_text(tab: TrainTab, corpus: gr.Dropdown) -> None:
    """Keep the text chosen here and the one chosen under Corpus the same."""

    def same(name: str | None) -> gr.Dropdown:
        return gr.Dropdown(choices=corpus_tab.choices(), value=name)

    corpus.change(same, corpus, tab.form.text, **PRIVATE)
    tab.form.text.input(same, tab.form.text, corpus, **PRIVATE)


def _connect_fields(tab: TrainTab, kept: gr.BrowserState) -> None:
    form = tab.form
    chosen = [form.fields[name] for name in SHAPING]

    def shape(kind: str, preset: str, method: str, rank: str, train: str | None) -> tuple:
        pairs = kind == "task" and current_workspace().forecast.pairs(train)
        return train_form.shape(kind, preset, method, rank, pairs)

    gr.on([field.change for field in chosen], shape, chosen, form.shaped(), **LATEST)
    # An answer belongs to an earlier state of the form; it is cleared when the form changes.
    entered = [field.input for field in tab.inputs()]
    gr.on(entered, None, None, tab.answer, js="() => ''", **PRIVATE)
    changes = [field.change for field in tab.inputs()]
    gr.on(changes, **looking(tab, kept), **LATEST)
    lists = {name: form.fields[name] for name in form.uploads}
    labelled_upload.connect(form.uploads, lists, form.columns, train_choices.listed)
    further_form.connect(form.further, form.fields)
    _connect_labels(form)
    tab.settings.upload(train_settings.open_file, tab.settings, tab.filled(), **PRIVATE)


def _connect_labels(form: train_form.Form) -> None:
    """Ask about labels of the validation file that the task lacks, and store the answer."""
    files = [form.fields[name] for name in ("kind", "train", "valid", "start")]
    gr.on([field.change for field in files], valid_labels.ask, files, form.labels.outputs(), **LATEST)
    form.use_labels.click(
        valid_labels.use,
        [*(form.fields[name] for name in ("valid", "train", "start")), form.labels.asked, *form.labels.fields],
        [form.fields["valid"], form.labels.said], **PRIVATE,
    )  # fmt: skip


def looking(tab: TrainTab, kept: gr.BrowserState) -> dict[str, Any]:
    """Return the event that previews the form and stores its values in the browser."""

    def look(ready: bool, text: str | None, *fields: object) -> tuple:
        values = dict(zip(EMPTY, fields, strict=True))
        return *preview(text, values), values if ready else gr.skip()

    return {"fn": look, "inputs": [tab.ready, *tab.inputs()], "outputs": [tab.outlook, *tab.copies, kept]}


def restore(kept: object) -> tuple:
    """Restore the values stored in this browser: (text, *fields, ready)."""
    # Nothing is set if nothing was stored: a slow answer must not undo newer input.
    entered = kept if isinstance(kept, dict) and kept.get("kind") in train_fields.RECIPES else {}
    usable = {name: entered[name] for name in EMPTY if isinstance(entered.get(name), str | int | float)}
    return gr.Dropdown(choices=corpus_tab.choices()), *train_form.filled(usable), True


def renew_lists(chosen: Sequence[str | None]) -> tuple:
    """Refresh the lists (text, and those of ``train_choices.of_fields``); a choice that no longer exists is cleared."""
    lists = {"text": corpus_tab.choices(), **train_choices.of_fields()}
    return tuple(map(removal.renewed, lists.values(), chosen, (EMPTY.get(name) for name in lists)))


def start_training(corpus: str | None, values: Values) -> tuple[str, str]:
    """Put the job into the queue; return (its id, the message), with an empty id if it was refused."""
    try:
        job = current_workspace().train(train_fields.from_form(values, corpus))
    except SettingsRefused as error:
        return "", refusals_view(strings.NOT_STARTED, error.refusals, strings.KEPT_FORM)
    except DeftxError as error:
        return "", views.notice(str(error), kind="bad")
    return job.id, views.notice(strings.STARTED.format(name=job.name), kind="good")
