"""Watching trainings: the page asks every two seconds, and is sent only what has changed."""

import json
from dataclasses import dataclass, fields
from zlib import crc32

import gradio as gr

from deftx.errors import DeftxError
from deftx.jobs import Job, progress_of, state_of, turns
from ui import figures, plot, shelf, strings, test_tab, views, watch_views
from ui.studio import Studio

EVERY = 2.0  # seconds

# A row of the list is a button; the one that had the keyboard's focus keeps it when the list is drawn anew.
_LIST = """
let last = '';
element.addEventListener('click', e => {
  const row = e.target.closest('[data-job]');
  if (row) trigger('select', {job: row.dataset.job});
});
element.addEventListener('focusin', e => { last = e.target.closest('[data-job]')?.dataset.job ?? ''; });
document.addEventListener('focusin', e => { if (!element.contains(e.target)) last = ''; });
watch('value', () => {
  if (last && document.activeElement === document.body)
    element.querySelector(`[data-job="${last}"]`)?.focus({preventScroll: true});
});
"""


@dataclass(frozen=True)
class Watch:
    """The components that a look refreshes, in the order of its answers."""

    strip: gr.HTML
    jobs: gr.HTML
    view: gr.HTML
    plot: gr.HTML
    evidence: gr.HTML
    messages: gr.HTML
    stop: gr.Button
    resume: gr.Button
    discard: gr.Button
    confirm: gr.Button
    keep: gr.Button
    use: gr.Button
    first: gr.Button
    earlier: gr.Button
    later: gr.Button
    task: gr.Dropdown
    language: gr.Dropdown
    seen: gr.Textbox  # fingerprints of what the page shows; the page itself keeps them, so a lost answer is sent again

    def outputs(self) -> list[gr.components.Component]:
        """The components as a list."""
        return [getattr(self, field.name) for field in fields(self)]


def build(strip: gr.HTML, tasks: gr.Dropdown, languages: gr.Dropdown) -> Watch:
    """Lay the section out."""
    gr.HTML(f"<h2>{strings.JOBS}</h2>")
    jobs = gr.HTML(elem_id="jobs", js_on_load=_LIST)
    view = gr.HTML(elem_id="job")
    evidence = gr.HTML(elem_id="evidence")
    with gr.Row(elem_classes="buttons"):
        use = gr.Button(strings.USE, variant="primary", visible=False, min_width=120, elem_id="use")
        first = gr.Button(strings.FIRST, visible=False, min_width=90, elem_id="first")
        earlier = gr.Button(strings.EARLIER, visible=False, min_width=90, elem_id="earlier")
        later = gr.Button(strings.LATER, visible=False, min_width=90, elem_id="later")
        stop = gr.Button(strings.STOP, visible=False, min_width=120, elem_id="stop")
        resume = gr.Button(strings.RESUME, variant="primary", visible=False, min_width=120, elem_id="resume")
        discard = gr.Button(strings.DISCARD, visible=False, min_width=120, elem_id="discard")
        confirm = gr.Button(strings.CONFIRM, variant="stop", visible=False, min_width=120, elem_id="confirm")
        keep = gr.Button(strings.KEEP, visible=False, min_width=120, elem_id="keep")
    loss = plot.live_plot("loss", strings.LOSS_TITLE)
    with gr.Accordion(strings.MESSAGES, open=False, elem_id="messages"):
        messages = gr.HTML()
    seen = gr.Textbox("", visible=False)
    return Watch(
        strip, jobs, view, loss, evidence, messages, stop, resume, discard, confirm, keep, use, first, earlier, later,
        tasks, languages, seen,
    )  # fmt: skip


def look(studio: Studio, chosen: str, seen: str) -> tuple:
    """Answer a poll: a value for what has changed since ``seen``, ``gr.skip()`` for the rest; the order is Watch's."""
    before = json.loads(seen) if seen else {}
    now: dict[str, int] = {}

    def changed(name: str, shown: object) -> bool:
        now[name] = crc32(repr(shown).encode())
        return now[name] != before.get(name)

    jobs = studio.store.list()
    job = chosen_job(jobs, chosen)
    queue = turns(jobs, studio.store.queue())
    turn = queue.get(job.id) if job else None
    parts = {
        "strip": status_strip(studio, jobs),
        "jobs": watch_views.job_list(jobs, job.id if job else "", queue),
        "view": watch_views.job_view(job, turn) if job else "",
        "plot": plot.as_value(figures.loss_figure(progress_of(job))) if job else "",
        "evidence": _evidence(job),
        "messages": watch_views.messages(job) if job else "",
    }
    answers = [value if changed(name, value) else gr.skip() for name, value in parts.items()]
    buttons = (*_buttons(job), *_moves(turn.place if turn else 0, len(queue)))
    new_buttons = changed("buttons", (job.id if job else "", buttons))
    answers += [gr.Button(visible=visible) if new_buttons else gr.skip() for visible in buttons]
    tasks, languages = test_tab.task_choices(studio), test_tab.language_choices(studio)
    first = {"value": tasks[0][1]} if tasks and before.get("tasks") == crc32(repr([]).encode()) else {}
    answers.append(gr.Dropdown(choices=tasks, **first) if changed("tasks", tasks) else gr.skip())
    answers.append(gr.Dropdown(choices=languages) if changed("languages", languages) else gr.skip())
    return (*answers, json.dumps(now) if now != before else gr.skip())


def chosen_job(jobs: tuple[Job, ...], chosen: str) -> Job | None:
    """The job that was chosen; else one that is worked on, else the newest."""
    for job in jobs:
        if job.id == chosen:
            return job
    return next((job for job in jobs if state_of(job).active), jobs[0] if jobs else None)


def status_strip(studio: Studio, jobs: tuple[Job, ...]) -> str:
    """The machine, what runs on it, and how many wait."""
    states = [(job, state_of(job)) for job in jobs]
    running = [f"{job.name}: {watch_views.phase_line(progress_of(job))}" for job, state in states if state.active]
    waiting = sum(state.name == "waiting" for _, state in states)
    return views.strip(
        [
            (strings.MACHINE, studio.machine),
            (strings.BASE, studio.title),
            (strings.NOW, ", ".join(running) or strings.IDLE),
            (strings.QUEUE, f"{waiting} waiting" if waiting else strings.NOBODY_WAITS),
        ]
    )


def act(studio: Studio, action: str, chosen: str) -> None:
    """Do to the chosen job what a button says; what cannot be done is said in a message."""
    actions = {
        "stop": studio.store.request_stop,
        "resume": studio.resume,
        "discard": studio.store.discard,
        "first": lambda job_id: studio.store.move(job_id, 0),
        "earlier": lambda job_id: studio.shift(job_id, -1),
        "later": lambda job_id: studio.shift(job_id, 1),
    }
    job = chosen_job(studio.store.list(), chosen)
    if job is None:
        return
    try:
        actions[action](job.id)
    except DeftxError as error:
        raise gr.Error(str(error), print_exception=False) from error


def vector_key(studio: Studio, chosen: str) -> str:
    """The key under which the chosen job's vector is found; empty while it has none."""
    job = chosen_job(studio.store.list(), chosen)
    keys = [entry.key for entry in shelf.entries(studio.store, "language")]
    return f"job:{job.id}" if job and f"job:{job.id}" in keys else ""


def _evidence(job: Job | None) -> str:
    if job is None or state_of(job).name != "finished":
        return ""
    return watch_views.evidence(shelf.describe(job.out).get("scores"))


def _moves(place: int, waiting: int) -> tuple[bool, ...]:
    """Which of first, earlier and later are shown for a place in the queue; 0: it does not wait."""
    return place > 2, place > 1, 0 < place < waiting


def _buttons(job: Job | None) -> tuple[bool, ...]:
    """Which of stop, resume, discard, confirm, keep and use are shown."""
    if job is None:
        return (False,) * 6
    state = state_of(job)
    can_stop = state.name in ("running", "waiting")
    return can_stop, state.resumable, True, False, False, state.name == "finished" and job.kind == "language"
