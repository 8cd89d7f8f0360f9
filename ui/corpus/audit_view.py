"""The HTML of a text's audit: the verdict and its reasons, the numbers, and the unused lines."""

from collections.abc import Sequence
from html import escape
from typing import Any

from deftx.data.audit import DUPLICATE_SHARE, SCRIPT_SHARE, SMALL_LINES, UNKNOWN_RATE, Audit, Unused
from deftx.data.cleaning import Effect
from deftx.data.languages import UNKNOWN
from deftx.data.writing_systems import writing_shares
from ui import strings
from ui.corpus.corpora import title_of
from ui.shared import views

SECOND_LANGUAGE = 0.10  # share above which another known language is mentioned; less can be wrong guesses
SHOWN_SHARE = 0.02  # languages below this share are shown together


def findings(
    title: str,
    origin: str,
    first: Sequence[str],
    found: Audit,
    mix: dict[str, float],
    names: dict[str, str],
    effects: Sequence[Effect] = (),
) -> str:
    """Show the findings: the first lines, the verdict and its reasons, the numbers, scripts and languages, and notes.

    A note that one of the ``effects`` of cleaning repairs has its button.
    """  # fmt: skip
    second = _second_language(mix, names)
    notes = [*found.warnings, *([second] if second else [])]
    repairing = {effect.cleaning.name: effect for effect in effects if effect.dropped or effect.changed}
    repairs = {note: repair(repairing[step]) for note, step in found.repairs.items() if step in repairing}
    unreadable = (found.unknown_rate or 0) > UNKNOWN_RATE
    said, kind = (strings.NOT_ADVISED, "bad") if unreadable else (strings.READY_WITH_NOTES, "note")
    verdict = views.notice(said, kind=kind) if notes else views.notice(strings.READY, kind="good")
    return (
        f"<h3>{escape(title)}</h3>{views.paragraph(origin, 'quiet origin') if origin else ''}{first_lines(first)}{verdict}"
        f"{views.notes(strings.NOTE, notes, repairs)}{_rests_on(found, mix, names)}{views.figures(_numbers(found))}"
        f"{_scripts(found)}{_languages(mix, names)}"
    )


def origin(note: dict[str, Any], titles: dict[str, str]) -> str:
    """Describe how a derived text was made; ``titles`` are those of the cleaning choices."""
    if note.get("cleaned_from"):
        choices = "; ".join(titles.get(choice, choice) for choice in note.get("choices", ()))
        made = strings.CLEANED_FROM.format(name=title_of(note["cleaned_from"]), choices=choices)
    elif note.get("files"):
        made = strings.MADE_OF_FILES.format(files=", ".join(note["files"]))
    else:
        return ""
    return " ".join([made, *note.get("notes", ())])


def left_out(found: tuple[Unused, ...]) -> str:
    """Show how many lines are not used for training, why, and the first of them."""
    said = "".join(_left_out(one) for one in found) or views.paragraph(strings.NONE_UNUSED, "quiet")
    return f"<h4>{escape(strings.UNUSED_TITLE)}</h4>{said}"


def effect_in_words(effect: Effect) -> str:
    """Describe the effect of a cleaning step in one sentence."""
    sentences = {
        (False, False): strings.EFFECT_NONE, (True, False): strings.EFFECT_DROPS,
        (False, True): strings.EFFECT_CHANGES, (True, True): strings.EFFECT_BOTH,
    }  # fmt: skip
    sentence = sentences[bool(effect.dropped), bool(effect.changed)]
    return sentence.format(
        title=strings.of_library(effect.cleaning.title), dropped=f"{effect.dropped:,}", changed=f"{effect.changed:,}"
    )


def repair(effect: Effect) -> str:
    """Say what a cleaning step does to a text, with the button that does it: a "select" event of ``views.PICK``."""
    return (
        f'{escape(effect_in_words(effect))} <button type="button" class="fix" data-pick="{escape(effect.cleaning.name)}">'
        f"{escape(strings.GUIDE_FIX)}</button>"
    )


def first_lines(lines: Sequence[str]) -> str:
    """Show the first lines of a text, in which a wrong encoding is seen."""
    shown = "".join(f"<li><q>{views.quote(line)}</q></li>" for line in lines)
    return f'<ul class="quoted first">{shown}</ul>'


def lengths_table(found: Audit) -> str:
    """Show the length plot as a table."""
    rows = "".join(f"<tr><th scope=row>{escape(one.title)}</th><td>{one.lines:,}</td></tr>" for one in found.lengths)
    head = f"<tr><th scope=col>{escape(strings.LENGTH_AXIS)}</th><th scope=col>{escape(strings.LINES_AXIS)}</th></tr>"
    table = f'<table class="plain"><thead>{head}</thead><tbody>{rows}</tbody></table>'
    return f"<details><summary>{escape(strings.LENGTHS_TABLE)}</summary>{table}</details>"


def _left_out(one: Unused) -> str:
    reason = strings.UNUSED_REASONS[one.reason].format(count=f"{one.lines:,}")
    places = "".join(
        f"<li><span>{escape(strings.UNUSED_PLACE.format(file=file, line=f'{line:,}'))}</span> <q>{views.quote(text)}</q></li>"
        if text else f"<li><span>{escape(strings.UNUSED_PLACE.format(file=file, line=f'{line:,}'))}</span></li>"
        for file, line, text in one.first
    )  # fmt: skip
    return f'{views.paragraph(reason, "quiet")}<ul class="quoted">{places}</ul>'


def _numbers(found: Audit) -> list[tuple[str, str]]:
    return [
        (strings.LINES, f"{found.lines:,}"),
        (strings.WORDS, f"{found.words:,}"),
        (strings.TOKENS, f"{found.tokens:,}"),
        (strings.TOKENS_PER_WORD, f"{found.tokens_per_word:.2f}"),
        (strings.UNKNOWN, f"{found.unknown_rate:.2%}"),
        (strings.REPEATED, f"{found.duplicates:,} ({found.duplicates / found.lines:.0%})"),
        (strings.LEFT_OUT, f"{sum(found.skipped.values()):,}"),
    ]


def _rests_on(found: Audit, mix: dict[str, float], names: dict[str, str]) -> str:
    """Show the checks as a table: what was found, what is recommended, and the result in words."""
    writings = [writing for writing, share in writing_shares(found.scripts).items() if share > SCRIPT_SHARE]
    repeated = found.duplicates / found.lines
    rows = [
        (strings.AMOUNT, strings.SO_MANY_LINES.format(count=f"{found.lines:,}"),
         strings.SO_MANY_OR_MORE.format(count=f"{SMALL_LINES:,}"), not found.small),
        (strings.UNKNOWN, f"{found.unknown_rate:.2%}", strings.AT_MOST.format(share=f"{UNKNOWN_RATE:.0%}"),
         found.unknown_rate <= UNKNOWN_RATE),
        (strings.REPEATED, f"{repeated:.0%}", strings.AT_MOST.format(share=f"{DUPLICATE_SHARE:.0%}"),
         repeated <= DUPLICATE_SHARE),
        (strings.SCRIPTS, ", ".join(writings), strings.ONE_SCRIPT, len(writings) <= 1),
        (strings.LANGUAGES_FOUND, _main_language(mix, names), strings.ONE_LANGUAGE, not _second_language(mix, names)),
    ]  # fmt: skip
    head = "".join(f"<th scope=col>{escape(t)}</th>" for t in ("", strings.FOUND, strings.ADVISED, strings.JUDGED))
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td><td>{escape(advised)}</td>"
        f"<td class={'fine' if fine else 'look'}>{escape(strings.FINE if fine else strings.LOOK)}</td></tr>"
        for name, value, advised, fine in rows
    )
    caption = f"<caption>{escape(strings.RESTS_ON)}</caption>"
    return f'<table class="plain rests">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _main_language(mix: dict[str, float], names: dict[str, str]) -> str:
    code, share = next(iter(mix.items()))
    if code == UNKNOWN:
        return strings.LANGUAGE_UNKNOWN.format(count=len(names), share=f"{share:.0%}")
    return strings.LANGUAGE_SHARE.format(name=names[code], share=f"{share:.0%}")


def _second_language(mix: dict[str, float], names: dict[str, str]) -> str:
    """Name another known language that a part of the text looks like; empty if there is none."""
    known = [(code, share) for code, share in mix.items() if code != UNKNOWN]
    if len(mix) < 2 or len(known) < (1 if next(iter(mix)) == UNKNOWN else 2):
        return ""
    code, share = known[0] if next(iter(mix)) == UNKNOWN else known[1]
    return strings.SECOND_LANGUAGE.format(name=names[code], share=f"{share:.0%}") if share >= SECOND_LANGUAGE else ""


def _scripts(found: Audit) -> str:
    """List the scripts that have at least a thousandth of the letters."""
    shown = [(script, share) for script, share in found.scripts.items() if share >= 0.001]
    return views.bars(shown[:4], caption=strings.SCRIPTS)


def _languages(mix: dict[str, float], names: dict[str, str]) -> str:
    shown = [(code, share) for code, share in mix.items() if share >= SHOWN_SHARE][:5]
    rest = 1 - sum(share for _, share in shown)
    rows = [(f"{names[code]} ({code})" if code in names else strings.UNKNOWN_LANGUAGE, share) for code, share in shown]
    rows += [(strings.OTHER_LANGUAGES, rest)] if rest >= 0.0005 else []
    return views.bars(rows, caption=strings.LIKELY_LANGUAGES.format(count=len(names)))
