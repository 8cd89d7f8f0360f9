"""The training runs: the page looks at them again and again, and receives only what has changed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from zlib import crc32

import gradio as gr

from deftx.jobs import Job, Turn, progress_of, state_of, turns
from deftx.jobs.disk import can_free
from ui import strings
from ui.classify import classify_tab
from ui.current import current_workspace
from ui.library import vector_index
from ui.shared import figures, plot, removal
from ui.watch import changes, guess_views, status_strip, watch_details, watch_views

# A row of the list is a button; the focused one keeps the focus when the list is replaced.
_LIST = """
let last = '';
element.addEventListener('click', e => {
  const row = e.target.closest('[data-job]');
  if (!row) return;
  element.dataset.chosen = row.dataset.job;
  trigger('select', {job: row.dataset.job});
});
element.addEventListener('focusin', e => { last = e.target.closest('[data-job]')?.dataset.job ?? ''; });
document.addEventListener('focusin', e => { if (!element.contains(e.target)) last = ''; });
watch('value', () => {
  if (last && document.activeElement === document.body)
    element.querySelector(`[data-job="${last}"]`)?.focus({preventScroll: true});
});
"""

Choices = list[tuple[str, str]]
CHOSEN = "() => document.querySelector('#jobs [data-chosen]').dataset.chosen"  # the row clicked last


@dataclass(frozen=True)
class Watch:
    """The components that a refresh updates, in the order of its answers."""

    strip: gr.HTML
    jobs: gr.HTML
    undone: gr.HTML
    undo: gr.Button
    view: gr.HTML
    evidence: gr.HTML
    use: gr.Button
    resume: gr.Button
    first: gr.Button
    earlier: gr.Button
    later: gr.Button
    stop: gr.Button
    clone: gr.Button
    discard: gr.Button
    plot: gr.HTML
    smooth: gr.Checkbox
    guesses: gr.HTML
    numbers: gr.HTML
    messages: gr.HTML
    log: gr.HTML
    disk: gr.HTML
    free: gr.Button
    free_confirm: gr.Button
    free_keep: gr.Button
    task: gr.Dropdown
    language: gr.Dropdown
    seen: (
        gr.Textbox
    )  # fingerprints of what the page shows, kept by the page itself, so that a lost answer is sent again

    def outputs(self) -> list[gr.components.Component]:
        """The components as a list."""
        return [getattr(self, field.name) for field in fields(self)]

    def actions(self) -> dict[str, gr.Button]:
        """The buttons that act at once, by the name of their action."""
        names = ("stop", "resume", "discard", "first", "earlier", "later")
        return {**{name: getattr(self, name) for name in names}, "free": self.free_confirm}


def build(strip: gr.HTML, tasks: gr.Dropdown, languages: gr.Dropdown) -> Watch:
    """Lay out the section."""
    gr.HTML(f"<h2>{strings.JOBS}</h2>")
    jobs = gr.HTML(elem_id="jobs", js_on_load=_LIST)
    with gr.Row(elem_classes="undo", elem_id="undo-row"):
        undone = gr.HTML(elem_id="undone")
        undo = _button("undo", strings.UNDO)
    parts = {"view": gr.HTML(elem_id="job"), "evidence": gr.HTML(elem_id="evidence")}
    with gr.Row(elem_classes="buttons"):
        buttons = {name: _button(name, getattr(strings, label)) for name, label in _BUTTONS.items()}
    parts["plot"] = plot.live_plot("loss", strings.LOSS_TITLE)
    parts["smooth"] = gr.Checkbox(False, label=strings.SMOOTH, visible=False, elem_id="smooth")
    parts["guesses"] = gr.HTML(elem_id="guesses")
    for name, label in _FOLDED.items():
        with gr.Accordion(getattr(strings, label), open=False, elem_id=name):
            parts[name] = gr.HTML()
            if name == "disk":
                with gr.Row(elem_classes="buttons"):
                    buttons |= {name: _button(name, getattr(strings, label)) for name, label in _FREEING.items()}
    seen = gr.Textbox("", visible=False)
    return Watch(
        strip=strip, jobs=jobs, undone=undone, undo=undo, task=tasks, language=languages, seen=seen,
        **parts, **buttons,
    )  # fmt: skip


def _button(name: str, label: str) -> gr.Button:
    variant = {"use": "primary", "resume": "primary", "free_confirm": "stop"}.get(name, "secondary")
    return gr.Button(label, variant=variant, visible=False, min_width=90, elem_id=name.replace("_", "-"))


# The name of each button's label in ``strings``.
_BUTTONS = {name: name.upper() for name in ("use", "resume", "first", "earlier", "later", "stop", "clone", "discard")}
_FREEING = {name: name.upper() for name in ("free", "free_confirm", "free_keep")}
_FOLDED = {"numbers": "NUMBERS", "messages": "MESSAGES", "log": "LOG", "disk": "DISK_SPACE"}


def look(chosen: str, seen: str, smooth: bool = False, picked: str = "") -> tuple:
    """Return a value for what has changed since ``seen``, ``gr.skip()`` for the rest, in the order of Watch.

    With ``smooth``, the training loss in the plot is a moving average. ``picked`` holds the keys of the vectors that are
    chosen under Test; one that no longer exists is cleared.
    """
    workspace = current_workspace()
    before = json.loads(seen) if seen else {}
    now: dict[str, int | str] = {}

    def changed(name: str, shown: object) -> bool:
        now[name] = crc32(repr(shown).encode())
        return now[name] != before.get(name)

    jobs = workspace.store.list()
    job = chosen_job(jobs, chosen)
    everyone = workspace.host.store  # everybody may know that training runs of others come first, but nothing else
    queue = turns(everyone.list(), everyone.queue())
    discarded = changes.just_discarded()
    now["job"] = job.id if job else ""
    strip, state = status_strip.status_strip(jobs), changes.state()
    values = {
        "jobs": watch_views.job_list(jobs, job.id if job else "", queue),
        "undone": watch_views.undo_note(discarded) if discarded else "",
        **_parts(job, queue.get(job.id) if job else None, smooth),
    }
    answers = {name: value if changed(name, value) else gr.skip() for name, value in values.items()}
    has_plot = bool(values["plot"])
    answers["strip"] = gr.HTML(strip, shown=state) if changed("strip", (strip, state)) else gr.skip()
    answers["smooth"] = gr.Checkbox(visible=has_plot) if changed("smooth", has_plot) else gr.skip()
    buttons = {"undo": discarded is not None, **_buttons(job, [own.id for own in workspace.store.queue()])}
    new_buttons = changed("buttons", (job.id if job else "", buttons))
    answers |= {n: gr.Button(visible=visible) if new_buttons else gr.skip() for n, visible in buttons.items()}
    if new_buttons and job is not None:  # what failed would mostly fail again
        failed = state_of(job).name == "failed"
        answers["resume"] = gr.Button(visible=buttons["resume"], variant="secondary" if failed else "primary")
    tasks, languages = classify_tab.task_choices(), classify_tab.language_choices()
    if before.get("tasks") == crc32(repr([]).encode()):
        picked = json.dumps(["none", ""])  # so far there was no task to choose
    # A page that has just opened restores its choices by itself.
    task_list, language_list = _lists(tasks, languages, picked if before else "")
    answers["task"] = task_list if changed("tasks", tasks) else gr.skip()
    answers["language"] = language_list if changed("languages", languages) else gr.skip()
    answers["seen"] = json.dumps(now) if now != before else gr.skip()
    return tuple(answers[field.name] for field in fields(Watch))


def _lists(tasks: Choices, languages: Choices, picked: str) -> tuple[gr.Dropdown, gr.Dropdown]:
    """Return both lists of Test; for a chosen vector that no longer exists, the first task or no language is chosen."""
    task, language = json.loads(picked) if picked else (None, None)
    return removal.renewed(tasks, task, tasks[0][1] if tasks else None), removal.renewed(languages, language, "")


def _parts(job: Job | None, turn: Turn | None, smooth: bool) -> dict[str, str]:
    """Return the parts that show the chosen job; all empty if there is none."""
    if job is None:
        return dict.fromkeys(("view", "evidence", "plot", "guesses", *_FOLDED), "")
    return {
        "view": watch_views.job_view(job, turn),
        "evidence": _evidence(job),
        "plot": plot.cached_value(figures.loss_figure, strings.language(), progress_of(job), job.kind, smooth),
        "guesses": guess_views.guesses(job),
        "numbers": watch_details.numbers(job),
        "messages": watch_views.messages(job),
        "log": watch_details.log_tail(job),
        "disk": watch_details.disk(job),
    }


def chosen_job(jobs: tuple[Job, ...], chosen: str) -> Job | None:
    """Return the chosen job; otherwise a running one, otherwise the newest."""
    for job in jobs:
        if job.id == chosen:
            return job
    return next((job for job in jobs if state_of(job).active), jobs[0] if jobs else None)


def shown(seen: str) -> str:
    """Return the id of the job that the page shows: a button acts on that one, whatever was added or removed meanwhile."""
    return str(json.loads(seen).get("job", "")) if seen else ""


def vector_key(chosen: str) -> tuple[str, str]:
    """Return the kind and the key of the chosen job's vector; an empty key while it has none."""
    store = current_workspace().store
    job = chosen_job(store.list(), chosen)
    if job is None:
        return "language", ""
    keys = [entry.key for entry in vector_index.entries(store, job.kind)]
    return job.kind, f"job:{job.id}" if f"job:{job.id}" in keys else ""


def _evidence(job: Job | None) -> str:
    if job is None or state_of(job).name != "finished":
        return ""
    return watch_views.result(job.kind, vector_index.describe(job.out))


def _buttons(job: Job | None, queue: Sequence[str]) -> dict[str, bool]:
    """Return which buttons a job has; ``queue`` holds the visitor's own waiting jobs, the next one first."""
    if job is None:
        return dict.fromkeys((*_BUTTONS, *_FREEING), False)
    state = state_of(job)
    place = queue.index(job.id) + 1 if job.id in queue else 0
    return {
        "use": state.name == "finished",
        "resume": state.resumable,
        "first": place > 2,
        "earlier": place > 1,
        "later": 0 < place < len(queue),
        "stop": state.name in ("running", "waiting"),
        "clone": True,
        "discard": True,
        "free": can_free(job),
        "free_confirm": False,
        "free_keep": False,
    }
