"""Writing systems: the Unicode script of a letter, a line and a whole text, and the number of words of a line."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache

import regex
from fontTools import unicodedata

_ONE_WRITING = frozenset({"Han", "Hiragana", "Katakana", "Hangul"})  # scripts that are written mixed
MIXED = "Han and its companions"
_NO_SCRIPT = frozenset({"Zyyy", "Zinh", "Zzzz"})  # Unicode's Common, Inherited and Unknown

LETTERS_A_WORD = 2  # about, in scripts without spaces: two signs of Han, and more of any alphabet
# Letters between which lines break without spaces, by Unicode's line breaking classes: Han and kana (ID), the scripts of
# South East Asia (SA), and Balinese, Javanese and their relatives (AK, AS).
_SPACELESS = regex.compile(r"[\p{lb=ID}\p{lb=SA}\p{lb=AK}\p{lb=AS}]")
# Tibetan and Ethiopic put a sign between syllables or words, where other scripts have a space.
_BETWEEN_WORDS = regex.compile(r"[\s\u0f0b\u0f0c\u1361]+")
_RARE = regex.compile(r"[\p{lb=ID}\p{lb=SA}\p{lb=AK}\p{lb=AS}\u0f0b\u0f0c\u1361]")


def script_shares(lines: Iterable[str]) -> dict[str, float]:
    """Give the share of each Unicode script among all letters, the largest first."""
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
    """Merge the shares of scripts that are written mixed in one language, such as Han with Hiragana."""
    merged: defaultdict[str, float] = defaultdict(float)
    for script, share in scripts.items():
        merged[MIXED if script in _ONE_WRITING else script] += share
    return dict(sorted(merged.items(), key=lambda item: item[1], reverse=True))


def main_writing(lines: Iterable[str]) -> str | None:
    """Give the writing that most letters belong to; None where there is no letter."""
    return next(iter(writing_shares(script_shares(lines))), None)


def writing_of(line: str) -> str | None:
    """Give the writing of one line, quickly where it is the commonest."""
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


@cache
def _script(character: str) -> str | None:
    code = unicodedata.script(character) if character.isalpha() else "Zzzz"
    return None if code in _NO_SCRIPT else unicodedata.script_name(code)
