"""Compose and test: a task vector, a language vector, a sentence, and the probabilities."""

from dataclasses import dataclass

import gradio as gr

from deftx.errors import DeftxError
from ui import shelf, strings, views
from ui.studio import Answer, Studio


@dataclass(frozen=True)
class TestTab:
    """The components that other sections use."""

    task: gr.Dropdown
    language: gr.Dropdown


def build(studio: Studio) -> TestTab:
    """Lay the section out and connect what happens within it."""
    gr.HTML(views.paragraph(strings.TEST_INTRO))
    tasks, languages = task_choices(studio), language_choices(studio)
    with gr.Row(equal_height=False, elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            task = gr.Dropdown(
                tasks, value=tasks[0][1] if tasks else None, label=strings.TASK, info=strings.TASK_HINT, elem_id="task"
            )
            language = gr.Dropdown(
                languages, value="", label=strings.LANGUAGE, info=strings.LANGUAGE_HINT, elem_id="language"
            )
            sentence = gr.Textbox(strings.EXAMPLE, label=strings.SENTENCE, lines=1, max_lines=6, elem_id="sentence")
            button = gr.Button(strings.CLASSIFY, variant="primary", elem_id="classify")
        with gr.Column(scale=3, min_width=300, elem_classes="card"):
            waiting = strings.NOTHING_CLASSIFIED if tasks else strings.NO_TASK
            answer = gr.HTML(views.paragraph(waiting, "quiet"), elem_id="answer")
    gr.on(
        [button.click, sentence.submit],
        lambda text, task, language: show_answer(studio, text, task, language),
        [sentence, task, language],
        answer,
        show_progress="minimal",
        concurrency_id="classify",
        api_visibility="private",
    )
    return TestTab(task, language)


def task_choices(studio: Studio) -> list[tuple[str, str]]:
    """Task vectors that can be chosen: (label, key)."""
    return [(entry.label, entry.key) for entry in shelf.entries(studio.store, "task")]


def language_choices(studio: Studio) -> list[tuple[str, str]]:
    """Language vectors that can be chosen, "none" first: (label, key)."""
    return [(strings.NO_LANGUAGE, ""), *((e.label, e.key) for e in shelf.entries(studio.store, "language"))]


def show_answer(studio: Studio, text: str, task: str | None, language: str | None) -> str:
    """Classify a sentence; what cannot be done is said in its place."""
    if not task:
        return views.notice(strings.NO_TASK)
    try:
        return answer_view(text, studio.classify(text, task, language or ""))
    except DeftxError as error:
        return views.refusal(strings.NOT_CLASSIFIED, error)


def answer_view(text: str, answer: Answer) -> str:
    """Lay out the probabilities as labelled bars, with the numbers aligned and what made them."""
    best = max(answer.probabilities, key=answer.probabilities.get)
    made = f"{answer.task} + {answer.language}, on {answer.device}"
    return (
        f'<blockquote>{views.escape(text)}</blockquote><p class="verdict">{views.escape(best)}</p>'
        f"{views.bars(answer.probabilities.items(), best=best)}{views.paragraph(made, 'quiet')}"
    )
