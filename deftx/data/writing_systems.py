"""Unicode scripts of letters, lines and whole texts."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

# First words of Unicode character names that are not a script's name, and the script; None for no script.
_SCRIPT_NAMES = {"CJK": "Han", "MODIFIER": None, "MASCULINE": None, "FEMININE": None, "MICRO": None}
_ONE_WRITING = frozenset({"Han", "Hiragana", "Katakana", "Hangul"})  # scripts that are written mixed
MIXED = "Han and its companions"
WITHOUT_SPACES = frozenset(
    {MIXED, "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"}
)  # scripts without spaces between words


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
    merged: Counter[str] = Counter()
    for script, share in scripts.items():
        merged[MIXED if script in _ONE_WRITING else script] += share
    return dict(merged.most_common())


def main_writing(lines: Iterable[str]) -> str | None:
    """Return the writing system of most letters; None if there are no letters."""
    return next(iter(writing_shares(script_shares(lines))), None)


def writing_of(line: str) -> str | None:
    """Return the writing system of one line, with a fast path for ASCII."""
    if line.isascii():
        return "Latin" if any(map(str.isalpha, line)) else None
    return main_writing([line])


@cache
def _script(character: str) -> str | None:
    if not character.isalpha():
        return None
    first, *rest = unicodedata.name(character, "").split() or [""]
    if first in ("FULLWIDTH", "HALFWIDTH") and rest:
        first = rest[0]
    return _SCRIPT_NAMES.get(first, first.capitalize())
