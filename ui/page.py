"""The page: header, status strip, sections from left to right in the order of work, and one timer."""

from html import escape

import gradio as gr

from ui import api, corpus_tab, strings, test_tab, train_tab, views, watch
from ui.studio import Studio

DAY = 86_400  # seconds: uploads were copied and are cleared away after this


def kept(name: str) -> gr.BrowserState:
    """Remember a choice in the visitor's browser, over reloads and restarts of the server."""
    # The secret is no secret: names of texts and jobs are all that is kept, and it must not change between starts.
    return gr.BrowserState("", storage_key=f"deftx-studio-{name}", secret="deftx-studio")


def build_page(studio: Studio) -> gr.Blocks:
    """Build the page over a studio."""
    with gr.Blocks(title=strings.TITLE, analytics_enabled=False, delete_cache=(DAY, DAY)) as page:
        corpus_kept, job_kept, tab_kept = kept("corpus"), kept("job"), kept("tab")
        gr.HTML(f"<header><h1>{escape(strings.TITLE)}</h1>{views.paragraph(strings.TAGLINE, 'tagline')}</header>")
        strip = gr.HTML(watch.status_strip(studio, studio.store.list()), elem_id="strip")
        with gr.Tabs(selected="corpus", elem_id="tabs") as tabs:
            with gr.Tab(strings.TABS["corpus"], id="corpus") as corpus_section:
                corpus = corpus_tab.build(studio)
            with gr.Tab(strings.TABS["train"], id="train") as train_section:
                gr.HTML(views.paragraph(strings.TRAIN_INTRO))
                with gr.Row(equal_height=False, elem_classes="columns"):
                    with gr.Column(scale=2, min_width=300):
                        start, form, answer = train_tab.build_form(studio, corpus.choice)
                    with gr.Column(scale=3, min_width=300, elem_classes="card"):
                        place = gr.Column()
            with gr.Tab(strings.TABS["test"], id="test") as test_section:
                test = test_tab.build(studio)
        with place:
            watching = watch.build(strip, test.task, test.language)
        api.build(studio)

        private = {"api_visibility": "private", "show_progress": "hidden"}
        looked = {
            "fn": lambda chosen, seen: watch.look(studio, chosen, seen),
            "inputs": [job_kept, watching.seen],
            "outputs": watching.outputs(),
            "concurrency_limit": None,
            **private,
        }
        gr.Timer(watch.EVERY).tick(**looked)

        def opened(name: str, tab: str) -> tuple:
            """Bring back what this browser had chosen; fingerprints of an earlier visit are forgotten."""
            choices = corpus_tab.choices(studio)
            known = name if name in [value for _, value in choices] else None
            return gr.Dropdown(choices=choices, value=known), gr.Tabs(selected=tab or "corpus"), ""

        page.load(opened, [corpus_kept, tab_kept], [corpus.choice, tabs, watching.seen], **private).then(**looked)
        corpus.choice.change(lambda name: name or "", corpus.choice, corpus_kept, **private)
        for section, name in ((corpus_section, "corpus"), (train_section, "train"), (test_section, "test")):
            section.select(lambda name=name: name, None, tab_kept, **private)
        for button, name in ((corpus.to_train, "train"), (corpus.to_test, "test")):
            button.click(lambda name=name: (gr.Tabs(selected=name), name), None, [tabs, tab_kept], **private)

        def started(corpus_name: str | None, *values: object) -> tuple:
            job, said = train_tab.start_training(studio, corpus_name, dict(zip(form, values, strict=True)))
            return job or gr.skip(), said

        start.click(
            started, [corpus.choice, *form.values()], [job_kept, answer], concurrency_limit=None, **private
        ).then(**looked)
        _connect_actions(studio, watching, tabs, job_kept, tab_kept, looked, private)
    return page


def _connect_actions(
    studio: Studio, watching: watch.Watch, tabs: gr.Tabs, job_kept: gr.BrowserState, tab_kept: gr.BrowserState,
    looked: dict, private: dict,
) -> None:  # fmt: skip
    """Connect the list of trainings and the buttons below it."""

    def chosen(event: gr.EventData) -> str:
        return str(event.job)

    watching.jobs.select(chosen, None, job_kept, **private).then(**looked)
    for button, action in ((watching.stop, "stop"), (watching.resume, "resume"), (watching.confirm, "discard")):
        button.click(lambda job, action=action: watch.act(studio, action, job), job_kept, None, **private).then(
            **looked
        )
    asking = [watching.discard, watching.confirm, watching.keep]
    for button, asks in ((watching.discard, True), (watching.keep, False)):
        button.click(
            lambda asks=asks: (gr.Button(visible=not asks), gr.Button(visible=asks), gr.Button(visible=asks)),
            None, asking, **private,
        )  # fmt: skip

    def use(job: str) -> tuple:
        key = watch.vector_key(studio, job)
        return gr.Dropdown(choices=test_tab.language_choices(studio), value=key), gr.Tabs(selected="test"), "test"

    watching.use.click(use, job_kept, [watching.language, tabs, tab_kept], **private)
