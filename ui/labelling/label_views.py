"""The HTML of labelling: the sentence with its buttons, what was said about the last one, and the results so far."""

from collections.abc import Mapping, Sequence
from html import escape

from deftx.labelling.results import agreement, compare, counts, score
from deftx.labelling.session import LABEL, NONE, SKIP, Session
from deftx.labelling.store import Judged
from deftx.publish.score_words import scores_in_words
from ui import strings
from ui.corpus import corpora
from ui.shared import views

UNDO = "undo"
FURTHER = {NONE: ("0", "LABELLING_NONE"), SKIP: ("s", "LABELLING_SKIP"), UNDO: ("u", "LABELLING_UNDO")}
DIGITS = "123456789"  # keys of the first labels
SURE = 0.05  # a difference that chance makes less often than this is not called chance
LEAST = 30  # labelled sentences from which a classifier is trained


def card(session: Session, judged: Judged) -> str:
    """Show the next sentence with a button for each label; the classifier's answer to it is nowhere in the page."""
    done, count = len(judged), len(session.sentences)
    place = upcoming(session, judged)
    said = strings.LABELLING_PLACE.format(done=done, count=count)
    under = f'<div class="under-bar"><span>{escape(said)}</span><span>{escape(_made_of(session))}</span></div>'
    bar = views.bar(done / count, strings.LABELLING_PROGRESS) + under
    if place is None:
        ended = f'<p class="in-words">{escape(strings.LABELLING_DONE)}</p>'
        return f'{bar}<div class="judged" aria-live="polite">{ended}</div>{row_of([_further(count, UNDO)], strings.LABELLING_OTHERWISE)}{_last(session, judged)}'
    sentence = f"<blockquote>{escape(session.sentences[place].text)}</blockquote>"
    labels = [_button(place, number, label) for number, label in enumerate(session.labels)]
    return (
        f'{bar}<div class="judged" aria-live="polite">{sentence}</div>{row_of(labels, strings.LABELLING_WHICH)}'
        f"{row_of([_further(place, mark) for mark in FURTHER], strings.LABELLING_OTHERWISE)}{_last(session, judged)}"
    )


def upcoming(session: Session, judged: Judged) -> int | None:
    """Return the place of the next sentence of a person; None if all are done."""
    return next((place for place in range(len(session.sentences)) if place not in judged), None)


def _made_of(session: Session) -> str:
    text = corpora.title_of(session.text)
    if not session.made_of:
        return strings.LABELLING_OF_OWN.format(text=text)
    return strings.LABELLING_OF.format(vectors=session.made_of, text=text)


def row_of(buttons: Sequence[str], title: str) -> str:
    """Return buttons in a row; ``title`` is for screen readers."""
    return f'<div class="marks" role="group" aria-label="{escape(title)}">{"".join(buttons)}</div>'


def _button(place: int, number: int, label: str) -> str:
    key = DIGITS[number] if number < len(DIGITS) else ""
    return pressed(f"{place}:{LABEL}:{number}", key, label)


def _further(place: int, mark: str) -> str:
    key, name = FURTHER[mark]
    return pressed(f"{place}:{mark}", key, getattr(strings, name))


def pressed(pick: str, key: str, text: str) -> str:
    """Return a button with its key: a "select" event of ``views.PICK`` with the value ``pick``."""
    shown = f'<kbd aria-hidden="true">{key}</kbd> ' if key else ""
    attributes = f'data-key="{key}" aria-keyshortcuts="{key}"' if key else ""
    return f'<button type="button" data-pick="{pick}" {attributes}>{shown}{escape(text)}</button>'


def _last(session: Session, judged: Judged) -> str:
    """Show the last judged sentence with the person's answer and, now that it is given, the classifier's."""
    if not judged:
        return ""
    one = next(reversed(judged.values()))
    sentence = session.sentences[one.place]
    own = one.label or (strings.LABELLING_NONE if one.mark == NONE else strings.LABELLING_SKIPPED)
    said = [strings.LABELLING_YOU.format(label=own)]
    if sentence.answer:
        share = f"{sentence.probability:.0%}"
        said.append(strings.LABELLING_ANSWERED.format(label=sentence.answer, share=share))
    shown = strings.LABELLING_LAST.format(text=sentence.text)
    return f'<div class="last"><p class="quiet">{escape(shown)}</p><p><b>{escape(" ".join(said))}</b></p></div>'


def result(session: Session, people: Mapping[str, Judged], person: str) -> str:
    """Show the score so far of what a person labelled, the counts, and how far people agree; empty before an answer."""
    judged = people.get(person, {})
    done = counts(judged)
    if not done.all and not people:
        return ""
    items = [*_score_items(session, judged), (strings.LABELLING_LABELLED, f"{done.labelled}"),
             (strings.LABELLING_NONE, f"{done.none}"), (strings.LABELLING_SKIPPED, f"{done.skipped}")]  # fmt: skip
    return views.figures(items) + _words(session, judged) + _agreement(people) + _notes(session)


def rescored(session: Session, judged: Judged, answers: Mapping[int, str], made_of: str) -> str:
    """Compare the answers of other vectors with those that the session began with, on the same sentences."""
    found = ((session.made_of, score(session, judged)), (made_of, score(session, judged, answers)))
    rows = [
        (name, f"{one.accuracy.share:.0%}", _range(one.accuracy.low, one.accuracy.high),
         f"{one.accuracy.right} / {one.accuracy.judged}")
        for name, one in found if one is not None
    ]  # fmt: skip
    words = _better(session, judged, answers)
    heads = (strings.LABELLING_VECTORS, strings.CHECK_ACCURACY, strings.CHECK_INTERVAL, strings.LABELLING_RIGHT)
    return words + views.table(heads, rows, caption=strings.LABELLING_RESCORED) if rows else ""


def _better(session: Session, judged: Judged, answers: Mapping[int, str]) -> str:
    """Say which of two classifiers is better on the same sentences, and whether that can be chance."""
    found = compare(session, judged, answers)
    if found is None:
        return ""
    which = (strings.LABELLING_EQUAL, strings.LABELLING_CHOSEN_BETTER, strings.LABELLING_CHOSEN_WORSE)
    said = which[(found.second > found.first) - (found.second < found.first)]
    said = said.format(more=found.second, fewer=found.first)
    if found.first != found.second and found.chance > SURE:
        said += " " + strings.LABELLING_CHANCE.format(share=f"{found.chance:.0%}")
    return views.in_words([said])


def _score_items(session: Session, judged: Judged) -> list[tuple[str, str]]:
    found = score(session, judged)
    if found is None:
        return []
    reached = found.accuracy
    return [
        (strings.CHECK_ACCURACY, f"{reached.share:.0%}"),
        (strings.CHECK_INTERVAL, _range(reached.low, reached.high)),
    ]


def _words(session: Session, judged: Judged) -> str:
    found = score(session, judged)
    return views.in_words(scores_in_words(session.labels, found.confusion, strings.language())) if found else ""


def _agreement(people: Mapping[str, Judged]) -> str:
    found = agreement(people)
    if not found:
        return ""
    heads = (strings.LABELLING_TWO, strings.LABELLING_BOTH, strings.LABELLING_SAME, strings.LABELLING_KAPPA)
    rows = [
        (f"{_named(one.first)} / {_named(one.second)}", f"{one.both}", f"{one.same} ({one.same / one.both:.0%})",
         "–" if one.kappa is None else f"{one.kappa:.2f}")
        for one in found
    ]  # fmt: skip
    return views.table(heads, rows, caption=strings.LABELLING_AGREEMENT)


def _notes(session: Session) -> str:
    no_score = strings.LABELLING_NO_SCORE.format(least=LEAST)
    return views.notes(strings.NOTE, [strings.LABELLING_TELLS if session.made_of else no_score])


def _named(person: str) -> str:
    return person or strings.LABELLING_NOBODY


def _range(low: float, high: float) -> str:
    return strings.CHECK_FROM_TO.format(low=f"{low:.0%}", high=f"{high:.0%}")
