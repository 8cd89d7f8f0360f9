"""The HTML of a composition: the answer, the four combinations, the merge report, and the words that mattered."""

from collections.abc import Sequence
from html import escape
from typing import Any

from deftx.classify.attribution import Attribution, WordWeight
from deftx.classify.doubts import Doubt
from deftx.classify.tagger import TaggedText
from deftx.vectors.merging import MergeReport
from ui import strings
from ui.classify.compose_form import LONGEST
from ui.classify.composing import Comparison, Tagged
from ui.language_names import name_of
from ui.shared import views

QUOTED = 300  # characters of the text that are repeated above its answer
UNCHANGED = 0.005  # a smaller change of a share counts as none
FAINT = 0.1  # words below this part of the largest weight are not marked


def answer_view(compared: Comparison, device: str) -> str:
    """Show the probabilities as labelled bars with aligned numbers, and the vectors behind them."""
    probabilities = list(compared.sides.values())[-1]
    best = max(probabilities, key=probabilities.get)
    languages = " + ".join(compared.found.languages) or strings.NO_LANGUAGE
    made = strings.MADE_OF.format(task=compared.found.task, language=languages, device=device)
    texts = (compared.text,) if isinstance(compared.text, str) else compared.text
    quoted = "".join(f"<blockquote>{views.quote(part, QUOTED)}</blockquote>" for part in texts)
    cut = views.notice(strings.TEXT_CUT.format(most=compared.cut)) if compared.cut else ""
    if any(len(part) >= LONGEST for part in texts):
        cut += views.notice(strings.TEXT_FULL.format(most=LONGEST))
    return (
        f"{quoted}{_verdict(best, compared.doubts)}{cut}"
        f"{views.bars(probabilities.items(), best=best)}{views.paragraph(made, 'quiet')}"
    )


def _verdict(best: str, doubts: Sequence[Doubt]) -> str:
    """Show the label, or that the answer is not sure; below it, everything else that speaks against it."""
    by_kind = {doubt.kind: strings.DOUBTS[doubt.kind].format(**_named(doubt)) for doubt in doubts}
    said = by_kind.pop("margin", best)
    return f'<p class="verdict">{escape(said)}</p>{views.notes(strings.DOUBT, by_kind.values())}'


def _named(doubt: Doubt) -> dict[str, Any]:
    """Return the values of a doubt, with its languages named in the page's language."""
    if doubt.kind != "language":
        return dict(doubt.values)
    expected = " / ".join(map(name_of, doubt.values["expected_codes"]))
    return {**doubt.values, "found": name_of(doubt.values["found_code"]), "expected": expected}


def tagged_view(found: Tagged, device: str) -> str:
    """Say how many marks there are, and which vectors made them."""
    languages = " + ".join(found.found.languages) or strings.NO_LANGUAGE
    made = strings.MADE_OF.format(task=found.found.task, language=languages, device=device)
    count = len(found.tagged.marks)
    said = strings.MARKS_FOUND.format(count=count) if count else strings.NO_MARKS
    return f'<p class="verdict">{escape(said)}</p>{views.paragraph(made, "quiet")}'


def marked_parts(tagged: TaggedText) -> list[tuple[str, str | None]]:
    """Return the text in parts, each with its label or None, as ``gr.HighlightedText`` takes them."""
    parts: list[tuple[str, str | None]] = []
    end = 0
    for mark in tagged.marks:
        parts += [(tagged.text[end : mark.start], None)] if mark.start > end else []
        parts.append((mark.text, mark.label))
        end = mark.end
    return [*parts, (tagged.text[end:], None)] if end < len(tagged.text) else parts


def tagged_table(tagged: TaggedText) -> str:
    """List the marks with their probabilities."""
    rows = [(mark.text, mark.label, f"{mark.probability:.1%}") for mark in tagged.marks]
    return views.table((strings.ANSWER_TEXT, strings.ANSWER_LABEL, strings.ANSWER_PROBABILITY), rows)


def sides_view(compared: Comparison) -> str:
    """Show the four combinations beside each other, with a sentence on the effect of the language vectors."""
    blocks = "".join(
        f"<section>{views.bars(shares.items(), caption=strings.SIDES[name], best=max(shares, key=shares.get))}</section>"
        for name, shares in compared.sides.items()
    )
    said = views.paragraph(change_sentence(compared), "said")
    return f'<h4>{escape(strings.SIDES_TITLE)}</h4>{said}<div class="sides">{blocks}</div>'


def sides_table(compared: Comparison) -> str:
    """Show the same numbers as a table."""
    labels = list(next(iter(compared.sides.values())))
    lines = [(strings.SIDES[name], *(f"{shares[label]:.1%}" for label in labels))
             for name, shares in compared.sides.items()]  # fmt: skip
    return views.table((strings.SIDE, *labels), lines)


def change_sentence(compared: Comparison) -> str:
    """Return a sentence on how the language vectors changed the answer."""
    if "both" not in compared.sides:
        return strings.CHANGE_NO_LANGUAGE
    without, both = compared.sides["task"], compared.sides["both"]
    before, after = max(without, key=without.get), max(both, key=both.get)
    if before != after:
        return strings.CHANGE_TURNS.format(
            before=before, before_share=f"{without[before]:.1%}", after=after, after_share=f"{both[after]:.1%}"
        )
    moved = both[after] - without[after]
    text = strings.CHANGE_RAISES if moved > 0 else strings.CHANGE_LOWERS
    if abs(moved) < UNCHANGED:
        text = strings.CHANGE_NONE
    return text.format(label=after, before_share=f"{without[after]:.1%}", after_share=f"{both[after]:.1%}")


def merge_view(report: MergeReport, names: Sequence[str]) -> str:
    """Report the shared entries, the conflicts, and the dropped and effective entries of each vector.

    ``names`` are the page's names of the vectors.
    """
    said = strings.MERGE_DID[report.method].format(
        entries=f"{report.entries:,}", shared=f"{report.shared:,}", conflicts=f"{report.conflicts:,}",
        resolved=f"{report.resolved:,}", left=f"{report.left:,}",
    )  # fmt: skip
    lines = [
        (name, f"{vector.strength:g}", f"{vector.entries:,}", f"{vector.dropped:,}", f"{vector.outvoted:,}",
         f"{vector.in_effect:,}")
        for name, vector in zip(names, report.vectors, strict=True)
    ]  # fmt: skip
    heads = (strings.MERGE_VECTOR, strings.MERGE_STRENGTH, strings.MERGE_ENTRIES, strings.MERGE_DROPPED,
             strings.MERGE_OUTVOTED, strings.MERGE_IN_EFFECT)  # fmt: skip
    return f"{views.paragraph(said, 'quiet')}{views.table(heads, lines)}"


def words_view(attribution: Attribution) -> str:
    """Mark the words that mattered in the text, by sign, line and colour."""
    if not attribution.words:
        return ""
    largest = max((abs(word.weight) for word in attribution.words if word.weight is not None), default=0.0) or 1.0
    cut = any(word.weight is None for word in attribution.words)
    said = (strings.WORDS_LEFT_OUT if attribution.marked else strings.WORDS_NONE).format(label=attribution.label)
    return (
        f"<h4>{escape(strings.WORDS_TITLE.format(label=attribution.label))}</h4>"
        f"{_text(attribution, largest)}"
        f"{views.paragraph(said, 'quiet')}"
        f"{views.paragraph(strings.WORDS_CUT, 'quiet') if cut else ''}"
    )


def words_table(attribution: Attribution) -> str:
    """List all words with their weights, the largest first."""
    ordered = sorted(attribution.words, key=lambda word: -abs(word.weight or 0.0))
    return views.table((strings.WORD, strings.WORD_WEIGHT, strings.WORD_SPEAKS), map(_line, ordered))


def _text(attribution: Attribution, largest: float) -> str:
    parts: dict[int, str] = {}
    ends: dict[int, int] = {}
    for word in attribution.words:
        gap = " " if ends.get(word.part) not in (None, word.start) else ""  # none in scripts without spaces
        shown = _mark(word, largest) if word.weight is None or word in attribution.marked else escape(word.word)
        parts[word.part] = f"{parts.get(word.part, '')}{gap}{shown}"
        ends[word.part] = word.end
    return "".join(f'<p class="words">{marked}</p>' for marked in parts.values())


def _mark(word: WordWeight, largest: float) -> str:
    text = escape(word.word)
    if word.weight is None:
        return f'<span class="cut">{text}</span>'
    if abs(word.weight) < FAINT * largest:
        return f"<span>{text}</span>"
    kind, sign = ("for", "+") if word.weight > 0 else ("against", "−")
    strength = f"{abs(word.weight) / largest:.2f}"
    return f'<span class="{kind}" style="--weight:{strength}">{text}<sup>{sign}</sup></span>'


def _line(word: WordWeight) -> tuple[str, str, str]:
    if word.weight is None:
        return word.word, "", strings.WORD_NOT_READ
    speaks = strings.WORD_FOR if word.weight > 0 else strings.WORD_AGAINST
    return word.word, f"{word.weight:+.3f}", speaks
