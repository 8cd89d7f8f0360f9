"""The HTML of a tagged file: how many marks there are of each label, and the texts with their marks."""

from html import escape

from deftx.classify.tagger import TaggedText
from ui import strings
from ui.classify.compose_views import marked_parts
from ui.classify.file_views import ROWS_SHOWN, language_notes
from ui.classify.word_files import TaggedWords
from ui.shared import views

SHOWN = 600  # characters of a text


def summary(found: TaggedWords) -> str:
    """Show the number of texts, the marks of each label, and the vectors."""
    counts = found.found.counts
    total = sum(counts.values())
    bars = [(strings.LABEL_COUNT.format(label=label, count=f"{n:,}"), n / total) for label, n in counts.items()]
    numbers = [(strings.TEXTS_CLASSIFIED, f"{len(found.found.tagged):,}"), (strings.MARKS, f"{total:,}")]
    made = strings.FILE_MADE_OF.format(task=found.task, language=found.language)
    empty = len(found.found.file.rows.rows) - len(found.found.tagged)
    notes = [*language_notes(found.other), *found.found.file.rows.notes]
    notes += [strings.ROWS_WITHOUT_TEXT.format(count=empty)] if empty else []
    notes += [strings.FORMULAS_DISARMED.format(count=found.disarmed)] if found.disarmed else []
    return (
        f"<h3>{escape(found.name)}</h3>{views.figures(numbers)}{views.bars(bars, caption=strings.MARKS_BY_LABEL)}"
        f"{views.paragraph(made, 'quiet')}{views.notes(strings.NOTE, notes)}"
    )


def rows(found: TaggedWords, label: str) -> str:
    """Show the first texts that have a mark of this label ("" for all texts), in the order of the file."""
    chosen = [one for one in found.found.tagged if not label or label in (mark.label for mark in one.marks)]
    shown = chosen[:ROWS_SHOWN]
    said = strings.ROWS_OF.format(shown=len(shown), count=len(chosen))
    return views.paragraph(said, "quiet") + "".join(map(marked_text, shown))


def marked_text(tagged: TaggedText) -> str:
    """Show the beginning of a text with its marks underlined, each followed by its label."""
    parts, shown = [], 0
    for text, label in marked_parts(tagged):
        text = text[: SHOWN - shown]
        shown += len(text)
        marked = f'<span class="for" style="--weight:1">{escape(text)}<sup>{escape(label or "")}</sup></span>'
        parts.append(marked if label and text else escape(text))
    more = "…" if len(tagged.text) > SHOWN else ""
    return f'<p class="words">{"".join(parts)}{more}</p>'
