"""Step 3, the task: a ready one, or one to learn from a labelled file in another language."""

from dataclasses import dataclass

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.data.tables import check
from ui import strings
from ui.classify import compose_form
from ui.corpus import labelled_tab, labelled_upload
from ui.current import current_workspace
from ui.guide.plan import Plan
from ui.shared import views
from ui.shared.uploads import TABLE_TYPES

OWN = "own"  # the choice of a labelled file; no key of a vector is this word
LONGEST_NAME = 60


@dataclass(frozen=True)
class TaskStep:
    """The components of the step."""

    task: gr.Radio
    own: gr.Column
    table: gr.Dropdown
    name: gr.Textbox
    said: gr.HTML
    go: gr.Button


def build() -> TaskStep:
    """Lay out the step and connect the upload of a labelled file."""
    listed = choices()
    task = gr.Radio(listed, value=listed[0][1], label=strings.GUIDE_TASK, elem_id="guide-task")
    with gr.Column(visible=len(listed) == 1, elem_id="guide-own") as own:
        gr.HTML(views.paragraph(strings.GUIDE_OWN_HINT, "quiet"))
        upload = gr.File(label=strings.GUIDE_LABELLED, file_types=TABLE_TYPES, height=110, elem_id="guide-table-file")
        form = labelled_upload.build("guide-table")
        table = gr.Dropdown(tables()["train"], value="", label=strings.CHOOSE_TABLE, elem_id="guide-table")
        name = gr.Textbox(label=strings.TASK_NAME, max_length=LONGEST_NAME, elem_id="guide-task-name")
        said = gr.HTML(elem_id="guide-table-said")
    labelled_upload.connect({"train": upload}, {"train": table}, form, tables, said)
    go = gr.Button(strings.GUIDE_NEXT, variant="primary", elem_id="guide-to-train")
    return TaskStep(task, own, table, name, said, go)


def choices() -> list[tuple[str, str]]:
    """List the ready tasks on sentences with their scores, and at the end a labelled file of one's own."""
    return [*compose_form.task_choices(texts_only=True), (strings.GUIDE_OWN, OWN)]


def best() -> str:
    """Return the key of the best ready task; empty if there is none."""
    return next((key for _, key in choices() if key != OWN), "")


def tables() -> dict[str, list[tuple[str, str]]]:
    """List the labelled files by role, for ``labelled_upload``."""
    return {"train": labelled_tab.choices()}


def chosen(plan: Plan, task: str | None, table: str | None, name: str) -> Plan:
    """Return the plan with what was chosen; a labelled file without a name is named after its file."""
    if task != OWN:
        return plan.changed(task=task or "", table="", task_name="", task_job="")
    kept = plan.task_job if plan.table == table else ""
    return plan.changed(
        task="", table=table or "", task_name=name.strip() or (table or "").split(".")[0], task_job=kept
    )


def refusal(table: str | None) -> str:
    """Say why the path cannot go on with a labelled file: none is chosen, or it holds pairs; empty if it can."""
    if not table:
        return views.notice(strings.GUIDE_NEEDS_TABLE, kind="bad")
    pairs = current_workspace().forecast.pairs(table)  # the last step classifies sentences, one at a time
    return views.notice(strings.GUIDE_TABLE_PAIRS, kind="bad") if pairs else ""


def show(table: str | None) -> str:
    """Say what a labelled file holds, in a sentence, and what to look at before training."""
    if not table:
        return ""
    try:
        found = check(current_workspace().tables.read(table))
    except DeftxError as error:
        return views.refusal(strings.TABLE_REFUSED, error)
    if refused := refusal(table):
        return refused
    labels = ", ".join(f"{label} ({count:,})" for label, count in found.labels.items())
    said = strings.GUIDE_TABLE_HOLDS.format(rows=f"{sum(found.labels.values()):,}", labels=labels)
    return views.notice(said, kind="good") + views.notes(strings.NOTE, found.warnings)
