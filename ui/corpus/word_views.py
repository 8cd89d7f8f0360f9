"""Labelled files of words with tags as HTML: how many sentences, words and tags they have, and what to look at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import islice

from deftx.core.tags import spans
from deftx.data.token_rows import TokenTable, check_tokens
from ui import strings
from ui.shared import views

TAGS_SHOWN = 50


def findings(tables: Sequence[TokenTable], columns: Mapping[str, str]) -> str:
    """Describe a training file and, if there is a second one, its validation file; ``columns`` are those of the first.

    Raises TableError if there is nothing to learn.
    """
    train, valid = tables[0], (tables[1] if len(tables) > 1 else None)
    found = check_tokens(train, valid)
    verdict = (strings.TABLE_READY_WITH_NOTES, "note") if found["warnings"] else (strings.TABLE_READY, "good")
    named = ", ".join(
        strings.COLUMN_IS.format(what=strings.TABLE_COLUMNS[what], column=column) for what, column in columns.items()
    )
    return (
        f"<h3>{escape(train.name)}</h3>{views.paragraph(strings.COLUMNS_OF.format(columns=named), 'quiet origin')}"
        f"{views.notice(verdict[0], kind=verdict[1])}{views.notes(strings.NOTE, found['warnings'])}"
        f"{views.figures(_numbers(train, valid, found))}{''.join(map(_tags, tables))}"
    )


def counted(table: TokenTable) -> dict[str, int]:
    """Count the names of each type, or the words of each tag where the tags mark no names; the most frequent first."""
    if table.entities:
        counts = Counter(span.label for tags in table.tags for span in spans(tags))
    else:
        counts = Counter(tag for tags in table.tags for tag in tags)
    return dict(counts.most_common())


def kind_of_tags(table: TokenTable) -> str:
    """Return what the page calls the tags of a file: types of names, or tags."""
    return strings.TYPES_OF_NAMES if table.entities else strings.TAGS


def _numbers(train: TokenTable, valid: TokenTable | None, found: Mapping) -> list[tuple[str, str]]:
    numbers = [
        (strings.SENTENCES, f"{len(train):,}"),
        (strings.WORDS, f"{sum(map(len, train.sentences)):,}"),
        (kind_of_tags(train), f"{len(counted(train)):,}"),
        (strings.REPAIRED_TAGS, f"{found['repaired']:,}"),
        (strings.REPEATED_ROWS, f"{found['duplicates']:,}"),
    ]
    if valid is not None:
        numbers += [(strings.ROWS_MEASURED, f"{len(valid):,}"), (strings.SHARED_ROWS, f"{found['shared']:,}")]
    return numbers


def _tags(table: TokenTable) -> str:
    counts = counted(table)
    total = sum(counts.values())
    bars = [(strings.LABEL_COUNT.format(label=label, count=f"{count:,}"), count / total)
            for label, count in islice(counts.items(), TAGS_SHOWN)]  # fmt: skip
    return views.bars(bars, caption=f"{kind_of_tags(table)}: {table.name}")
