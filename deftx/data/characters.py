"""The characters of a text as a reader sees them: composed, without invisible ones, and with HTML entities resolved.

Text passes through ``as_seen`` where it is read. ``deftx.models.batches`` gives a tokenizer the same steps, so that an
exported classifier, which has none of this code, reads a text in the same way.
"""

import html
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

import regex

# Soft hyphen, word joiner, byte order mark, grapheme joiner, and marks of the writing direction.
_NEVER_SEEN = "\u00ad\u2060\ufeff\u034f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
# Scripts without spaces between words: a zero-width space (U+200B) marks the end of a word in them.
_SPACELESS = (
    r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Tham}\p{Javanese}\p{Balinese}\p{Tibetan}\p{Cham}\p{Batak}\p{Makasar}"
    r"\p{Buginese}\p{Tai_Le}\p{Tai_Viet}\p{New_Tai_Lue}\p{Rejang}\p{Sundanese}"
)
# Scripts in which the joiners U+200C and U+200D change no letter. They do in Arabic and Indic scripts, and in emoji.
_UNJOINED = (
    r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Ethiopic}"
)
# NFC joins these marks with the letter before them.
_ACCENTS = "\u0300-\u034e\u0350-\u036f\u3099\u309a"
_RUN = f"[\u200b\u200c\u200d{_NEVER_SEEN}]+"
# Runs come first: behind a letter that needs no joiner, a joiner is not needed behind another invisible character either.
# Written with the characters themselves, for Python's and the tokenizers' regular expressions escape them differently.
INVISIBLE = (
    f"(?<=[{_UNJOINED}{_ACCENTS}\\s]){_RUN}|\\A{_RUN}"
    f"|[{_NEVER_SEEN}]|(?<![{_SPACELESS}])\u200b|\u200b(?![{_SPACELESS}])"
)
# Entities that a tokenizer resolves too; ``as_seen`` resolves all. "&amp;" is the last: "&amp;lt;" is read as "&lt;".
COMMON_ENTITIES = {
    "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#34;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " ", "&#160;": " ",
    "&zwnj;": "\u200c", "&zwj;": "\u200d", "&#8203;": "\u200b", "&shy;": "\u00ad",
    "&amp;": "&",
}  # fmt: skip
TIMES_ESCAPED = 3  # text of web pages is often escaped twice

ENTITIES, HIDDEN, DECOMPOSED = "HTML entities", "invisible characters", "decomposed letters"  # what ``as_seen`` changes

_ENTITY = regex.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_INVISIBLE = regex.compile(INVISIBLE)


def as_seen(text: str, changes: Counter[str] | None = None) -> str:
    """Return a text in NFC, without invisible characters, and with its HTML entities resolved.

    ``changes`` counts the texts that each of these steps changed.
    """
    if text.isascii() and "&" not in text:
        return text
    for name, step in _STEPS.items():
        changed = step(text)
        if changes is not None and changed != text:
            changes[name] += 1
        text = changed
    return text


def as_text_only(text: str, special_tokens: Iterable[str]) -> str:
    """Return a text with a space in each "<s>" or "<mask>", so that a tokenizer does not read it as a special token."""
    for token in special_tokens:
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def describe(changes: Mapping[str, int], unit: str = "line") -> str:
    """Return one sentence on what ``as_seen`` changed and in how many lines, or "" if it changed nothing."""
    parts = [f"{name} in {count:,} {unit}{'s' if count > 1 else ''}" for name, count in changes.items() if count]
    return f"Normalised while reading: {', '.join(parts)}." if parts else ""


def resolve_entities(text: str) -> str:
    """Return a text with its HTML entities resolved, also where they were escaped several times."""
    for _ in range(TIMES_ESCAPED):
        resolved = (
            _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text) if "&" in text else text
        )
        if resolved == text:
            break
        text = resolved
    return text


def _without_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_STEPS = {ENTITIES: resolve_entities, HIDDEN: _without_invisible, DECOMPOSED: _compose}
