"""The page: header, status strip, sections from left to right in the order of work."""

from functools import partial
from typing import Any

import gradio as gr

from deftx.accounts.people import NOBODY
from ui import navigation, restoring, strings
from ui.access import middleware, public, who
from ui.access.workspaces import Workspaces
from ui.api import endpoints
from ui.current import Admit, acting_in, current_workspace, serve
from ui.history import history_tab
from ui.overlap import overlap_tab
from ui.sections import Kept, Sections, lay_out
from ui.shared import page_languages, views
from ui.shared.browser_store import PREFIX
from ui.shared.errors import refusals
from ui.shared.updates import Page, without_progress
from ui.slices import call_bar
from ui.spectra import spectra_tab
from ui.studio import Studio
from ui.train import train_settings, train_tab
from ui.watch import job_actions, status_strip, watch

DAY = 86_400  # seconds: uploads were copied, and their originals are removed after this
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}

# On a narrow screen the form is above the training runs: after a start, scroll to the new one.
_SHOW_JOB = """() => {
  if (innerWidth < 800 && document.querySelector('#train-answer .good'))
    document.querySelector('#job')?.scrollIntoView({behavior: 'smooth'});
}"""


# The form that receives the settings of another training run is above the list: without scrolling, nothing would seem
# to happen.
_SHOW_FORM = "() => { document.querySelector('#kind')?.scrollIntoView({behavior: 'smooth', block: 'start'}) }"


def build_page(studio: Studio | Workspaces) -> gr.Blocks:
    """Build the page for a studio, or for the workspaces of all who log in, once per language: English at /, Indonesian at /id, Spanish at /es."""
    workspaces = studio if isinstance(studio, Workspaces) else None
    admit = partial(middleware.admit, workspaces) if workspaces else lambda values: studio
    page = Page(title=strings.TITLE, analytics_enabled=False, delete_cache=(DAY, DAY))
    page.is_built = False
    # Everybody who logs in receives the page as it is built here, so it is built in a workspace that stays empty.
    with acting_in(workspaces.of(NOBODY) if workspaces else studio):
        _build_languages(page, workspaces, admit)
    serve(page, admit)
    page_languages.speak(page)
    page.is_built = True
    return page


def _build_languages(page: gr.Blocks, workspaces: Workspaces | None, admit: Admit) -> None:
    with page:
        endpoints.build()
        if workspaces:
            who.offer(workspaces)
            public.offer()
    places = {}
    for code, name in strings.SPOKEN.items():
        place = page if code == page_languages.FIRST else page.route(name, code, show_in_navbar=False)
        with place, strings.speaking(code):
            places[page.current_page] = gr.HTML(visible=False)
            _build(page, workspaces, admit)
    without_progress(page, places)


def _build(page: gr.Blocks, workspaces: Workspaces | None, admit: Admit) -> None:
    # This secret protects nothing, but it must not change between starts.
    kept = Kept(*(gr.BrowserState("", storage_key=f"{PREFIX}{name}", secret="deftx-studio")
                  for name in ("corpus", "job", "tab", "form", "test", "guide", "check", "label", "file", "score")))  # fmt: skip
    gr.HTML(page_languages.header())
    if workspaces:
        who.build(workspaces, page)
    strip = status_strip.build(admit)
    workspace = current_workspace()
    if not workspace.host.lasting:
        gr.HTML(views.notice(strings.NOT_LASTING), elem_id="not-lasting")
    if workspace.calls:
        call_bar.build(lambda: workspaces is not None and bool(workspaces.visited()))
    sections = lay_out(strip, kept)
    if workspaces:
        public.build(sections.library, sections.tab["library"])
    look = {
        "fn": watch.look,
        "inputs": [kept.job, sections.watch.seen, sections.watch.smooth, sections.test.picked],
        "outputs": sections.watch.outputs(),
        "concurrency_limit": None,
        **PRIVATE,
    }
    polling = strip.tick(**look)
    restoring.connect(page, sections, kept, look)
    navigation.connect(sections, kept)
    _connect_start(sections, kept, look)
    spectra_tab.connect(sections.spectra, sections.tab["spectra"], kept.job)
    _connect_actions(sections, kept, look, polling)
    overlap_tab.connect(sections.overlap, sections.tab["overlap"])
    history_tab.connect(sections.history, sections.tab["history"], sections.tabs, kept.job, kept.tab)


def _connect_start(sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    train = sections.train

    def start(corpus: str | None, *values: object) -> tuple:
        job, said = train_tab.start_training(corpus, dict(zip(train.form.fields, values, strict=True)))
        return job or gr.skip(), said

    started = train.start.click(start, train.inputs(), [kept.job, train.answer], concurrency_limit=None, **PRIVATE)
    started.then(**look).then(None, js=_SHOW_JOB, **PRIVATE)


def _connect_actions(sections: Sections, kept: Kept, look: dict[str, Any], polling: gr.events.Dependency) -> None:
    """Connect the list of training runs and the buttons below it."""
    watching = sections.watch

    # The action and its display are one answer: a second request would double the time of a click, and a poll in
    # progress would bring back the old display.
    def chosen(seen: str, smooth: bool, picked: str, event: gr.EventData) -> tuple:
        return watch.look(str(event.job), seen, smooth, picked)

    def act(action: str, job: str, seen: str, smooth: bool, picked: str) -> tuple:
        job_actions.act(action, watch.shown(seen))
        return watch.look(job, seen, smooth, picked)

    shown = {"concurrency_limit": None, "cancels": [polling], **PRIVATE}
    # The page itself stores the choice, without a request: a poll sent before the answer must not ask for the old one.
    watching.jobs.select(None, None, kept.job, js=watch.CHOSEN, **PRIVATE)
    watching.jobs.select(chosen, look["inputs"][1:], watching.outputs(), **shown)
    watching.smooth.input(**{**look, **shown})
    for action, button in watching.actions().items():
        button.click(partial(act, action), look["inputs"], watching.outputs(), **shown)

    def again(seen: str) -> tuple:
        """Copy the settings of the current training run into the form."""
        with refusals():
            return train_settings.again(current_workspace().store.get(watch.shown(seen)))

    cloned = watching.clone.click(again, watching.seen, sections.train.filled(), **PRIVATE)
    cloned.then(None, js=_SHOW_FORM, **PRIVATE)
    watching.undo.click(lambda: job_actions.undo() or gr.skip(), None, kept.job, **PRIVATE).then(**look)
    asking = [watching.free, watching.free_confirm, watching.free_keep]
    for button, asks in ((watching.free, True), (watching.free_keep, False)):
        button.click(
            lambda asks=asks: (gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)),
            None, asking, **PRIVATE,
        )  # fmt: skip
