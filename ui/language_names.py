"""Names of languages: the name of a code in the page's language, and the code of a name typed in any language."""

import re
from functools import lru_cache

import langcodes

from deftx.data import language_names
from deftx.data.language_names import MOST_KEPT
from ui import strings

# The word for "language", which people write before or after a name.
_WORDS = re.compile(
    r"\b(bahasa|basa|baso|bahso|bhasa|language|idioma|lengua|lenguaje|langue|el|la|the)\b", re.IGNORECASE
)


def name_of(code: str) -> str:
    """Return the name of a language in the page's language; the code itself if it is not a known code."""
    return language_names.language_name(code, strings.language())


def titled(code: str) -> str:
    """Return the name of a language with its code, such as "Balinese (ban)"; the code alone if it has no name."""
    return language_names.titled(code, strings.language())


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
