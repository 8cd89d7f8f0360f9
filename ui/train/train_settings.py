"""Filling the form from a settings file or from an earlier training run."""

from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.jobs import Job
from deftx.training import settings_file
from deftx.training.request import TrainingRequest
from ui import strings
from ui.corpus import corpus_tab
from ui.current import current_workspace
from ui.shared import views
from ui.train import requests, train_choices, train_fields, train_form


def open_file(path: str | None) -> tuple:
    """Return the updates of ``fill`` for an uploaded settings file. If it cannot be read, only the message changes."""
    try:
        found = settings_file.open_file(Path(path or ""))
    except DeftxError as error:
        return (gr.skip(), *(gr.skip() for _ in train_fields.EMPTY), views.refusal(strings.NOT_OPENED, error))
    return fill(found.request, found.problems)


def again(job: Job) -> tuple:
    """Return the updates of ``fill`` for the settings of a job."""
    return fill(requests.named(current_workspace(), job))


def fill(request: TrainingRequest, problems: list[str] | None = None) -> tuple:
    """Return the updates that fill the form with a request: (corpus, *fields in their order, message).

    For files and vectors that do not exist here, the earlier choice is kept. The message lists them and ``problems``.
    """
    problems = list(problems or [])
    if not train_fields.fits(request):
        problems.append(strings.FORM_LACKS)
    values = train_fields.to_form(request)
    known = {"corpus": corpus_tab.choices(), **train_choices.of_fields()}
    chosen = {**values, "corpus": request.corpus[0] if request.corpus else ""}
    absent = {name for name, listed in known.items() if chosen[name] and chosen[name] not in [key for _, key in listed]}
    for name in sorted(absent):
        problems.append(strings.NOT_HERE.format(field=train_fields.label(name), name=chosen[name]))
    if values["base"] == current_workspace().base_name:
        values["base"] = ""
    updates = dict(zip(train_fields.EMPTY, train_form.filled(values), strict=True))
    updates |= {name: gr.skip() for name in absent if name in updates}
    given = chosen["corpus"] and "corpus" not in absent
    text = gr.Dropdown(choices=known["corpus"], value=chosen["corpus"]) if given else gr.skip()
    return text, *updates.values(), _said(request, problems)


def _said(request: TrainingRequest, problems: list[str]) -> str:
    if problems:
        return views.notice(strings.SETTINGS_PARTLY) + views.notes(strings.NOTE, problems)
    return views.notice(strings.SETTINGS_OPENED.format(name=request.name or strings.UNNAMED), kind="good")
