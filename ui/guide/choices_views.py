"""The HTML of the answers on a text: which base, which relative, how much text."""

from html import escape

from deftx.analysis.base_choice import BaseChoice
from deftx.analysis.choices import Choices
from deftx.analysis.text_amount import TextAmount
from deftx.core.events import read_duration
from deftx.core.names import base_name
from ui import strings
from ui.shared import views

SHOWN = 6  # languages
DASH = "–"


def show(found: Choices) -> str:
    """Return the three answers, each under a heading."""
    parts = (
        (strings.CHOICES_BASES, _bases(found)),
        (strings.CHOICES_RELATIVES, _relatives(found)),
        (strings.CHOICES_AMOUNT, _amount(found.amount)),
    )
    return "".join(f"<h4>{escape(title)}</h4>{inside}" for title, inside in parts)


def _bases(found: Choices) -> str:
    best = next((base for base in found.bases if base.name == found.best), None)
    if best is None:
        said = views.notice(strings.CHOICES_NONE, kind="bad")
    else:
        said = views.paragraph(strings.CHOICES_BEST.format(name=base_name(best.name)))
    heads = (strings.BASE, strings.CHOICES_HERE, strings.TOKENS_PER_WORD, strings.UNKNOWN, strings.MEMORY, strings.TIME,
             strings.CHOICES_LANGUAGES, strings.CHOICES_LICENCE)  # fmt: skip
    return said + views.table(heads, map(_base, found.bases)) + views.paragraph(strings.CHOICES_NOTE, "quiet")


def _base(base: BaseChoice) -> tuple[str, ...]:
    tokens = DASH if base.tokens_per_word is None else f"{base.tokens_per_word:.2f}"
    memory = views.size(round(base.memory))
    seconds = base.seconds and strings.TIME_RANGE.format(
        low=read_duration(base.seconds[0]), high=read_duration(base.seconds[1])
    )
    return (
        base_name(base.name),
        strings.CHOICES_YES if base.here else strings.CHOICES_NO,
        strings.AT_MOST.format(share=tokens) if base.estimated else tokens,
        DASH if base.unknown_share is None else f"{base.unknown_share:.1%}",
        memory if base.fits else strings.CHOICES_TOO_MUCH.format(memory=memory),
        seconds or DASH,
        f"{base.languages:,}" if base.languages else DASH,
        base.licence or DASH,
    )


def _relatives(found: Choices) -> str:
    heads = (strings.LANGUAGE_COLUMN, strings.LETTERS_SHARED, strings.PIECES_SHARED, strings.CHOICES_STATES)
    rows = [
        (f"{one.name} ({one.code})", f"{one.letters:.1%}", DASH if one.pieces is None else f"{one.pieces:.1%}",
         DASH if one.states is None else f"{one.states:.2f}")
        for one in found.relatives[:SHOWN]
    ]  # fmt: skip
    names = ", ".join(f"{one.name} ({one.code})" for one in found.nearest_by_states())
    by_states = views.paragraph(strings.CHOICES_BY_STATES.format(names=names)) if names else ""
    return views.table(heads, rows) + by_states + views.paragraph(strings.CHOICES_STATES_NOTE, "quiet")


def _amount(amount: TextAmount) -> str:
    size = {"lines": f"{amount.lines:,}", "tokens": f"{amount.tokens:,}"}
    if amount.passes >= 1:
        read = strings.CHOICES_READ_WHOLE.format(**size, times=f"{amount.passes:.1f}")
    else:
        read = strings.CHOICES_READ_PART.format(**size, share=f"{amount.passes:.0%}")
    mean, low, high = (f"{value:+.1f}" for value in amount.gain)
    gain = strings.CHOICES_GAIN.format(tokens=f"{amount.measured:,}", mean=mean, low=low, high=high)
    short = views.paragraph(strings.CHOICES_SHORT) if amount.shorter else ""
    return views.paragraph(read) + views.paragraph(gain) + short
