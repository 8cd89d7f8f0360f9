"""Names of files and folders made of what people write, in any script."""

import re
import unicodedata

LONGEST_BYTES = 200  # in UTF-8; a disk takes 255, and notes and numbers are added
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII)


def plain_name(text: str, longest: int, signs: str = "") -> str:
    """Turn a text into at most ``longest`` letters, digits, hyphens and ``signs``: it names one thing and leads nowhere.

    Vowel signs and other marks stay with the letters they stand on: in most scripts of India no word is whole without.
    Empty where nothing is left.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(sign if sign in signs or _is_of_a_word(sign) else "-" for sign in text)
    name = re.sub("-{2,}", "-", kept).lstrip("-")
    name = name[_marks_at_the_start(name) :][:longest].encode()[:LONGEST_BYTES].decode(errors="ignore")
    return name.strip("-")


def is_plain(name: str) -> bool:
    """Say whether a name is made of what ``plain_name`` keeps, and begins with a letter or digit."""
    return name[:1].isalnum() and all(sign in "-_" or _is_of_a_word(sign) for sign in name)


def _is_of_a_word(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc")


def _marks_at_the_start(name: str) -> int:
    return next((place for place, sign in enumerate(name) if not unicodedata.category(sign).startswith("M")), len(name))


def base_name(name: str) -> str:
    """Return the base's name as it may be published: of a folder on somebody's disk, its last part alone."""
    return name if HUB_NAME.fullmatch(name) else re.split(r"[/\\]", name.rstrip("/\\"))[-1]
