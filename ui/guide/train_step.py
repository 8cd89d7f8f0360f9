"""Step 4, training: how long it takes, what comes out of it, start, and progress."""

from dataclasses import dataclass

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.jobs import Job, state_of
from deftx.training.request import SettingsRefused, TrainingRequest
from ui import strings
from ui.current import current_workspace
from ui.guide.plan import Plan
from ui.library import vector_index
from ui.shared import views
from ui.train import train_preview
from ui.watch import guess_views, watch_views

EVERY = 3.0  # seconds between two looks at the training runs of the path


@dataclass(frozen=True)
class TrainStep:
    """The components of the step."""

    said: gr.HTML
    preset: gr.Radio
    start: gr.Button
    settings: gr.Button
    progress: gr.HTML
    go: gr.Button
    timer: gr.Timer


def build() -> TrainStep:
    """Lay out the step."""
    said = gr.HTML(elem_id="guide-outlook")
    preset = gr.Radio(
        [(text, name) for name, text in strings.PRESETS.items()], value="quick", label=strings.GUIDE_HOW_LONG,
        elem_id="guide-preset",
    )  # fmt: skip
    with gr.Row(elem_classes="buttons"):
        start = gr.Button(strings.START, variant="primary", elem_id="guide-start")
        settings = gr.Button(strings.GUIDE_SETTINGS, elem_id="guide-settings")
    progress = gr.HTML(elem_id="guide-progress")
    go = gr.Button(strings.GUIDE_TRY, variant="primary", visible=False, elem_id="guide-to-try")
    return TrainStep(said, preset, start, settings, progress, go, gr.Timer(EVERY, active=False))


def outlook(plan: Plan) -> str:
    """Say what will be trained, how long each training run takes, and what would be refused."""
    wanted = plan.requests()
    if not wanted:
        started = strings.GUIDE_STARTED_IN_CALLS if current_workspace().calls else strings.GUIDE_STARTED
        return views.paragraph(started if plan.jobs() else strings.GUIDE_NOTHING_TO_TRAIN, "quiet")
    return "".join(map(_outlook, wanted))


def start(plan: Plan) -> tuple[Plan, str]:
    """Put the training runs of the plan into the queue; return the plan with their ids, and the message."""
    wanted, workspace = plan.requests(), current_workspace()
    if not wanted:
        return plan, views.notice(strings.GUIDE_NOTHING_TO_TRAIN, kind="bad")
    try:
        for request in wanted:
            job = workspace.train(request)
            plan = plan.changed(**{f"{request.kind}_job": job.id})
    except SettingsRefused as error:
        return plan, train_preview.refusals_view(strings.NOT_STARTED, error.refusals)
    except DeftxError as error:
        return plan, views.refusal(strings.NOT_STARTED, error)
    return plan, ""


def progress(plan: Plan) -> str:
    """Show the training runs of the plan: their steps, the time left, and what a finished one is worth."""
    return "".join(_progress(job) for job in _jobs(plan))


def working(plan: Plan) -> bool:
    """Return whether a training run of the plan waits or runs."""
    return any(state_of(job).active or state_of(job).name == "waiting" for job in _jobs(plan))


def _jobs(plan: Plan) -> list[Job]:
    by_id = {job.id: job for job in current_workspace().store.list()}
    return [by_id[id_] for id_ in plan.jobs() if id_ in by_id]


def _outlook(request: TrainingRequest) -> str:
    title = strings.GUIDE_WILL_LANGUAGE if request.kind == "language" else strings.GUIDE_WILL_TASK
    named = request.name or strings.GUIDE_UNNAMED
    heading = f"<h3>{views.escape(title.format(name=named, data=request.data))}</h3>"
    found = current_workspace().forecast.look(request)
    if found.refusals:
        return heading + train_preview.refusals_view(strings.WOULD_BE_REFUSED, found.refusals)
    if found.found is None:
        return heading
    low, high = (train_preview.rough(seconds) for seconds in found.found.seconds)
    time = strings.ABOUT.format(value=low) if low == high else strings.TIME_RANGE.format(low=low, high=high)
    return heading + views.figures([(strings.TIME, time)]) + views.notes(strings.NOTE, found.notes)


def _progress(job: Job) -> str:
    """Show a training run, or the result of a finished one, and what it guesses for hidden words."""
    if state_of(job).name != "finished":
        return watch_views.job_view(job) + guess_views.guesses(job)
    result = watch_views.result(job.kind, vector_index.describe(job.out))
    return f"<h3>{views.escape(job.name)}</h3>{result}{guess_views.guesses(job)}"
