"""The note below the status line while a training run needs calls, and the timer with which the page makes them."""

import time
from collections.abc import Callable
from typing import Any

import gradio as gr

from ui import strings
from ui.current import current_workspace
from ui.shared import views
from ui.shared.errors import refusals
from ui.slices import calls
from ui.watch import watch_views

BUSY, IDLE = 1.0, 5.0  # seconds to the next call while a training run needs one, and to the next look otherwise
AT_ONCE = 20  # calls of all visitors; each holds one of Gradio's 40 threads, also while it waits for a GPU
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}


def build(is_visit: Callable[[], bool]) -> None:
    """Lay out the note and connect it; ``is_visit`` says whether an admin looks into the workspace of somebody else."""
    note = gr.HTML(elem_id="calls")
    with gr.Row(elem_classes="buttons"):
        on_cpu, again = (
            gr.Button(label, visible=False, min_width=90, elem_id=name)
            for name, label in (("calls-cpu", strings.CALLS_ON_CPU), ("calls-again", strings.CALLS_AGAIN))
        )
    timer = gr.Timer(BUSY)
    shown = [note, on_cpu, again, timer]

    def look(seen: str) -> tuple[Any, ...]:
        said, refused = ("", False) if is_visit() else say()
        if said == seen:
            return (gr.skip(),) * 4
        return said, gr.Button(visible=refused), gr.Button(visible=refused), gr.Timer(BUSY if said else IDLE)

    def call() -> None:
        if not is_visit():
            workspace = current_workspace()
            workspace.calls.advance(workspace.store)

    timer.tick(look, note, shown, concurrency_limit=None, **PRIVATE)
    timer.tick(call, None, None, concurrency_limit=AT_ONCE, concurrency_id="calls", **PRIVATE)
    for button, act in ((on_cpu, continue_on_cpu), (again, call_again)):
        button.click(act, None, None, **PRIVATE).then(look, note, shown, **PRIVATE)


def say() -> tuple[str, bool]:
    """Return what the visitor's training run needs, empty if there is none, and whether a GPU was refused."""
    workspace = current_workspace()
    job = calls.current(workspace.store)
    if job is None:
        return "", False
    refusal = workspace.calls.refusal(workspace.store)
    if refusal is None:
        said = strings.CALLS_BY_THIS_PAGE.format(name=job.name, seconds=f"{calls.LONGEST:g}")
        return views.notice(said), False
    title = strings.CALLS_REFUSED.format(name=job.name, when=watch_views.roughly(refusal.until - time.time()))
    # Not an alert, which screen readers would repeat with every minute that passes.
    return views.notice(f"“{refusal.message}” {strings.CALLS_CHOICE}", title=title), True


def continue_on_cpu() -> None:
    """Let the training run that waits for a call go on in a process of its own on the CPU."""
    store = current_workspace().store
    with refusals():
        if (job := calls.current(store)) is not None:
            store.change_device(job.id, "cpu")


def call_again() -> None:
    """Make the next call at once, although the last one was refused."""
    workspace = current_workspace()
    workspace.calls.forget(workspace.store)
