"""Compose and test: vectors with strengths, a sentence, and its probabilities, updated at every change."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui import strings
from ui.classify import compose_form
from ui.classify.answering import show, show_marks, show_words
from ui.classify.compose_form import LONGEST, ComposeForm, language_choices, task_choices
from ui.library import library_forms
from ui.shared import debounce, removal, views

__all__ = ["TestTab", "build", "language_choices", "task_choices"]

PRIVATE = {"api_visibility": "private"}
KEPT = ("task", "language", "text")  # of the form: what the browser stores
# Every change is answered at once. Changes made during an answer are answered together afterwards, once.
AT_ONCE = {
    "show_progress": "hidden",
    "trigger_mode": "always_last",
    "concurrency_id": "compose",
    "concurrency_limit": 4,
}

Handler = tuple[Callable[..., tuple[Any, ...]], list[gr.components.Component]]


@dataclass(frozen=True)
class TestTab:
    """The components that other sections use."""

    task: gr.Dropdown
    language: gr.Dropdown
    picked: gr.Textbox  # both keys as JSON, for the list of training runs: a list refuses a key that is gone
    form: ComposeForm
    classify: dict[str, Any]  # the event that classifies the sentence of the form


def build(kept: gr.BrowserState) -> TestTab:
    """Lay out the section and connect its events; ``kept`` stores the sentence and its vectors in the browser."""
    gr.HTML(views.paragraph(strings.TEST_INTRO))
    # The sentence and its answer come first and are in sight together, on a phone too; what changes them is below.
    with gr.Row(equal_height=False, elem_classes="columns"):
        asking = gr.Column(scale=2, min_width=300)
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            answer = gr.HTML(elem_id="answer")
            marked = gr.HighlightedText(
                label=strings.MARKED, visible=False, combine_adjacent=False, show_inline_category=True, elem_id="marked"
            )
            words = gr.HTML(elem_id="words")
    with gr.Row(equal_height=False, elem_classes="columns"):
        further = gr.Column(scale=2, min_width=300)
        with gr.Column(scale=3, min_width=300, elem_id="behind-answer"):
            sides = gr.HTML(elem_id="sides")
            # Outside the parts that every answer replaces, so that an opened part stays open.
            with gr.Accordion(strings.COMPOSE_TABLE, open=False, elem_id="answer-tables"):
                sides_table, words_table = gr.HTML(), gr.HTML()
            with gr.Accordion(strings.MERGE_REPORT, open=False, elem_id="merge-did"):
                merged = gr.HTML(elem_id="merge-report")
    form = compose_form.build(asking, further)
    waiting = strings.NOTHING_CLASSIFIED if form.fields["task"].value else strings.NO_TASK
    answer.value = merged.value = views.paragraph(waiting, "quiet")
    with further:
        _build_download(form)
    _connect_form(form)
    fields = form.fields

    def answered(*values: Any) -> tuple[Any, ...]:
        given = form.values(values)
        return *show(given), show_marks(given), {name: given[name] for name in KEPT}

    def word_weights(*values: Any) -> tuple[str, str]:
        return show_words(form.values(values))

    answers = [answer, sides, sides_table, merged, marked, kept]
    _connect_answers(form, (answered, answers), (word_weights, [words, words_table]))
    opening = {"fn": lambda *values: (*answered(*values), *word_weights(*values)), "inputs": form.inputs(),
               "outputs": [*answers, words, words_table], **PRIVATE}  # fmt: skip
    return TestTab(fields["task"], fields["language"], _picked(fields["task"], fields["language"]), form, opening)


def _connect_answers(form: ComposeForm, answer: Handler, explanation: Handler) -> None:
    """Answer what is pressed, typed or chosen, and then explain the answer; each handler comes with its outputs."""
    fields = form.fields
    pressed = [form.button.click, fields["text"].submit, fields["second"].submit]
    # Texts use "change": a textbox reports "input" for typing only, not for pasted or dictated text. The others use
    # "input": the page itself sets them when it opens, which needs no answer.
    texts = ("text", "second")
    typed = debounce.debounced([fields[name] for name in texts], "typed")
    changed = [typed.change, *(part.input for name, part in fields.items() if name not in texts)]
    for triggers, progress in ((pressed, {"show_progress": "minimal"}), (changed, {})):
        settings = {**AT_ONCE, **PRIVATE, **progress}
        gr.on(triggers, None, js=_busy(True, "answer", "words"), **PRIVATE)
        done = gr.on(triggers, answer[0], form.inputs(), answer[1], **settings)
        done.then(None, js=_busy(False, "answer"), **PRIVATE)
        explained = done.then(explanation[0], form.inputs(), explanation[1], **{**AT_ONCE, **PRIVATE})
        explained.then(None, js=_busy(False, "words"), **PRIVATE)


def _busy(busy: bool, *ids: str) -> str:
    """Return a script that marks parts as being replaced: the style sheet fades what is still that of the sentence before."""
    return f"() => {json.dumps(ids)}.forEach(id => document.getElementById(id)?.setAttribute('aria-busy', {str(busy).lower()}))"


def _picked(task: gr.Dropdown, language: gr.Dropdown) -> gr.Textbox:
    """Return a hidden field in which the browser itself, without a request, keeps the keys of both lists."""
    picked = gr.Textbox(json.dumps([task.value, language.value]), visible=False)
    for vectors in (task, language):
        vectors.change(None, [task, language], picked, js="(...keys) => JSON.stringify(keys)", **PRIVATE)
    return picked


def restore(kept: object) -> tuple[Any, Any, Any]:
    """Return the lists of tasks and languages and the sentence, each with what the browser stored where it still exists."""
    stored = kept if isinstance(kept, dict) else {}
    tasks, languages = task_choices(), language_choices()
    first = tasks[0][1] if tasks else None
    task = stored.get("task") if stored.get("task") in [key for _, key in tasks] else first
    language = stored.get("language") if stored.get("language") in [key for _, key in languages] else None
    text = stored.get("text")
    return (
        gr.Dropdown(choices=tasks, value=task),
        gr.Dropdown(choices=languages, **({} if language is None else {"value": language})),
        text[:LONGEST] if isinstance(text, str) and text.strip() else gr.skip(),
    )


def _build_download(form: ComposeForm) -> None:
    """Offer the current classifier, its Space and its report: every vector, every strength, the merge method."""
    for kind, label, hint in (
        ("classifier", strings.EXPORT_THIS, strings.EXPORT_THIS_HINT),
        ("space", strings.EXPORT_SPACE, strings.EXPORT_SPACE_HINT),
        ("report", strings.EXPORT_REPORT, strings.EXPORT_REPORT_HINT),
    ):
        take = gr.Button(label, size="sm", elem_id=f"take-{kind}")
        gr.HTML(views.paragraph(hint, "quiet"))
        said = gr.HTML(elem_id="take-answer" if kind == "classifier" else f"take-{kind}-answer")
        download = gr.DownloadButton(label, visible="hidden", elem_id=f"taking-{kind}")

        def pack(*values: Any, kind: str = kind) -> tuple[str | None, str]:
            return library_forms.export(lambda: compose_form.combination_of(form.values(values)), kind)

        packed = take.click(pack, form.inputs(), [download, said], show_progress="minimal", **PRIVATE)
        packed.success(None, js=views.press(f"taking-{kind}"), **PRIVATE)


def _connect_form(form: ComposeForm) -> None:
    """Show the second text for tasks on pairs and on questions, the parameters of the chosen method, and new vectors."""
    fields, quick = form.fields, {"show_progress": "hidden", "queue": False, **PRIVATE}

    def texts(task: str | None) -> tuple:
        asks = compose_form.texts_asked(task)
        second = gr.Textbox(label=asks.second, info=asks.hint, visible=asks.two)
        return gr.Textbox(label=asks.first), second, gr.Button(asks.action)

    # Also when the page itself sets the task: on opening, or after the first one has been trained.
    fields["task"].change(texts, fields["task"], [fields["text"], fields["second"], form.button], **quick)
    parameters = [(name, field) for name, known in form.settings.items() for field in known]

    def settings(method: str) -> list:
        return [gr.update(visible=name == method) for name, _ in parameters]

    fields["method"].change(settings, fields["method"], [fields[field] for _, field in parameters], **quick)
    further = [fields[f"language_{place}"] for place in compose_form.MORE]

    def renew(*chosen: str | None) -> list[gr.Dropdown]:
        listed = language_choices()
        return [removal.renewed(listed, key, "") for key in chosen]

    form.more.expand(renew, further, further, **quick)
