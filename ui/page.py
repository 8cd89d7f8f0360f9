"""The page: header, status strip, sections from left to right in the order of work, and one timer."""

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from ui import api, corpus_tab, history_tab, labelled_tab, strings, test_tab, train_settings, train_tab, views, watch
from ui.studio import Studio

DAY = 86_400  # seconds: uploads were copied and are cleared away after this
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}

# On a narrow screen the form stands above the trainings: after a start the eye should be on the new one.
_SHOW_JOB = """() => {
  if (innerWidth < 800 && document.querySelector('#train-answer .good'))
    document.querySelector('#job')?.scrollIntoView({behavior: 'smooth'});
}"""


# Scripts, and tests, that act for a visitor must wait until what was kept is back.
_OPENED = "() => { document.documentElement.dataset.opened = 'yes' }"


@dataclass(frozen=True)
class Kept:
    """What the visitor's browser remembers over reloads and restarts of the server: names, nothing else."""

    corpus: gr.BrowserState
    job: gr.BrowserState
    tab: gr.BrowserState
    form: gr.BrowserState


@dataclass(frozen=True)
class Sections:
    """The parts of the page that events connect."""

    tabs: gr.Tabs
    tab: dict[str, gr.Tab]
    corpus: corpus_tab.CorpusTab
    train: train_tab.TrainTab
    watch: watch.Watch
    test: test_tab.TestTab
    history: history_tab.HistoryTab


def build_page(studio: Studio) -> gr.Blocks:
    """Build the page over a studio."""
    with gr.Blocks(title=strings.TITLE, analytics_enabled=False, delete_cache=(DAY, DAY)) as page:
        # The secret is no secret, but it must not change between starts.
        kept = Kept(*(gr.BrowserState("", storage_key=f"deftx-studio-{name}", secret="deftx-studio")
                      for name in ("corpus", "job", "tab", "form")))  # fmt: skip
        gr.HTML(f"<header><h1>{escape(strings.TITLE)}</h1>{views.paragraph(strings.TAGLINE, 'tagline')}</header>")
        strip = gr.HTML(watch.status_strip(studio, studio.store.list()), elem_id="strip")
        sections = _lay_out(studio, strip, kept)
        look = {
            "fn": lambda chosen, seen: watch.look(studio, chosen, seen),
            "inputs": [kept.job, sections.watch.seen],
            "outputs": sections.watch.outputs(),
            "concurrency_limit": None,
            **PRIVATE,
        }
        gr.Timer(watch.EVERY).tick(**look)
        _connect_opening(studio, page, sections, kept, look)
        _connect_moves(studio, sections, kept)
        _connect_start(studio, sections, kept, look)
        _connect_actions(studio, sections, kept, look)
        history_tab.connect(studio, sections.history, sections.tab["history"], sections.tabs, kept.job, kept.tab)
        api.build(studio)
    return page


def _lay_out(studio: Studio, strip: gr.HTML, kept: Kept) -> Sections:
    tab = {}
    with gr.Tabs(selected="corpus", elem_id="tabs") as tabs:
        with gr.Tab(strings.TABS["corpus"], id="corpus") as tab["corpus"]:
            corpus = corpus_tab.build(studio)
        with gr.Tab(strings.TABS["train"], id="train") as tab["train"]:
            gr.HTML(views.paragraph(strings.TRAIN_INTRO))
            with gr.Row(equal_height=False, elem_classes="columns"):
                train = train_tab.build(studio, corpus.choice, kept.form)
        with gr.Tab(strings.TABS["test"], id="test") as tab["test"]:
            test = test_tab.build(studio)
        with gr.Tab(strings.TABS["history"], id="history") as tab["history"]:
            history = history_tab.build()
    with train.beside:
        watching = watch.build(strip, test.task, test.language)
    return Sections(tabs, tab, corpus, train, watching, test, history)


def _connect_opening(studio: Studio, page: gr.Blocks, sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    def opened(name: str, tab: str) -> tuple:
        """Bring back what this browser had chosen; what it has seen on an earlier visit counts no more."""
        texts, tasks = corpus_tab.choices(studio), test_tab.task_choices(studio)
        # Where nothing was kept, nothing is set: a slow answer must not undo what was chosen meanwhile.
        kept_text = {"value": name} if name in [value for _, value in texts] else {}
        return (
            gr.Dropdown(choices=texts, **kept_text),
            gr.Dropdown(choices=tasks, value=tasks[0][1] if tasks else None),
            gr.Tabs(selected=tab or "corpus"),
            "",
        )

    restored = [sections.corpus.choice, sections.test.task, sections.tabs, sections.watch.seen]
    # One after the other: what is restored first is what is looked at first, and the browser is soon at rest.
    restoring = page.load(opened, [kept.corpus, kept.tab], restored, **PRIVATE).then(**look)
    labelled = list(sections.corpus.labelled.choices.values())
    restoring = restoring.then(lambda: labelled_tab.refresh(studio), None, labelled, **PRIVATE)
    train = sections.train
    restoring = restoring.then(
        lambda entered: train_tab.restore(studio, entered), kept.form, [*train.inputs(), train.ready], **PRIVATE
    )
    restored_all = restoring.then(**train_tab.looking(studio, train, kept.form), **PRIVATE)
    restored_all.then(None, js=_OPENED, **PRIVATE)


def _connect_moves(studio: Studio, sections: Sections, kept: Kept) -> None:
    """Remember the section and the text; let buttons lead on."""
    # Tabs report the first one as selected when the page opens: that must not replace what was kept.
    for name, tab in sections.tab.items():
        tab.select(lambda seen, name=name: name if seen else gr.skip(), sections.watch.seen, kept.tab, **PRIVATE)
    train = sections.train.form
    lists = [train.text, *(train.fields[name] for name in ("train", "valid", "source"))]
    sections.tab["train"].select(lambda: train_tab.renew_lists(studio), None, lists, **PRIVATE)
    sections.corpus.choice.change(lambda name: name or "", sections.corpus.choice, kept.corpus, **PRIVATE)
    for button, name in ((sections.corpus.to_train, "train"), (sections.corpus.to_test, "test")):
        button.click(lambda name=name: (gr.Tabs(selected=name), name), None, [sections.tabs, kept.tab], **PRIVATE)

    def use(job: str) -> tuple:
        """Go to the test with the vector of the training that is shown."""
        key = watch.vector_key(studio, job)
        return gr.Dropdown(choices=test_tab.language_choices(studio), value=key), gr.Tabs(selected="test"), "test"

    sections.watch.use.click(use, kept.job, [sections.test.language, sections.tabs, kept.tab], **PRIVATE)


def _connect_start(studio: Studio, sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    train = sections.train

    def start(corpus: str | None, *values: object) -> tuple:
        job, said = train_tab.start_training(studio, corpus, dict(zip(train.form.fields, values, strict=True)))
        return job or gr.skip(), said

    started = train.start.click(start, train.inputs(), [kept.job, train.answer], concurrency_limit=None, **PRIVATE)
    started.then(**look).then(None, js=_SHOW_JOB, **PRIVATE)


def _connect_actions(studio: Studio, sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    """Connect the list of trainings and the buttons below it."""
    watching = sections.watch

    def chosen(event: gr.EventData) -> str:
        return str(event.job)

    watching.jobs.select(chosen, None, kept.job, **PRIVATE).then(**look)
    for action, button in watching.actions().items():
        done = button.click(
            lambda seen, action=action: watch.act(studio, action, watch.shown(seen)), watching.seen, None, **PRIVATE
        )
        done.then(**look)

    def again(seen: str) -> tuple:
        """Put the settings of the training that is shown into the form, for another one like it."""
        with api.refusals():
            return train_settings.again(studio, studio.store.get(watch.shown(seen)))

    watching.clone.click(again, watching.seen, sections.train.filled(), **PRIVATE)
    watching.undo.click(lambda: watch.undo(studio) or gr.skip(), None, kept.job, **PRIVATE).then(**look)
    asking = [watching.free, watching.free_confirm, watching.free_keep]
    for button, asks in ((watching.free, True), (watching.free_keep, False)):
        button.click(
            lambda asks=asks: (gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)),
            None, asking, **PRIVATE,
        )  # fmt: skip
