"""History: find, compare, open and restore earlier training runs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import gradio as gr

from deftx.jobs import Job
from deftx.jobs.history import search
from ui import strings
from ui.current import current_workspace
from ui.history import compare_figures, history_views
from ui.shared import plot, removal, views
from ui.shared.browser_store import PREFIX
from ui.shared.errors import refusals

EVERY = 5.0  # seconds

# Boxes and buttons of a table; the focused one keeps the focus when the table is replaced.
_TABLE = """
const names = ['compare', 'open', 'restore'];
const of = target => { for (const name of names) {
  const found = target?.closest?.(`[data-${name}]`);
  if (found) return [name, found.dataset[name]];
} };
let last = '';
element.addEventListener('click', e => {
  const [name, job] = of(e.target) ?? [];
  // All boxes, not the one: who ticks faster than the server answers loses none.
  const boxes = [...element.querySelectorAll('[data-compare]')];
  if (name) trigger('select', {what: name, job, listed: boxes.map(box => box.dataset.compare),
    ticked: boxes.filter(box => box.checked).map(box => box.dataset.compare)});
});
element.addEventListener('focusin', e => {
  const [name, job] = of(e.target) ?? [];
  last = name ? `[data-${name}="${job}"]` : '';
});
document.addEventListener('focusin', e => { if (!element.contains(e.target)) last = ''; });
watch('value', () => {
  if (last && document.activeElement === document.body) element.querySelector(last)?.focus({preventScroll: true});
});
"""


@dataclass(frozen=True)
class HistoryTab:
    """The components of the section."""

    words: gr.Textbox
    state: gr.Dropdown
    method: gr.Dropdown
    table: gr.HTML
    plot: gr.HTML
    comparison: gr.HTML
    trash: gr.HTML
    empty: gr.Button
    confirm: gr.Button
    keep: gr.Button
    seen: gr.Textbox
    timer: gr.Timer

    def filters(self) -> list[gr.components.Component]:
        """The inputs that filter the table."""
        return [self.words, self.state, self.method]

    def outputs(self) -> list[gr.components.Component]:
        """The outputs of a refresh, in the order of its answers."""
        return [self.table, self.plot, self.comparison, self.trash, self.empty, self.confirm, self.keep, self.seen]


def build() -> HistoryTab:
    """Lay out the section."""
    gr.HTML(
        views.paragraph(strings.HISTORY_INTRO) + views.paragraph(f"{strings.LOSS_MEANS} {strings.RANK_MEANS}", "quiet")
    )
    with gr.Row(elem_classes="filters"):
        words = gr.Textbox(
            label=strings.SEARCH, info=strings.SEARCH_HINT, max_length=80, scale=3, min_width=220, elem_id="search"
        )
        state = gr.Dropdown(
            [(strings.ANY, ""), *((label, name) for name, label in strings.STATES.items())],
            value="", label=strings.STATE, scale=1, min_width=140, elem_id="search-state",
        )  # fmt: skip
        method = gr.Dropdown(
            [(strings.ANY, ""), *((label, name) for name, label in strings.METHOD_NAMES.items())],
            value="", label=strings.METHOD, scale=1, min_width=140, elem_id="search-method",
        )  # fmt: skip
    table = gr.HTML(elem_id="history", js_on_load=_TABLE)
    gr.HTML(f"<h2>{strings.COMPARISON}</h2>")
    figure = plot.live_plot("comparison-plot", strings.COMPARISON)
    comparison = gr.HTML(elem_id="comparison")
    with gr.Accordion(strings.TRASH, open=False, elem_id="trash"):
        trash = gr.HTML(js_on_load=_TABLE)
        with gr.Row(elem_classes="buttons"):
            empty = gr.Button(strings.EMPTY_TRASH, visible=False, min_width=120, elem_id="empty-trash")
            confirm = gr.Button(strings.CONFIRM, variant="stop", visible=False, min_width=120, elem_id="confirm")
            keep = gr.Button(strings.KEEP, visible=False, min_width=120, elem_id="keep")
    seen = gr.Textbox("", visible=False)
    timer = gr.Timer(EVERY, active=False)  # polls only while the section is visible
    return HistoryTab(words, state, method, table, figure, comparison, trash, empty, confirm, keep, seen, timer)


def look(words: str, state: str, method: str, compared: Sequence[str], seen: str) -> tuple:
    """Answer a poll with what has changed since ``seen``, in the order of ``HistoryTab.outputs``."""
    workspace = current_workspace()
    jobs, trash, removed = workspace.store.list(), workspace.store.trash(), removal.in_trash()
    can_empty = bool(removed) or any(job.owner == workspace.owner for job in trash)
    known = {job.id: job for job in jobs}
    chosen = [
        known[job] for job in compared or () if job in known
    ]  # in the order of selection, so that colours do not change
    shown = {
        "table": history_views.table(search(jobs, words or "", state or "", method or ""), compared or (), bool(jobs)),
        "plot": history_views.figure(chosen),
        "comparison": history_views.comparison(chosen),
        "trash": history_views.trash(trash, removed),
        "empty": gr.Button(visible=can_empty),
        **dict.fromkeys(("confirm", "keep"), gr.skip() if can_empty else gr.Button(visible=False)),
    }
    before = json.loads(seen) if seen else {}
    now = {name: crc32(repr(value if isinstance(value, str) else can_empty).encode()) for name, value in shown.items()}
    answers = [value if now[name] != before.get(name) else gr.skip() for name, value in shown.items()]
    return (*answers, json.dumps(now) if now != before else gr.skip())


def compare(jobs: Sequence[Job], compared: Sequence[str], listed: Sequence[str], ticked: Sequence[str]) -> list[str]:
    """Return the jobs to compare in the order of selection: the selected ones listed, and those hidden by a search.

    Jobs that no longer exist are left out, and the first is dropped when a seventh is added.
    """
    known = {job.id for job in jobs}
    kept = [job for job in compared or () if job in ticked or job not in listed]
    added = [job for job in ticked if job not in kept]
    return [job for job in (*kept, *added) if job in known][-compare_figures.MOST :]


def restore(key: str) -> None:
    """Restore a job, or a file, from the trash."""
    with refusals():
        removal.restore(key)


def empty_trash() -> None:
    """Remove everything of this workspace in the trash."""
    with refusals():
        removal.empty_trash()


def connect(tab: HistoryTab, section: gr.Tab, tabs: gr.Tabs, job: gr.BrowserState, place: gr.BrowserState) -> None:
    """Connect the events of the section; ``job`` and ``place`` hold the job shown and the section."""
    private = {"api_visibility": "private", "show_progress": "hidden"}
    compared = gr.BrowserState([], storage_key=f"{PREFIX}compared", secret="deftx-studio")
    asked = {
        "fn": look,
        "inputs": [*tab.filters(), compared, tab.seen],
        "outputs": tab.outputs(),
        "concurrency_limit": None,
        **private,
    }

    tab.timer.tick(**asked)
    section.select(**asked)
    for component in tab.filters():
        component.change(**asked)

    def selected(chosen: list[str], event: gr.EventData) -> tuple:
        """Compare a job or open it, depending on the row's box or button."""
        if event.what == "open":
            return gr.skip(), str(event.job), gr.Tabs(selected="train"), "train"
        now = compare(current_workspace().store.list(), chosen, event.listed, event.ticked)
        return now, gr.skip(), gr.skip(), gr.skip()

    tab.table.select(selected, compared, [compared, job, tabs, place], **private).then(**asked)

    def restored(event: gr.EventData) -> None:
        restore(str(event.job))

    tab.trash.select(restored, None, None, **private).then(**asked)
    asking = [tab.empty, tab.confirm, tab.keep]
    for button, asks in ((tab.empty, True), (tab.keep, False)):
        button.click(
            lambda asks=asks: (gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)),
            None, asking, **private,
        )  # fmt: skip
    tab.confirm.click(
        lambda: (empty_trash(), gr.Button(visible=False), gr.Button(visible=False))[1:],
        None, [tab.confirm, tab.keep], **private,
    ).then(**asked)  # fmt: skip
