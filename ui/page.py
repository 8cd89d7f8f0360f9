"""The page: header, status strip, sections from left to right in the order of work, and one timer."""

from functools import partial
from typing import Any

import gradio as gr

from deftx.accounts.people import NOBODY
from ui import strings
from ui.access import middleware, public, who
from ui.access.workspaces import Workspaces
from ui.api import endpoints
from ui.classify import check_tab, classify_tab, score_tab
from ui.corpus import corpus_tab, labelled_tab
from ui.current import acting_in, current_workspace, serve
from ui.guide import guide
from ui.guide.plan import Plan, checked
from ui.history import history_tab
from ui.library import library_tab
from ui.overlap import overlap_tab
from ui.sections import Kept, Sections, lay_out
from ui.shared import page_languages, views
from ui.shared.errors import refusals
from ui.shared.updates import Page
from ui.spectra import spectra_tab
from ui.studio import Studio
from ui.train import train_fields, train_form, train_names, train_settings, train_tab
from ui.watch import watch

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


_SHOW_CHECK = "() => { document.querySelector('#check')?.scrollIntoView({behavior: 'smooth', block: 'start'}) }"


# Scripts and tests that act for a visitor must wait until the stored choices are restored.
_OPENED = "() => { document.documentElement.dataset.opened = 'yes' }"


def build_page(studio: Studio | Workspaces) -> gr.Blocks:
    """Build the page for a studio, or for the workspaces of all who log in, once per language: English at /, Indonesian at /id, Spanish at /es."""
    workspaces = studio if isinstance(studio, Workspaces) else None
    page = Page(title=strings.TITLE, analytics_enabled=False, delete_cache=(DAY, DAY))
    # Everybody who logs in receives the page as it is built here, so it is built in a workspace that stays empty.
    with acting_in(workspaces.of(NOBODY) if workspaces else studio):
        _build_languages(page, workspaces)
    serve(page, partial(middleware.admit, workspaces) if workspaces else lambda values: studio)
    page_languages.speak(page)
    return page


def _build_languages(page: gr.Blocks, workspaces: Workspaces | None) -> None:
    with page:
        endpoints.build()
        if workspaces:
            who.offer(workspaces)
            public.offer()
    for code, name in strings.SPOKEN.items():
        place = page if code == page_languages.FIRST else page.route(name, code, show_in_navbar=False)
        with place, strings.speaking(code):
            _build(page, workspaces)


def _build(page: gr.Blocks, workspaces: Workspaces | None) -> None:
    # This secret protects nothing, but it must not change between starts.
    kept = Kept(*(gr.BrowserState("", storage_key=f"deftx-studio-{name}", secret="deftx-studio")
                  for name in ("corpus", "job", "tab", "form", "test", "guide")))  # fmt: skip
    gr.HTML(page_languages.header())
    if workspaces:
        who.build(workspaces, page)
    workspace = current_workspace()
    strip = gr.HTML(watch.status_strip(workspace.store.list()), elem_id="strip")
    if not workspace.host.lasting:
        gr.HTML(views.notice(strings.NOT_LASTING), elem_id="not-lasting")
    sections = lay_out(strip, kept)
    if workspaces:
        public.build(sections.library, sections.tab["library"])
    look = {
        "fn": watch.look,
        "inputs": [kept.job, sections.watch.seen],
        "outputs": sections.watch.outputs(),
        "concurrency_limit": None,
        **PRIVATE,
    }
    polling = sections.watch.timer.tick(**look)
    _connect_opening(page, sections, kept, look)
    _connect_moves(sections, kept)
    _connect_guide(sections, kept)
    _connect_start(sections, kept, look)
    spectra_tab.connect(sections.spectra, sections.tab["spectra"], kept.job)
    _connect_actions(sections, kept, look, polling)
    _connect_library(sections, kept)
    overlap_tab.connect(sections.overlap, sections.tab["overlap"])
    history_tab.connect(sections.history, sections.tab["history"], sections.tabs, kept.job, kept.tab)


def _connect_opening(page: gr.Blocks, sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    def opened(name: str, tab: str, tested: object, guided: object) -> tuple:
        """Restore the choices stored in this browser; what it has seen on an earlier visit no longer counts."""
        texts = corpus_tab.choices()
        # Nothing is set if nothing was stored: a slow answer must not undo a newer choice.
        kept_text = {"value": name} if name in [value for _, value in texts] else {}
        return (
            gr.Dropdown(choices=texts, **kept_text),
            *classify_tab.restore(tested),
            gr.Tabs(selected=tab or "start"),
            "",
            gr.Timer(active=tab == "history"),
            *guide.restore(guided),
        )

    page.load(None, js=page_languages.declare(), **PRIVATE)
    test = sections.test.form.fields
    restored = [
        sections.corpus.choice, *(test[name] for name in classify_tab.KEPT), sections.tabs, sections.watch.seen,
        sections.history.timer, *sections.guide.shown(),
    ]  # fmt: skip
    # One after the other: the first part restored is the first that the visitor sees, and the browser becomes idle
    # sooner.
    restoring = page.load(opened, [kept.corpus, kept.tab, kept.test, kept.guide], restored, **PRIVATE).then(**look)
    restoring = restoring.then(**check_tab.restoring(sections.check), **PRIVATE)
    labelled = list(sections.corpus.labelled.choices.values())
    restoring = restoring.then(labelled_tab.refresh, None, labelled, **PRIVATE)
    train = sections.train
    restoring = restoring.then(train_tab.restore, kept.form, [*train.inputs(), train.ready], **PRIVATE)
    restored_all = restoring.then(**train_tab.looking(train, kept.form), **PRIVATE)
    # The sentence is classified last: the base may still be loading.
    restored_all.then(None, js=_OPENED, **PRIVATE).then(**sections.test.classify, show_progress="hidden")


def _connect_moves(sections: Sections, kept: Kept) -> None:
    """Store the section and the text; connect the buttons that lead to other sections."""

    # Tabs report the first one as selected when the page opens: that must not replace the stored one.
    def moved(name: str, seen: str) -> tuple:
        return (name, gr.Timer(active=name == "history")) if seen else (gr.skip(), gr.skip())

    for name, tab in sections.tab.items():
        tab.select(partial(moved, name), sections.watch.seen, [kept.tab, sections.history.timer], **PRIVATE)
    train = sections.train.form
    lists = [train.text, *(train.fields[name] for name in ("train", "valid", "source"))]
    sections.tab["train"].select(lambda *chosen: train_tab.renew_lists(chosen), lists, lists, **PRIVATE)
    # The trash, under History, may have restored an item, and another visitor may have added or removed one.
    here = [sections.corpus.choice, *sections.corpus.labelled.choices.values()]
    sections.tab["corpus"].select(lambda *chosen: corpus_tab.renew_lists(chosen), here, here, **PRIVATE)
    chosen = sections.score.table
    sections.tab["test"].select(score_tab.renew, chosen, chosen, **PRIVATE)
    sections.tab["test"].select(lambda: gr.Dropdown(choices=corpus_tab.choices()), None, sections.check.text, **PRIVATE)
    sections.corpus.choice.change(lambda name: name or "", sections.corpus.choice, kept.corpus, **PRIVATE)
    naming = [train.fields["name"], train.fields["code"]]
    sections.corpus.to_train.click(train_names.suggest, [sections.corpus.choice, *naming], naming, **PRIVATE)
    for button, name in ((sections.corpus.to_train, "train"), (sections.corpus.to_test, "test")):
        button.click(lambda name=name: (gr.Tabs(selected=name), name), None, [sections.tabs, kept.tab], **PRIVATE)

    def use(job: str) -> tuple:
        """Open Test with the vector of the current training run."""
        kind, key = watch.vector_key(job)
        lists = {"task": classify_tab.task_choices(), "language": classify_tab.language_choices()}
        chosen = (
            gr.Dropdown(choices=each, **({"value": key} if name == kind and key else {}))
            for name, each in lists.items()
        )
        return *chosen, gr.Tabs(selected="test"), "test"

    outputs = [sections.test.task, sections.test.language, sections.tabs, kept.tab]
    sections.watch.use.click(use, kept.job, outputs, **PRIVATE).then(**sections.test.classify)


def _connect_guide(sections: Sections, kept: Kept) -> None:
    """Lead from the guided path to the sections: to all settings of a training run, and to judging answers."""
    test, train, check = sections.test, sections.train, sections.check

    def judge(guided: object) -> tuple:
        found = checked(guided)
        return (
            gr.Dropdown(choices=classify_tab.task_choices(), value=found.task_key() or None),
            gr.Dropdown(choices=classify_tab.language_choices(), value=found.language_key()),
            gr.Accordion(open=True),
            gr.Dropdown(choices=corpus_tab.choices(), value=found.text or None),
            gr.Tabs(selected="test"),
            "test",
        )

    outputs = [test.task, test.language, check.part, check.text, sections.tabs, kept.tab]
    judged = sections.guide.attempt.judge.click(judge, sections.guide.kept, outputs, **PRIVATE)
    judged.then(None, js=_SHOW_CHECK, **PRIVATE)

    def settings(guided: object) -> tuple:
        found = checked(guided)
        values = {**train_fields.EMPTY, **_form_of(found)}
        text = gr.Dropdown(choices=corpus_tab.choices(), value=found.text or None)
        return text, *train_form.filled(values), gr.Tabs(selected="train"), "train"

    moving = [*train.inputs(), sections.tabs, kept.tab]
    sections.guide.train.settings.click(settings, sections.guide.kept, moving, **PRIVATE)


def _form_of(found: Plan) -> dict[str, Any]:
    """Return the values of the form under Train for the first training run of a plan; empty if there is none."""
    wanted = found.requests()
    return train_fields.to_form(wanted[0]) if wanted else {}


def _connect_library(sections: Sections, kept: Kept) -> None:
    """Let the vector shown in the Library be used in Test."""
    library = sections.library
    library_tab.connect(library, sections.tab["library"], sections.corpus.choice)
    outputs = [sections.test.task, sections.test.language, sections.tabs, kept.tab]

    def use(key: str) -> tuple:
        """Choose a vector in Test, in the list of its kind, and open Test."""
        lists = classify_tab.task_choices(), classify_tab.language_choices()
        chosen = (
            gr.Dropdown(choices=each, value=key) if key in dict(map(reversed, each)) else gr.skip() for each in lists
        )
        return *chosen, gr.Tabs(selected="test"), "test"

    def use_near(event: gr.EventData) -> tuple:
        return use(str(event.key))

    library.use.click(use, library.chosen, outputs, **PRIVATE)
    library.nearest.answer.select(use_near, None, outputs, **PRIVATE)


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
    def chosen(seen: str, event: gr.EventData) -> tuple:
        return watch.look(str(event.job), seen)

    def act(action: str, job: str, seen: str) -> tuple:
        watch.act(action, watch.shown(seen))
        return watch.look(job, seen)

    shown = {"concurrency_limit": None, "cancels": [polling], **PRIVATE}
    # The page itself stores the choice, without a request: a poll sent before the answer must not ask for the old one.
    watching.jobs.select(None, None, kept.job, js=watch.CHOSEN, **PRIVATE)
    watching.jobs.select(chosen, watching.seen, watching.outputs(), **shown)
    for action, button in watching.actions().items():
        button.click(partial(act, action), [kept.job, watching.seen], watching.outputs(), **shown)

    def again(seen: str) -> tuple:
        """Copy the settings of the current training run into the form."""
        with refusals():
            return train_settings.again(current_workspace().store.get(watch.shown(seen)))

    cloned = watching.clone.click(again, watching.seen, sections.train.filled(), **PRIVATE)
    cloned.then(None, js=_SHOW_FORM, **PRIVATE)
    watching.undo.click(lambda: watch.undo() or gr.skip(), None, kept.job, **PRIVATE).then(**look)
    asking = [watching.free, watching.free_confirm, watching.free_keep]
    for button, asks in ((watching.free, True), (watching.free_keep, False)):
        button.click(
            lambda asks=asks: (gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)),
            None, asking, **PRIVATE,
        )  # fmt: skip
