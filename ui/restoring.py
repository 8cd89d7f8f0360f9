"""What a page restores when it opens: the choices that the visitor's browser stored, in few requests."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr

from ui.classify import check_tab, classify_tab, file_tab, score_tab
from ui.corpus import corpus_tab, labelled_tab
from ui.guide import guide
from ui.labelling import label_answers
from ui.sections import Kept, Sections
from ui.shared import page_languages
from ui.train import train_tab

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}

# Scripts and tests that act for a visitor must wait until the stored choices are restored.
_OPENED = "() => { document.documentElement.dataset.opened = 'yes' }"


class Part(NamedTuple):
    """A part of the page: the function that restores it, its inputs (what the browser stored), and its outputs."""

    restore: Callable[..., Any]
    inputs: list[gr.components.Component]
    outputs: list[gr.components.Component]


def connect(page: gr.Blocks, sections: Sections, kept: Kept, look: dict[str, Any]) -> None:
    """Restore all sections when the page opens; ``look`` is the event that shows the training runs.

    The sections are restored by one request: each one costs the browser the same, whatever it changes.
    """
    page.load(None, js=page_languages.declare(), **PRIVATE)
    parts = _parts(sections, kept)

    def restore(*stored: object) -> tuple:
        left = iter(stored)
        return tuple(value for part in parts for value in part.restore(*(next(left) for _ in part.inputs)))

    inputs = [one for part in parts for one in part.inputs]
    outputs = [one for part in parts for one in part.outputs]
    restoring = page.load(restore, inputs, outputs, **PRIVATE).then(**look)
    restored = restoring.then(**train_tab.looking(sections.train, kept.form), **PRIVATE)
    # The sentence is classified last: the base may still be loading.
    restored.then(None, js=_OPENED, **PRIVATE).then(**sections.test.classify, show_progress="hidden")


def _parts(sections: Sections, kept: Kept) -> tuple[Part, ...]:
    test, train, check = sections.test.form.fields, sections.train, sections.check
    shared = [sections.corpus.choice, sections.tabs, sections.watch.seen, sections.history.timer]
    return (
        Part(_restore_page, [kept.corpus, kept.tab], shared),
        Part(guide.restore, [kept.guide], sections.guide.shown()),
        Part(classify_tab.restore, [kept.test], [test[name] for name in classify_tab.KEPT]),
        Part(file_tab.restore, [kept.file], sections.file.outputs()),
        Part(score_tab.restore, [kept.score], sections.score.outputs()),
        Part(check_tab.restore, [check.kept], [check.part, check.text, *check.shown()]),
        Part(label_answers.restore, [sections.label.kept], sections.label.restored()),
        Part(labelled_tab.refresh, [], list(sections.corpus.labelled.choices.values())),
        Part(train_tab.restore, [kept.form], [*train.inputs(), train.ready]),
    )


def _restore_page(name: str, tab: str) -> tuple:
    """Restore the text and the section; what the browser has seen on an earlier visit no longer counts."""
    texts = corpus_tab.choices()
    # Nothing is set if nothing was stored: a slow answer must not undo a newer choice.
    kept_text = {"value": name} if name in [value for _, value in texts] else {}
    return (
        gr.Dropdown(choices=texts, **kept_text),
        gr.Tabs(selected=tab or "start"),
        "",
        gr.Timer(active=tab == "history"),
    )
