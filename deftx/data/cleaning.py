"""Cleaning a text before training: a table of choices, what each would do to this text, and doing it."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from html import unescape

import regex

from deftx.core.errors import CorpusError, unknown_name
from deftx.data.audit import LONG_CHARACTERS, SHORT_WORDS
from deftx.data.splitting import fold
from deftx.data.text import why_unused
from deftx.data.writing_systems import main_writing, word_count, writing_of

EXAMPLES = 3  # lines that are shown of what a choice would do

# What each line becomes: nothing where it is dropped, itself where it is kept, several where it is split.
Becomes = Iterable[tuple[str, ...]]

_ADDRESS = re.compile(r"(?:\bhttps?://|\bwww\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
# A tag begins with a letter directly after "<", so that "a < b" and "<3" stay.
_TAG = re.compile(r"<!--.*?-->|</?[a-z][\w-]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w*);", re.IGNORECASE)
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)*([^\[\]|]*)\]\]")  # its last part is what readers see
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_BOLD = re.compile(r"'{3,}")
# A sentence ends at its sign, quotes and brackets that close included: Unicode's Sentence_Terminal, the ellipsis and the
# Tibetan shad. A space must follow, but not after the signs of scripts that write none.
_SENTENCE_END = regex.compile(
    r"(?<=[\p{STerm}…།༎])[\"'\p{Pf}\p{Pe}]*\s+|(?<=(?![.!?…।॥؟۔።])[\p{STerm}།༎])(?![\p{STerm}།༎])"
)


@dataclass(frozen=True)
class Cleaning:
    """One choice: its name, what it does in plain words, why one would, and the function from lines to what they become."""

    name: str
    title: str
    why: str
    apply: Callable[[Sequence[str]], Becomes]


@dataclass(frozen=True)
class Effect:
    """What a choice does to the lines that the chosen ones before it have left.

    ``examples`` are (line, what it becomes), to be shown to the text's owner and stored nowhere.
    """

    cleaning: Cleaning
    chosen: bool
    lines: int  # that it is given
    left: int  # that there are after it: all of them where it is not chosen
    dropped: int
    changed: int  # lines that become another line or several
    examples: tuple[tuple[str, tuple[str, ...]], ...]


def preview(lines: Sequence[str], choices: Collection[str]) -> tuple[Effect, ...]:
    """Say for every choice, in the order in which they apply, what it does; one not chosen shows what it would do."""
    _check(choices)
    effects = []
    for cleaning in CLEANINGS.values():
        becomes = list(cleaning.apply(lines))
        effects.append(_effect(cleaning, cleaning.name in choices, lines, becomes))
        if cleaning.name in choices:
            lines = [new for result in becomes for new in result]
    return tuple(effects)


def clean(lines: Sequence[str], choices: Collection[str]) -> list[str]:
    """Apply the choices in the order of the table; CorpusError where one is unknown or no line is left."""
    _check(choices)
    for cleaning in CLEANINGS.values():
        if cleaning.name in choices:
            lines = [new for result in cleaning.apply(lines) for new in result]
    if not lines:
        raise CorpusError("Nothing would be left of this text. Take a choice back.")
    return list(lines)


def _check(choices: Collection[str]) -> None:
    for name in choices:
        if name not in CLEANINGS:
            raise unknown_name("The cleaning choice", name, CLEANINGS, CorpusError)


def _effect(cleaning: Cleaning, chosen: bool, lines: Sequence[str], becomes: list[tuple[str, ...]]) -> Effect:
    touched = [(old, new) for old, new in zip(lines, becomes, strict=True) if new != (old,)]
    dropped = sum(not new for _, new in touched)
    left = sum(map(len, becomes)) if chosen else len(lines)
    return Effect(cleaning, chosen, len(lines), left, dropped, len(touched) - dropped, tuple(touched[:EXAMPLES]))


def _without_markup(lines: Sequence[str]) -> Becomes:
    for line in lines:
        text = _ADDRESS.sub(" ", _TAG.sub(" ", _TEMPLATE.sub(" ", line)))
        text = _ENTITY.sub(lambda found: unescape(found[0]), _BOLD.sub("", _WIKI_LINK.sub(r"\1", text)))
        if text == line:
            yield (line,)
        else:
            text = " ".join(text.split())
            yield (text,) if why_unused(text) is None else ()


def _split_long(lines: Sequence[str]) -> Becomes:
    for line in lines:
        yield tuple(_sentences(line)) if len(line) > LONG_CHARACTERS else (line,)


def _sentences(line: str) -> list[str]:
    """Cut a line behind each sentence; a piece of fewer than three words, such as "Dr.", goes with the next one."""
    found: list[str] = []
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(line)), len(line)]:
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
        "Addresses, tags and codes such as &amp; are no language; the words around them stay.", _without_markup,
    ),
    Cleaning(
        "long", f"Split lines longer than {LONG_CHARACTERS:,} characters into sentences",
        "Whole documents on one line cannot be held out piece by piece.", _split_long,
    ),
    Cleaning(
        "script", "Remove lines in another script than most",
        "They are mostly a second language, such as quotations or menus of a web page.", _without_other_scripts,
    ),
    Cleaning(
        "short", f"Remove lines of fewer than {SHORT_WORDS} words",
        "Headings, names and list entries show little of how sentences are built.", _without_short,
    ),
    Cleaning(
        "repeated", "Remove repeated lines (case and white space aside)",
        "Every copy is trained on again: what is learned is the copies.", _without_repeats,
    ),
)  # fmt: skip
CLEANINGS = {cleaning.name: cleaning for cleaning in _TABLE}  # in the order in which they apply
