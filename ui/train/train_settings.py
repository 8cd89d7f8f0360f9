"""Settings brought into the form: from a file, or from a training that is to be started again in a like way."""

from pathlib import Path

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.jobs import Job
from deftx.training import settings_file
from deftx.training.request import TrainingRequest
from ui import strings
from ui.corpus import corpus_tab
from ui.shared import views
from ui.studio import Studio
from ui.train import requests, train_fields, train_form


def open_file(studio: Studio, path: str | None) -> tuple:
    """Answer an uploaded settings file: as ``fill`` does; a file that cannot be read changes nothing."""
    try:
        found = settings_file.open_file(Path(path or ""))
    except DeftxError as error:
        return (gr.skip(), *(gr.skip() for _ in train_fields.EMPTY), views.refusal(strings.NOT_OPENED, error))
    return fill(studio, found.request, found.problems)


def again(studio: Studio, job: Job) -> tuple:
    """Answer the wish to start another training like this one: as ``fill`` does."""
    return fill(studio, requests.named(studio, job))


def fill(studio: Studio, request: TrainingRequest, problems: list[str] | None = None) -> tuple:
    """Give the updates that put a request into the form: (text, *fields in their order, what to say).

    Files and vectors that are not here are named, and what was chosen before stays; so do ``problems``.
    """
    problems = list(problems or [])
    known = {
        "corpus": corpus_tab.choices(studio),
        "train": train_form.table_choices(studio),
        "valid": train_form.valid_choices(studio),
        "source": train_form.source_choices(studio),
    }
    chosen = {"corpus": request.corpus[0] if request.corpus else ""}
    chosen |= {name: getattr(request, name) for name in ("train", "valid", "source")}
    absent = {name for name, listed in known.items() if chosen[name] and chosen[name] not in [key for _, key in listed]}
    for name in sorted(absent):
        problems.append(strings.NOT_HERE.format(field=train_fields.label(name), name=chosen[name]))
    values = train_fields.to_form(request)
    if values["base"] == studio.base_name:
        values["base"] = ""
    updates = dict(zip(train_fields.EMPTY, train_form.filled(studio, values), strict=True))
    updates |= {name: gr.skip() for name in absent if name in updates}
    given = chosen["corpus"] and "corpus" not in absent
    text = gr.Dropdown(choices=known["corpus"], value=chosen["corpus"]) if given else gr.skip()
    return text, *updates.values(), _said(request, problems)


def _said(request: TrainingRequest, problems: list[str]) -> str:
    if problems:
        return views.notice(strings.SETTINGS_PARTLY) + views.notes(strings.NOTE, problems)
    return views.notice(strings.SETTINGS_OPENED.format(name=request.name or strings.UNNAMED), kind="good")
