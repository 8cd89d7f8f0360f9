"""The answer of Test to what its form says: a class, tags or a passage, with the words that mattered."""

from typing import Any

import gradio as gr

from deftx.core.errors import DeftxError
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.models.batches import Text
from ui import strings
from ui.classify import answer_views, compose_form, compose_views
from ui.classify.combination import Combination
from ui.classify.compose_form import LONGEST
from ui.current import current_workspace
from ui.shared import views


def show(values: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return the answer, the four combinations, their table and the merge report; an error replaces the answer."""
    if not values["task"]:
        return views.notice(strings.NO_TASK), "", "", ""
    answer = {WORD: _tagged, QUESTION: _answered}.get(compose_form.unit_of_key(values["task"]), _classified)
    try:
        return answer(values)
    except DeftxError as error:
        return views.refusal(strings.NOT_CLASSIFIED, error), "", "", ""


def _classified(values: dict[str, Any]) -> tuple[str, str, str, str]:
    workspace = current_workspace()
    compared = workspace.composing.compare(*asked(values))
    return (
        compose_views.answer_view(compared, workspace.machine),
        compose_views.sides_view(compared),
        compose_views.sides_table(compared),
        compose_views.merge_view(compared.report, [compared.found.task, *compared.found.languages]),
    )


def _tagged(values: dict[str, Any]) -> tuple[str, str, str, str]:
    workspace = current_workspace()
    found = workspace.composing.tag(*asked(values))
    merged = compose_views.merge_view(found.report, [found.found.task, *found.found.languages])
    return compose_views.tagged_view(found, workspace.machine), "", compose_views.tagged_table(found.tagged), merged


def _answered(values: dict[str, Any]) -> tuple[str, str, str, str]:
    workspace = current_workspace()
    found = workspace.composing.ask(*_question(values))
    merged = compose_views.merge_view(found.report, [found.found.task, *found.found.languages])
    return answer_views.answered_view(found, workspace.machine), "", answer_views.answers_table(found.answered), merged


def show_marks(values: dict[str, Any]) -> gr.HighlightedText:
    """Mark the tagged words or the answer in the text; hidden for a task that classifies texts, and if there is no answer."""
    unit, composing = compose_form.unit_of_key(values["task"]), current_workspace().composing
    if unit == TEXT:
        return gr.HighlightedText(visible=False)
    try:
        if unit == WORD:
            parts = compose_views.marked_parts(composing.tag(*asked(values)).tagged)
        else:
            parts = answer_views.marked_parts(composing.ask(*_question(values)).answered)
    except DeftxError:
        return gr.HighlightedText(visible=False)
    return gr.HighlightedText(value=parts, visible=True)


def show_words(values: dict[str, Any]) -> tuple[str, str]:
    """Mark and list the words that mattered; empty if there is no answer."""
    try:
        attribution = current_workspace().composing.words(*asked(values))
    except DeftxError:
        return "", ""
    return compose_views.words_view(attribution), compose_views.words_table(attribution)


def asked(values: dict[str, Any]) -> tuple[Combination, Text]:
    combination = compose_form.combination_of(values)
    return combination, compose_form.text_of(values, compose_form.needs_pair(combination.task))


def _question(values: dict[str, Any]) -> tuple[Combination, str, str]:
    question, context = ((values[name] or "")[:LONGEST] for name in ("text", "second"))
    return compose_form.combination_of(values), question, context
