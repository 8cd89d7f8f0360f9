"""File and folder names made from user input, in any script."""

import re
import unicodedata

LONGEST_BYTES = 200  # in UTF-8; file systems allow 255, and suffixes are added
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII)


def plain_name(text: str, longest: int, signs: str = "") -> str:
    """Return a text reduced to at most ``longest`` letters, digits, hyphens and ``signs``, safe as a file name.

    Combining marks, such as vowel signs of Indian scripts, stay with their letters. The result may be empty.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(sign if sign in signs or _is_of_a_word(sign) else "-" for sign in text)
    name = re.sub("-{2,}", "-", kept).lstrip("-")
    name = name[_marks_at_the_start(name) :][:longest].encode()[:LONGEST_BYTES].decode(errors="ignore")
    return name.strip("-")


def is_plain(name: str) -> bool:
    """Return whether a name has only characters that ``plain_name`` keeps and starts with a letter or digit."""
    return name[:1].isalnum() and all(sign in "-_" or _is_of_a_word(sign) for sign in name)


def _is_of_a_word(sign: str) -> bool:
    return sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc")


def _marks_at_the_start(name: str) -> int:
    return next((place for place, sign in enumerate(name) if not unicodedata.category(sign).startswith("M")), len(name))


def base_name(name: str) -> str:
    """Return a base's name for publication: a Hub id as it is, only the last part of a local path."""
    return name if HUB_NAME.fullmatch(name) else re.split(r"[/\\]", name.rstrip("/\\"))[-1]
