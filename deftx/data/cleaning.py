"""Cleaning of a text before training: the available steps, a preview of each, and applying them."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import regex

from deftx.core.errors import CorpusError, unknown_name
from deftx.data.addresses import without_addresses
from deftx.data.audit import LONG_CHARACTERS, SHORT_WORDS
from deftx.data.characters import resolve_entities
from deftx.data.splitting import fold
from deftx.data.text import why_unused
from deftx.data.wiki_markup import has_blocks, without_wiki_markup
from deftx.data.writing_systems import main_writing, word_count, writing_of

EXAMPLES = 3  # example lines per step

# What each line becomes: no line if it is dropped, itself if it is kept, several lines if it is split.
Becomes = Iterable[tuple[str, ...]]

_COMMENT = re.compile(r"<!--.*?-->")
# A tag has a letter directly after "<", so that "a < b" and "<3" are kept.
_TAG = re.compile(r"</?[a-z][\w-]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
# A sentence ends at its punctuation mark (Unicode's Sentence_Terminal, the ellipsis and the Tibetan shad), closing quotes and
# brackets included. A space must follow, except after the marks of scripts without spaces.
_SENTENCE_END = regex.compile(
    r"(?<=[\p{STerm}…།༎])[\"'\p{Pf}\p{Pe}]*\s+|(?<=(?![.!?…।॥؟۔።])[\p{STerm}།༎])[\p{Pf}\p{Pe}]*+(?![\p{STerm}།༎，、])"
)


@dataclass(frozen=True)
class Cleaning:
    """A cleaning step: its name, title, reason, and the function from lines to what they become."""

    name: str
    title: str
    why: str
    apply: Callable[[Sequence[str]], Becomes]


@dataclass(frozen=True)
class Effect:
    """The effect of a cleaning step on the lines that the chosen steps before it leave.

    ``examples`` are (line, what it becomes). They are shown to the text's owner and never stored.
    """

    cleaning: Cleaning
    chosen: bool
    lines: int  # lines before the step
    left: int  # lines after the step; the same number if it is not chosen
    dropped: int
    changed: int  # lines that become another line or several
    examples: tuple[tuple[str, tuple[str, ...]], ...]


def preview(lines: Sequence[str], choices: Collection[str]) -> tuple[Effect, ...]:
    """Return the effect of every step, in the order in which they apply; for steps not chosen, what they would do."""
    _check(choices)
    effects = []
    for cleaning in CLEANINGS.values():
        becomes = list(cleaning.apply(lines))
        effects.append(_effect(cleaning, cleaning.name in choices, lines, becomes))
        if cleaning.name in choices:
            lines = [new for result in becomes for new in result]
    return tuple(effects)


def clean(lines: Sequence[str], choices: Collection[str]) -> list[str]:
    """Apply the chosen steps in the order of the table; no line may be left. Raise CorpusError if a step is unknown."""
    _check(choices)
    for cleaning in CLEANINGS.values():
        if cleaning.name in choices:
            lines = [new for result in cleaning.apply(lines) for new in result]
    return list(lines)


def _check(choices: Collection[str]) -> None:
    for name in choices:
        if name not in CLEANINGS:
            raise unknown_name("The cleaning step", name, CLEANINGS, CorpusError)


def _effect(cleaning: Cleaning, chosen: bool, lines: Sequence[str], becomes: list[tuple[str, ...]]) -> Effect:
    touched = [(old, new) for old, new in zip(lines, becomes, strict=True) if new != (old,)]
    dropped = sum(not new for _, new in touched)
    left = sum(map(len, becomes)) if chosen else len(lines)
    return Effect(cleaning, chosen, len(lines), left, dropped, len(touched) - dropped, tuple(touched[:EXAMPLES]))


def _without_markup(lines: Sequence[str]) -> Becomes:
    blocks = has_blocks(lines)
    for line in lines:
        text = without_wiki_markup(resolve_entities(line), blocks)
        # Behind the last end of a comment, no beginning has one: it would be looked for from each of them to the end.
        *commented, rest = text.rpartition("-->")
        text = without_addresses(_TAG.sub(" ", _COMMENT.sub(" ", "".join(commented)) + rest))
        if text == line:
            yield (line,)
        else:
            text = " ".join(text.split())
            yield (text,) if why_unused(text) is None else ()


def _split_long(lines: Sequence[str]) -> Becomes:
    for line in lines:
        yield tuple(_sentences(line)) if len(line) > LONG_CHARACTERS else (line,)


def _sentences(line: str) -> list[str]:
    """Split a line into sentences; a piece of fewer than three words, such as "Dr.", is joined with the next one."""
    found: list[str] = []
    start = 0
    for mark in [*(match.end() for match in _SENTENCE_END.finditer(line)), len(line)]:
        # A straight quote closes a quotation that was begun in the sentence.
        closes = line.startswith('"', mark) and not line[mark - 1].isspace() and line.count('"', start, mark) % 2
        end = mark + 1 if closes else mark
        piece = line[start:end].strip()
        if end < len(line) and line[end - 1].isspace() and word_count(piece) < SHORT_WORDS:
            continue
        if piece:
            found.append(piece)
        start = end
    return found


def _without_other_scripts(lines: Sequence[str]) -> Becomes:
    main = main_writing(lines)
    for line in lines:
        yield (line,) if writing_of(line) in (main, None) else ()


def _without_short(lines: Sequence[str]) -> Becomes:
    for line in lines:
        yield (line,) if word_count(line) >= SHORT_WORDS else ()


def _without_repeats(lines: Sequence[str]) -> Becomes:
    seen: set[str] = set()
    for line in lines:
        key = fold(line)
        yield () if key in seen else (line,)
        seen.add(key)


_TABLE = (
    Cleaning(
        "markup", "Remove web addresses and markup",
        "Addresses, tags and codes such as &amp; are not language; the words around them are kept.", _without_markup,
    ),
    Cleaning(
        "long", f"Split lines longer than {LONG_CHARACTERS:,} characters into sentences",
        "A whole document on one line cannot be held out in parts.", _split_long,
    ),
    Cleaning(
        "script", "Remove lines in another script than most",
        "Such lines are mostly in a second language, for example quotations or menus of a web page.", _without_other_scripts,
    ),
    Cleaning(
        "short", f"Remove lines of fewer than {SHORT_WORDS} words",
        "Headings, names and list entries show little of how sentences are formed.", _without_short,
    ),
    Cleaning(
        "repeated", "Remove repeated lines (ignoring case and white space)",
        "The model memorises lines that it sees many times.", _without_repeats,
    ),
)  # fmt: skip
CLEANINGS = {cleaning.name: cleaning for cleaning in _TABLE}  # in the order in which they apply
