"""Labelling of words in the section Test: a sentence whose marks are corrected by clicking its words, the score, and files."""

from functools import partial
from typing import Any

import gradio as gr

from deftx.labelling.session import COUNT, FEWEST, MOST
from ui import strings
from ui.corpus import corpus_tab
from ui.labelling import word_answers
from ui.shared import removal, views

PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
# The button that had the focus keeps it when the card is replaced; after another sentence came, the first button below it
# has it, and the sentence is read aloud.
_KEEP_FOCUS = """
const heard = document.createElement('div');
heard.setAttribute('aria-live', 'polite');
heard.style.cssText = 'position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)';
element.closest('#words-card').append(heard);
let last = '';
element.addEventListener('focusin', e => { last = e.target.closest('[data-pick]')?.dataset.pick ?? ''; });
document.addEventListener('focusin', e => { if (!element.contains(e.target)) last = ''; });
const hear = () => {
  const parts = element.querySelector('.words, .in-words')?.childNodes ?? [];
  const text = [...parts].map(part => (part.firstChild ?? part).textContent).join('');  // without the labels
  if (heard.textContent !== text) heard.textContent = text;
};
hear();
watch('value', () => {
  hear();
  if (last && document.activeElement === document.body)
    (element.querySelector(`[data-pick="${last}"]`) ?? element.querySelector('.marks [data-pick]'))?.focus({preventScroll: true});
});
"""
EXPORTS = {".conll": "WORDS_AS_CONLL", ".jsonl": "WORDS_AS_JSON"}


def build(task: gr.Dropdown, language: gr.Dropdown) -> None:
    """Lay out this part for the vectors chosen in these lists, and connect its events."""
    with gr.Accordion(strings.WORD_LABELLING, open=False, elem_id="word-labelling") as part:
        gr.HTML(views.paragraph(strings.WORD_LABELLING_INTRO))
        text, count, start, sessions = _form()
        said = gr.HTML(elem_id="words-said")
        with gr.Column(visible=False, elem_id="words-area") as area:
            label = gr.Radio([], label=strings.WORDS_LABEL, info=strings.WORDS_LABEL_HINT, elem_id="words-label")
            card = gr.HTML(elem_id="words-card", js_on_load=views.PICK + _KEEP_FOCUS)
            result = gr.HTML(elem_id="words-result")
            actions = _actions()
        # Outside of the column: a column that is shown shows a hidden part of it too.
        downloads = {e: gr.DownloadButton(visible="hidden", elem_id=f"words-taking{e[1:]}") for e in EXPORTS}
    kept = gr.State(dict(word_answers.NOTHING))
    shown = [area, label, card, result]
    start.click(word_answers.start, [task, language, text, count], [kept, said, sessions, *shown],
                show_progress="minimal", concurrency_id="classify", api_visibility="private")  # fmt: skip
    sessions.input(word_answers.open_session, sessions, [kept, said, *shown], **PRIVATE)
    card.select(_picked, [kept, label], [kept, said, *shown], trigger_mode="multiple", queue=False, **PRIVATE)

    def renew(chosen: str | None, session: str | None) -> tuple[gr.Dropdown, gr.Dropdown]:
        listed = removal.renewed(word_answers.choices(), session, None)
        return removal.renewed(corpus_tab.choices(), chosen, None), listed

    part.expand(renew, [text, sessions], [text, sessions], **PRIVATE)
    _connect({**actions, "downloads": downloads}, kept, said, sessions, shown)
    # The question whether to remove is of the session before.
    gr.on([start.click, sessions.input], lambda: word_answers.asking(False), None, actions["remove"], **PRIVATE)


def _form() -> tuple[gr.Dropdown, gr.Number, gr.Button, gr.Dropdown]:
    with gr.Row(elem_classes="file"):
        text = gr.Dropdown(corpus_tab.choices(), value=None, label=strings.LABELLING_TEXT, scale=3, min_width=220, elem_id="words-text")  # fmt: skip
        count = gr.Number(COUNT, label=strings.LABELLING_COUNT, info=strings.LABELLING_COUNT_HINT, precision=0,
                          minimum=FEWEST, maximum=MOST, scale=1, min_width=140, elem_id="words-count")  # fmt: skip
        start = gr.Button(strings.LABELLING_START, variant="primary", scale=1, min_width=140, elem_id="words-start")
    sessions = gr.Dropdown(
        word_answers.choices(), value=None, label=strings.LABELLING_OPEN, elem_id="words-sessions"
    )  # fmt: skip
    return text, count, start, sessions


def _actions() -> dict[str, Any]:
    with gr.Row(elem_classes="buttons"):
        keep = gr.Button(strings.WORDS_KEEP, elem_id="words-keep")
        exports = {
            e: gr.Button(getattr(strings, name), size="sm", elem_id=f"words-take{e[1:]}") for e, name in EXPORTS.items()
        }
        remove = gr.Button(strings.LABELLING_REMOVE, size="sm", elem_id="words-remove")
        confirm = gr.Button(strings.LABELLING_CONFIRM, size="sm", variant="stop", visible=False, elem_id="words-remove-confirm")  # fmt: skip
        stay = gr.Button(strings.LABELLING_STAY, size="sm", visible=False, elem_id="words-remove-stay")
    return {"keep": keep, "exports": exports, "remove": [remove, confirm, stay]}


def _connect(actions: dict[str, Any], kept: gr.State, said: gr.HTML, sessions: gr.Dropdown, shown: list[Any]) -> None:
    actions["keep"].click(word_answers.keep, kept, said, **PRIVATE)
    for ending, button in actions["exports"].items():
        taken = button.click(
            partial(word_answers.export, ending), kept, [actions["downloads"][ending], said], **PRIVATE
        )
        taken.success(None, js=views.press(f"words-taking{ending[1:]}"), **PRIVATE)
    remove, confirm, stay = actions["remove"]
    for button, asks in ((remove, True), (stay, False)):
        button.click(partial(word_answers.asking, asks), None, actions["remove"], **PRIVATE)
    confirm.click(word_answers.remove, kept, [kept, said, sessions, *shown, *actions["remove"]], **PRIVATE)


def _picked(kept: dict[str, Any], label: str | None, event: gr.EventData) -> tuple:
    return word_answers.pick(kept, label, str(event.picked))
