"""Clean a text, with a preview of the effect of each step; and register its language."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from deftx.core.bounded import Stopped
from deftx.core.errors import DeftxError
from deftx.data.cleaning import Effect
from ui import strings
from ui.corpus.audit_view import effect_in_words
from ui.corpus.corpora import title_of
from ui.current import current_workspace
from ui.shared import views

PIECES_SHOWN = 3  # pieces of a split line that are shown


@dataclass(frozen=True)
class CleanForm:
    """The components of both forms."""

    choices: gr.CheckboxGroup
    effects: gr.HTML
    apply: gr.Button
    answer: gr.HTML
    code: gr.Textbox
    language: gr.Textbox
    remember: gr.Button
    remembered: gr.HTML


def build() -> CleanForm:
    """Lay out both forms."""
    with gr.Accordion(strings.CLEAN, open=False, elem_id="clean"):
        gr.HTML(views.paragraph(strings.CLEAN_INTRO, "quiet"))
        choices = gr.CheckboxGroup([], label=strings.CLEAN_CHOICES, elem_id="clean-choices")
        effects = gr.HTML(views.paragraph(strings.CLEAN_NEEDS_TEXT, "quiet"), elem_id="clean-effects")
        apply = gr.Button(strings.CLEAN_APPLY, elem_id="clean-apply")
        answer = gr.HTML(elem_id="clean-answer")
    with gr.Accordion(strings.NAME_LANGUAGE, open=False, elem_id="name-language"):
        gr.HTML(views.paragraph(strings.NAME_LANGUAGE_INTRO, "quiet"))
        with gr.Row(elem_classes="pair"):
            language = gr.Textbox(label=strings.LANGUAGE_NAME, max_length=60, min_width=160, elem_id="known-name")
            code = gr.Textbox(
                label=strings.LANGUAGE_CODE, info=strings.KNOWN_CODE_HINT, max_length=20, min_width=110,
                elem_id="known-code",
            )  # fmt: skip
        remember = gr.Button(strings.NAME_LANGUAGE_APPLY, elem_id="known-apply")
        remembered = gr.HTML(elem_id="known-answer")
    return CleanForm(choices, effects, apply, answer, code, language, remember, remembered)


def show(name: str | None, chosen: Sequence[str]) -> tuple[Any, Any]:
    """Return (the steps, examples): the effect of each cleaning step on a text, given the chosen steps."""
    if not name:
        return gr.CheckboxGroup(choices=[], value=[]), views.paragraph(strings.CLEAN_NEEDS_TEXT, "quiet")
    try:
        effects = current_workspace().facts.effects(name, chosen)
    except Stopped:  # it is asked again for another text or other steps, or nobody is here
        return gr.skip(), gr.skip()
    except DeftxError as error:
        return gr.CheckboxGroup(choices=[], value=[]), views.refusal(strings.NOT_READ, error)
    labels = [(effect_in_words(effect), effect.cleaning.name) for effect in effects]
    return gr.CheckboxGroup(choices=labels, value=list(chosen)), effects_view(effects)


def effects_view(effects: Sequence[Effect]) -> str:
    """Show how many lines would be left, and the reason and examples of each step that has an effect."""
    result = strings.CLEAN_RESULT.format(left=f"{effects[-1].left:,}", lines=f"{effects[0].lines:,}")
    return views.notice(result) + "".join(_examples(effect) for effect in effects if effect.examples)


def _examples(effect: Effect) -> str:
    rows = "".join(
        f"<tr><td>{views.quote(before)}</td><td>{_after(after)}</td></tr>" for before, after in effect.examples
    )
    head = f"<tr><th scope=col>{escape(strings.BEFORE_CLEANING)}</th><th scope=col>{escape(strings.AFTER_CLEANING)}</th></tr>"
    return (
        f"<details><summary>{escape(effect_in_words(effect))}</summary>{views.paragraph(strings.of_library(effect.cleaning.why), 'quiet')}"
        f'<table class="plain quoted"><thead>{head}</thead><tbody>{rows}</tbody></table></details>'
    )


def _after(pieces: Sequence[str]) -> str:
    if not pieces:
        return f"<em>{escape(strings.GOES)}</em>"
    return "<br>".join(views.quote(piece) for piece in pieces[:PIECES_SHOWN]) + (
        " …" if len(pieces) > PIECES_SHOWN else ""
    )


def apply(name: str | None, chosen: Sequence[str]) -> tuple[str | None, str]:
    """Store a cleaned copy; return (its name or None, the message)."""
    if not name:
        return None, views.notice(strings.CLEAN_NEEDS_TEXT, kind="bad")
    try:
        cleaned = current_workspace().corpora.clean(name, chosen)
    except DeftxError as error:
        return None, views.notice(str(error), kind="bad")
    return cleaned, views.notice(strings.CLEANED.format(name=cleaned, original=title_of(name)), kind="good")


def remember(name: str | None, code: str, language: str) -> str:
    """Register the language of a text; return the message."""
    if not name:
        return views.notice(strings.CLEAN_NEEDS_TEXT, kind="bad")
    facts = current_workspace().facts
    try:
        profile = facts.register(name, code, language)
    except DeftxError as error:
        return views.notice(str(error), kind="bad")
    count = len(facts.languages().profiles)
    said = strings.LANGUAGE_REMEMBERED.format(name=profile.name, code=profile.code, count=count)
    return views.notice(said, kind="good")
