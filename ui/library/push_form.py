"""Push to the Hub from the Library: show what would be uploaded, then upload exactly that."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from huggingface_hub import HfApi

from deftx.core.errors import DeftxError
from deftx.hub.client import hub
from deftx.hub.uploads import Upload, push
from deftx.jobs.push import SHARED
from deftx.publish.pushing import prepare_classifier, prepare_space, prepare_vector
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.classify.combination import Combination
from ui.classify.compose_form import language_choices, task_choices
from ui.current import current_workspace
from ui.library import library
from ui.shared import views

VECTOR, CLASSIFIER, SPACE = "vector", "classifier", "space"
PRIVATE = {"api_visibility": "private", "show_progress": "minimal"}


@dataclass(frozen=True)
class PushForm:
    """The form; ``shown`` describes the last preview and holds no token."""

    what: gr.Radio
    vector: gr.Dropdown
    task: gr.Dropdown
    language: gr.Dropdown
    asked: list[gr.components.Component]
    token: gr.Textbox
    look: gr.Button
    send: gr.Button
    answer: gr.HTML
    shown: gr.State

    def choices(self) -> list[gr.components.Component]:
        """The lists of vectors."""
        return [self.vector, self.task, self.language]


@dataclass(frozen=True)
class Wanted:
    """The request of the form, in the order of ``PushForm.asked``."""

    what: str
    vector: str | None
    task: str | None
    language: str | None
    repository: str
    private: bool
    license: str


def build() -> PushForm:
    """Lay out the form."""
    with gr.Accordion(strings.PUSH, open=False, elem_id="push"):
        gr.HTML(views.paragraph(strings.PUSH_INTRO, "quiet"))
        kinds = [(strings.PUSH_VECTOR, VECTOR), (strings.PUSH_CLASSIFIER, CLASSIFIER), (strings.PUSH_SPACE, SPACE)]
        what = gr.Radio(kinds, value=VECTOR, label=strings.PUSH_WHAT, elem_id="push-what")
        vector = gr.Dropdown([], label=strings.PUSH_VECTOR, elem_id="push-vector")
        with gr.Row():
            task = gr.Dropdown([], label=strings.TASK, visible=False, elem_id="push-task")
            language = gr.Dropdown([], label=strings.LANGUAGE, visible=False, elem_id="push-language")
        with gr.Row(equal_height=False):
            repository = gr.Textbox(
                label=strings.PUSH_TO, info=strings.PUSH_TO_HINT, max_length=120, min_width=220, elem_id="push-to"
            )
            license_id = gr.Textbox(
                label=strings.PUSH_LICENSE, info=strings.PUSH_LICENSE_HINT, max_length=60, min_width=160,
                elem_id="push-license",
            )  # fmt: skip
            token = gr.Textbox(
                label=strings.PUSH_TOKEN, info=strings.PUSH_TOKEN_HINT, type="password", max_length=200, min_width=220,
                elem_id="push-token",
            )  # fmt: skip
        private = gr.Checkbox(True, label=strings.PUSH_PRIVATE, info=strings.PUSH_PRIVATE_HINT, elem_id="push-private")
        with gr.Row(elem_classes="buttons"):
            look = gr.Button(strings.PUSH_LOOK, elem_id="push-look")
            send = gr.Button(strings.PUSH_SEND, variant="primary", visible=False, elem_id="push-send")
        answer, shown = gr.HTML(elem_id="push-answer"), gr.State(None)
    asked = [what, vector, task, language, repository, private, license_id]
    return PushForm(what, vector, task, language, asked, token, look, send, answer, shown)


def connect(form: PushForm) -> None:
    """Connect the events of the form."""
    inputs, outputs = [form.token, *form.asked], [form.answer, form.send, form.shown]
    form.what.change(_fields, form.what, form.choices(), api_visibility="private", show_progress="hidden")
    for component in form.asked:  # uploads exactly what was previewed
        component.change(
            lambda: ("", gr.Button(visible=False), None),
            None,
            outputs,
            api_visibility="private",
            show_progress="hidden",
        )
    form.look.click(lambda token, *asked: look(token, Wanted(*asked)), inputs, outputs, **PRIVATE)
    form.send.click(
        lambda token, shown, *asked: send(token, Wanted(*asked), shown),
        [form.token, form.shown, *form.asked], [*outputs, form.token], **PRIVATE,
    )  # fmt: skip


def renew(vector: str | None, task: str | None, language: str | None) -> tuple:
    """Refresh the lists of vectors; a choice is kept if it still exists."""
    vectors = [(f"{item.title} ({strings.KIND_NAMES[item.info['kind']]})", item.key) for item in library.items()]
    lists = vectors, task_choices(), language_choices()
    return tuple(
        gr.Dropdown(choices=choices, value=value if value in [key for _, key in choices] else choices[0][1])
        if choices
        else gr.Dropdown(choices=[], value=None)
        for value, choices in zip((vector, task, language), lists, strict=True)
    )


def look(token: str | None, wanted: Wanted) -> tuple:
    """Preview the upload: (the message, the upload button, the preview)."""
    try:
        with _prepared(_api(token), wanted) as upload:
            return describe(upload), gr.Button(visible=True), _fingerprint(upload)
    except (DeftxError, OSError) as error:  # a full disk
        return views.refusal(strings.PUSH_NOT, error), gr.Button(visible=False), None


def send(token: str | None, wanted: Wanted, shown: tuple | None) -> tuple:
    """Upload the previewed files and clear the token field; if they have changed, preview them again."""
    hidden = gr.Button(visible=False)
    try:
        api = _api(token)
        with _prepared(api, wanted) as upload:
            if _fingerprint(upload) != shown:
                again = views.notice(strings.PUSH_CHANGED) + describe(upload)
                return again, gr.Button(visible=True), _fingerprint(upload), gr.skip()
            pushed = push(api, upload)
    except (DeftxError, OSError) as error:
        return views.refusal(strings.PUSH_NOT, error), hidden, None, ""
    said = strings.PUSHED.format(url=pushed.url, commit=pushed.commit[:12])
    return views.notice(said, kind="good"), hidden, None, ""


def describe(upload: Upload) -> str:
    """Describe exactly what will be uploaded, where, and who will be able to see it."""
    target = upload.target
    sight = strings.PUSH_TO_PRIVATE if upload.private else strings.PUSH_TO_PUBLIC
    where = strings.PUSH_NEW if target.private is None else strings.PUSH_THERE
    said = where.format(repository=target.repository, account=target.account)
    rows = [(name, f"{size:,}") for name, size in upload.files]
    whole = (strings.PUSH_SUM.format(count=len(rows)), f"{upload.size:,}")
    listed = views.table((strings.PUSH_FILE, strings.PUSH_BYTES), [*rows, whole], caption=said)
    return listed + views.notice(f"{sight} {strings.PUSH_FOR_GOOD}")


def _api(token: str | None) -> HfApi:
    """Return a Hub client for the typed token; this machine's own login is used only if the owner alone uses the studio."""
    if not token and any(os.environ.get(name) for name in SHARED):
        raise DeftxError(strings.PUSH_NEEDS_TOKEN)
    return hub(token)


@contextmanager
def _prepared(api: HfApi, wanted: Wanted) -> Iterator[Upload]:
    """Prepare the requested upload; DeftxError if it is not possible or not allowed."""
    workspace = current_workspace()
    more = {"private": bool(wanted.private), "license_id": wanted.license.strip() or None}
    with tempfile.TemporaryDirectory(prefix="deftx-push-") as beside:
        folder = Path(beside)
        if wanted.what == VECTOR:
            if not wanted.vector:
                raise DeftxError(strings.PUSH_NEEDS_VECTOR)
            source = library.find(wanted.vector).folder
            yield prepare_vector(api, source, wanted.repository, folder, **more)
            return
        combination = Combination.of(wanted.task, [(wanted.language, 1.0)])
        task, *languages = (SparseVector.load(entry.folder) for entry in workspace.composing.find(combination).entries)
        parts = [(vector, 1.0) for vector in languages]
        if wanted.what == SPACE:
            yield prepare_space(
                api, lambda: workspace.composed(combination), task, parts, wanted.repository, folder, **more
            )
            return
        yield prepare_classifier(
            api, lambda: workspace.composed(combination), task, 1.0, parts, wanted.repository, folder, **more
        )


def _fingerprint(upload: Upload) -> tuple:
    return upload.target, upload.private, upload.files


def _fields(what: str) -> list[gr.Dropdown]:
    return [gr.Dropdown(visible=what == VECTOR), *(gr.Dropdown(visible=what != VECTOR),) * 2]
