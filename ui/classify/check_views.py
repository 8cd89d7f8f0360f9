"""The HTML of a manual check: the sentence with a button for each label, the result so far, and earlier results."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

from deftx.classify.self_check import MARKS, RIGHT, UNSURE, WRONG, Check
from ui import strings
from ui.corpus import corpora
from ui.labelling.label_views import DIGITS, pressed, row_of
from ui.shared import views

UNDO, LABEL = "undo", "label:"  # values of buttons; that of a label ends with its place in the list
KEYS = {UNSURE: "0", UNDO: "u"}  # beside the DIGITS of the labels
ONE_SIDED = 0.8  # share of one answer above which a check says little about the other classes
FEW = 10  # answers below which that share means nothing


def names(check: Check) -> str:
    """Return the names of the checked vectors."""
    return " + ".join(vector.name for vector in (check.task, check.language) if vector)


def card(check: Check) -> str:
    """Show the next sentence with a button for each label, or that all are judged; its answer is nowhere in the page."""
    place, count = len(check.marks), len(check.sentences)
    progress = views.bar(place / count, strings.CHECK_PROGRESS)
    made = strings.CHECK_OF.format(names=names(check), text=corpora.title_of(check.corpus), seed=check.seed)
    under = f'<div class="under-bar"><span>{{}}</span><span>{escape(made)}</span></div>'
    undo = pressed(UNDO, KEYS[UNDO], strings.LABELLING_UNDO)
    if check.done:
        buttons = row_of([undo], strings.LABELLING_OTHERWISE)
        return (
            f'{progress}{under.format(escape(strings.CHECK_DONE))}<div aria-live="polite"></div>{buttons}{_last(check)}'
        )
    where = escape(strings.CHECK_PLACE.format(number=place + 1, count=count))
    labels = [
        pressed(f"{LABEL}{number}", DIGITS[number : number + 1], label) for number, label in enumerate(check.labels)
    ]
    others = [pressed(UNSURE, KEYS[UNSURE], strings.CHECK_MARKS[UNSURE]), undo]
    return (
        f'{progress}{under.format(where)}<div class="judged" aria-live="polite"><blockquote>{escape(check.sentences[place])}</blockquote></div>'
        f"{row_of(labels, strings.LABELLING_WHICH)}{row_of(others, strings.LABELLING_OTHERWISE)}{_last(check)}"
    )


def _last(check: Check) -> str:
    """Show the last judged sentence with its answer, now that the person has chosen."""
    if not check.marks:
        return ""
    place = len(check.marks) - 1
    said = strings.CHECK_SAME if check.marks[place] == RIGHT else strings.CHECK_OTHER
    shown = strings.LABELLING_LAST.format(text=check.sentences[place])
    answered = escape(said.format(answer=check.answers[place]))
    return f'<div class="last"><p class="quiet">{escape(shown)}</p><p><b>{answered}</b></p></div>'


def result(check: Check) -> str:
    """Show the accuracy so far with its interval, the marks of each answer, and how to read them; empty before a mark."""
    reached = check.accuracy()
    if reached is None:
        return ""
    figures = views.figures(
        (
            (strings.CHECK_ACCURACY, f"{reached.share:.0%}"),
            (
                strings.CHECK_INTERVAL,
                strings.CHECK_FROM_TO.format(low=f"{reached.low:.0%}", high=f"{reached.high:.0%}"),
            ),
            (strings.CHECK_MARKS["right"], f"{reached.right}"),
            (strings.CHECK_MARKS[WRONG], f"{reached.judged - reached.right}"),
            (strings.CHECK_MARKS[UNSURE], f"{check.marks.count(UNSURE)}"),
        )
    )
    rows = [(answer, *(str(counts[mark]) for mark in MARKS)) for answer, counts in check.by_answer().items()]
    table = views.table(
        (strings.CHECK_ANSWER_GIVEN, *strings.CHECK_MARKS.values()), rows, caption=strings.CHECK_BY_ANSWER
    )
    return figures + table + views.notes(strings.NOTE, _notes(check))


def _notes(check: Check) -> list[str]:
    given = {answer: sum(counts.values()) for answer, counts in check.by_answer().items()}
    most, total = max(given, key=given.get), sum(given.values())
    one_sided = total >= FEW and given[most] >= ONE_SIDED * total
    balance = strings.CHECK_ONE_SIDED.format(label=most, count=given[most], all=total)
    return [strings.CHECK_TELLS, strings.CHECK_TELLS_NOT, *([balance] if one_sided else [])]


def earlier(checks: Sequence[dict[str, Any]]) -> str:
    """List saved results of the same vectors; empty if there are none."""
    if not checks:
        return ""
    heads = (strings.CHECK_DAY, strings.CHECK_TEXT, strings.CHECK_ACCURACY, strings.CHECK_INTERVAL,
             strings.CHECK_JUDGED, strings.CHECK_MARKS[UNSURE])  # fmt: skip
    rows = [
        (datetime.fromtimestamp(one["created"]).strftime(views.DATE_AND_TIME), corpora.title_of(one["corpus"]), f"{one['share']:.0%}",
         strings.CHECK_FROM_TO.format(low=f"{one['low']:.0%}", high=f"{one['high']:.0%}"), f"{one['judged']}", f"{one['unsure']}")
        for one in checks
    ]  # fmt: skip
    return views.table(heads, rows, caption=strings.CHECK_EARLIER)
