"""Unicode scripts of letters, lines and whole texts, and the number of words of a line."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache

import regex
from fontTools import unicodedata

_ONE_WRITING = frozenset({"Han", "Hiragana", "Katakana", "Hangul"})  # scripts that are written mixed
MIXED = "Han and its companions"
_NO_SCRIPT = frozenset({"Zyyy", "Zinh", "Zzzz"})  # Unicode's Common, Inherited and Unknown

LETTERS_A_WORD = 2  # rough number in scripts without spaces: about 2 for Han, more for alphabets
# Classes of letters between which lines break without spaces, by Unicode's line breaking classes: Han and kana (ID), the scripts of
# South East Asia (SA), and Balinese, Javanese and their relatives (AK, AS).
SPACELESS = r"\p{lb=ID}\p{lb=SA}\p{lb=AK}\p{lb=AS}"
# Letters that may touch the next word: these, small kana, Tibetan, and Hangul, which has spaces, but not before particles.
GLUED = rf"{SPACELESS}\p{{lb=CJ}}\p{{lb=H2}}\p{{lb=H3}}\p{{Tibetan}}"
# Tibetan and Ethiopic separate syllables or words by a mark instead of a space.
_MARKS = "\u0f0b\u0f0c\u1361"
_SPACES = r"\s\x1c-\x1f"  # what str.split divides at; the package's \s lacks the four separators of ASCII
_SPACELESS = regex.compile(f"[{SPACELESS}]")
_BETWEEN_WORDS = regex.compile(f"[{_SPACES}{_MARKS}]+")
_RARE = regex.compile(f"[{SPACELESS}{_MARKS}]")
# A piece of a text: a letter of a script without spaces, with its signs and the punctuation behind it, or a word of another
# script, with the mark behind it.
_LETTER = rf"(?=[{SPACELESS}])[\p{{L}}\p{{M}}\p{{N}}]"  # without emoji, between which lines break too
_PIECE = regex.compile(rf"(?={_LETTER})\X\p{{P}}*|(?:(?![{_SPACES}{_MARKS}]|{_LETTER})\X)+[{_MARKS}]*|[{_MARKS}]+")
_WORD = regex.compile(f"[^{_SPACES}]+")


def script_shares(lines: Iterable[str]) -> dict[str, float]:
    """Return the share of each Unicode script among all letters, the largest first."""
    characters: Counter[str] = Counter()
    for line in lines:
        characters.update(line)
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        script = _script(character)
        if script:
            scripts[script] += count
    return {script: count / scripts.total() for script, count in scripts.most_common()}


def writing_shares(scripts: dict[str, float]) -> dict[str, float]:
    """Merge the shares of scripts that one language mixes, such as Han and Hiragana."""
    merged: defaultdict[str, float] = defaultdict(float)
    for script, share in scripts.items():
        merged[MIXED if script in _ONE_WRITING else script] += share
    return dict(sorted(merged.items(), key=lambda item: item[1], reverse=True))


def main_writing(lines: Iterable[str]) -> str | None:
    """Return the writing system of most letters; None if there are no letters."""
    return next(iter(writing_shares(script_shares(lines))), None)


def writing_of(line: str) -> str | None:
    """Return the writing system of one line, with a fast path for ASCII."""
    if line.isascii():
        return "Latin" if any(map(str.isalpha, line)) else None
    return main_writing([line])


def word_count(line: str) -> int:
    """Count the words of a line; in scripts without spaces, ``LETTERS_A_WORD`` letters are counted as one."""
    if line.isascii() or not _RARE.search(line):
        return len(line.split())
    words = 0
    for part in filter(None, _BETWEEN_WORDS.split(line)):
        letters = len(_SPACELESS.findall(part))
        words += max(1, letters // LETTERS_A_WORD)
    return words


def piece_spans(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each word; in scripts without spaces, of each letter with its signs.

    Together, the spans cover the text without its white space.
    """
    pattern = _PIECE if not text.isascii() and _RARE.search(text) else _WORD
    return [found.span() for found in pattern.finditer(text)]


@cache
def _script(character: str) -> str | None:
    code = unicodedata.script(character) if character.isalpha() else "Zzzz"
    return None if code in _NO_SCRIPT else unicodedata.script_name(code)
