"""What Test shows of a question: the answer, its place in the text, and the other possible answers."""

from html import escape

from deftx.classify.answerer import Answered
from ui import strings
from ui.classify.composing import Asked
from ui.shared import views

SHOWN = 5  # different answers with a bar; the table has all of them


def answered_view(found: Asked, device: str) -> str:
    """Show the answer, or that the text has none, and the vectors behind it."""
    languages = " + ".join(found.found.languages) or strings.NO_LANGUAGE
    made = strings.MADE_OF.format(task=found.found.task, language=languages, device=device)
    first: dict[str, float] = {}  # the same words may stand in several places
    for one in found.answered.answers:
        first.setdefault(one.text, one.probability)
    shown = [*list(first.items())[:SHOWN], *_no_answer(found.answered)]
    shown.sort(key=lambda one: -one[1])
    best = found.answered.text or strings.NO_ANSWER
    return (
        f'<blockquote>{escape(found.answered.question)}</blockquote><p class="verdict">{escape(best)}</p>'
        f"{views.bars(shown, best=best)}{views.paragraph(made, 'quiet')}"
    )


def marked_parts(answered: Answered) -> list[tuple[str, str | None]]:
    """Return the text in parts, the answer with a label, as ``gr.HighlightedText`` takes them."""
    if answered.answer is None:
        return [(answered.context, None)]
    start, end = answered.answer.start, answered.answer.end
    parts = [
        (answered.context[:start], None),
        (answered.answer.text, strings.ANSWER_MARK),
        (answered.context[end:], None),
    ]
    return [part for part in parts if part[0]]


def answers_table(answered: Answered) -> str:
    """List the possible answers with their places and probabilities."""
    rows = [(one.text, f"{one.start}–{one.end}", f"{one.probability:.1%}") for one in answered.answers]
    rows += [(text, "–", f"{probability:.1%}") for text, probability in _no_answer(answered)]
    return views.table((strings.ANSWER_MARK, strings.ANSWER_PLACE, strings.ANSWER_PROBABILITY), rows)


def _no_answer(answered: Answered) -> list[tuple[str, float]]:
    return [] if answered.no_answer is None else [(strings.NO_ANSWER, answered.no_answer)]
