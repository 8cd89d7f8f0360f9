"""Names of languages, in any language: langcodes with the data of Unicode's CLDR."""

from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

MOST_KEPT = 1_000  # names of codes that are kept: looking one up takes a millisecond


@lru_cache(maxsize=MOST_KEPT)
def language_name(code: str, in_language: str = "en") -> str:
    """Return the name of a language in the language ``in_language``; the code itself if it is not a known code."""
    try:
        found = langcodes.Language.get(code)
    except LanguageTagError:
        return code
    name = found.display_name(in_language)
    return code if not found.is_valid() or name.startswith("Unknown language") else name


def titled(code: str, in_language: str = "en") -> str:
    """Return the name of a language with its code, such as "Balinese (ban)"; the code alone if it has no name."""
    name = language_name(code, in_language)
    return name if name == code else f"{name} ({code})"
