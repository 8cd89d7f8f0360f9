"""The line at the top of the page: the machine, the base, what trains now and how many training runs wait.

It follows the training runs in every section. Gradio's timers tick only in a section that was shown, and each of their events
updates the status of all components of the page. So the line asks by itself, and an event follows only where the section Train
has something new to show.
"""

import time
from functools import lru_cache

import gradio as gr

from deftx.jobs import Job, progress_of, state_of
from ui import strings
from ui.current import Admit, current_workspace, served
from ui.shared import views
from ui.watch import changes, watch_views
from ui.workspace import Workspace

EVERY, IDLE_EVERY = 2, 10  # seconds between two questions while anything trains or waits, and otherwise
ANSWERS_PER_SECOND = 5  # to all pages together: where more would ask, each asks less often
OPEN_SECONDS = 60.0  # seconds for which a page that asked counts as open
MOST_PAGES = 500  # open pages that are counted
SHARED_SECONDS = 1.0  # seconds in which all pages of a workspace in one language get the same answer: each takes several reads of the queue

# ``shown`` is the state that the last look showed (``watch.look``). A look is repeated while something trains and its section is
# visible, and otherwise where another state is to be shown. A changed line means that something has just begun or ended.
_ASK = """
let timer, every = %(every)d;
const page = String(Math.random());
const wait = seconds => { clearTimeout(timer); timer = setTimeout(ask, 1000 * seconds); };
const ask = async () => {
  let next = %(idle)d;
  try {
    const news = await server.news(page);
    every = news.every;
    if (news.strip !== props.value) props.value = news.strip;
    const visible = document.querySelector('#jobs')?.offsetParent;
    if (props.shown && (news.state !== props.shown || (news.busy && visible))) trigger('tick');
    next = news.busy ? every : Math.max(every, next);
  } catch { /* without an answer, ask again later */ }
  wait(next);
};
watch('value', () => wait(every));
wait(every);
"""


def build(admit: Admit) -> gr.HTML:
    """Lay out the line; its event ``tick`` means that the training runs must be looked at.

    ``admit`` returns the workspace of who asks, as in ``serve``. Gradio makes the component anew with every change for a visitor, so
    what it is made with must have the workspace and the language.
    """
    answer = served(strings.spoken(strings.language(), news), admit)
    script = _ASK % {"every": EVERY, "idle": IDLE_EVERY}
    jobs = current_workspace().store.list()
    return gr.HTML(status_strip(jobs), elem_id="strip", js_on_load=script, server_functions=[answer], shown="")


_asked: dict[str, float] = {}  # when each open page asked last


def news(page: object) -> dict[str, str | int | float | bool]:
    """Answer the line in a page, for each workspace and language at most once in SHARED_SECONDS seconds.

    ``every`` is the number of seconds until the page asks again while anything trains.
    """
    found = _news(current_workspace(), strings.language(), int(time.monotonic() / SHARED_SECONDS))
    return {**found, "every": max(EVERY, _open_pages(str(page)[:40]) / ANSWERS_PER_SECOND)}


def _open_pages(page: str) -> int:
    """Return how many pages have asked lately, this one included."""
    now = time.monotonic()
    if page in _asked or len(_asked) < MOST_PAGES:
        _asked[page] = now
    for one, at in list(_asked.items()):
        if now - at > OPEN_SECONDS:
            _asked.pop(one, None)
    return len(_asked)


@lru_cache(maxsize=64)
def _news(_workspace: Workspace, _language: str, _time: int) -> dict[str, str | int | bool]:
    return current_news()


def current_news() -> dict[str, str | int | bool]:
    """Return what the line shows now, whether anything trains or waits, and the state of the training runs."""
    jobs = current_workspace().store.list()
    return {"strip": status_strip(jobs), "busy": changes.is_busy(), "state": changes.state()}


def status_strip(jobs: tuple[Job, ...]) -> str:
    """Show the machine, the current training run, and the number of waiting ones."""
    workspace = current_workspace()
    states = [(job, state_of(job)) for job in jobs]
    running = [f"{job.name}: {watch_views.phase_line(progress_of(job))}" for job, state in states if state.active]
    waiting = sum(state.name == "waiting" for _, state in states)
    if not workspace.is_host:
        waiting = len(workspace.host.store.queue())
        known = {job.id for job in jobs}
        others = [job for job in workspace.host.store.list() if job.id not in known and state_of(job).active]
        running += [strings.OTHERS_TRAIN] if others else []
    return views.strip(
        [
            (strings.MACHINE, workspace.machine),
            (strings.BASE, workspace.title),
            (strings.NOW, ", ".join(running) or strings.IDLE),
            (strings.QUEUE, strings.SO_MANY_WAIT.format(count=waiting) if waiting else strings.NOBODY_WAITS),
        ]
    )
