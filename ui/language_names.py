"""Names of languages: the name of a code in the page's language, and the code of a name typed in any language."""

import re
from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from ui import strings

# The word for "language", which people write before or after a name.
_WORDS = re.compile(
    r"\b(bahasa|basa|baso|bahso|bhasa|language|idioma|lengua|lenguaje|langue|el|la|the)\b", re.IGNORECASE
)
MOST_KEPT = 1_000  # names of codes that are kept: looking one up takes a millisecond


def name_of(code: str) -> str:
    """Return the name of a language in the page's language; the code itself if it is not a known code."""
    return _name_of(code, strings.language())


def titled(code: str) -> str:
    """Return the name of a language with its code, such as "Balinese (ban)"; the code alone if it has no name."""
    name = name_of(code)
    return name if name == code else f"{name} ({code})"


def code_of(typed: str) -> str:
    """Return the code of three letters for a code, or for a name in any language; empty if it is unknown."""
    wanted = _WORDS.sub("", typed).strip()
    return _code_of(wanted.casefold()) if wanted else ""


@lru_cache(maxsize=MOST_KEPT)
def _code_of(wanted: str) -> str:
    try:
        if 2 <= len(wanted) <= 3 and (found := langcodes.Language.get(wanted)).is_valid():
            return found.to_alpha3()
        return langcodes.find(wanted).to_alpha3()
    except LookupError:  # no such name, or a language without a code of three letters
        return ""


@lru_cache(maxsize=MOST_KEPT)
def _name_of(code: str, page_language: str) -> str:
    try:
        found = langcodes.Language.get(code)
    except LanguageTagError:
        return code
    named = found.display_name(page_language)
    return code if not found.is_valid() or named.startswith("Unknown language") else named
