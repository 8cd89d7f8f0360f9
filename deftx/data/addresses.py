"""Web and e-mail addresses in a text. In scripts without spaces, an address ends where the next word begins."""

import regex

from deftx.data.writing_systems import GLUED

# A part of a host name is in one script; one in a script without spaces needs a sign of the address behind it.
_LABEL = rf"(?:[\p{{Latin}}\p{{Nd}}_-]+|[^\W\d_\p{{Latin}}{GLUED}][^\W\p{{Latin}}{GLUED}]*|[{GLUED}]+(?=[./:?#]))"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
# A path is in any script with spaces; punctuation beyond ASCII is that of the sentence.
_PATH = rf"(?::\d+)?(?:[/?#](?:[^\s\p{{P}}\p{{S}}{GLUED}]|[-!#$%&'()*+,./:;=?@\[\]_|~^])*)?"
_ADDRESS = regex.compile(
    rf"(?<![\p{{Latin}}\p{{Nd}}])(?:(?:https?|ftp)://{_HOST}{_PATH}|www\.{_HOST}{_PATH})"
    rf"|(?<![\p{{Latin}}\p{{Nd}}.+_%-])[\p{{Latin}}\p{{Nd}}.+_%-]++@{_LABEL}(?:\.{_LABEL})+"
    rf"|(?<![^\W\p{{Latin}}{GLUED}])[^\W\p{{Latin}}{GLUED}]++@{_LABEL}(?:\.{_LABEL})+",
    regex.IGNORECASE,
)
_CLOSING = {")": "(", "]": "["}
_LEFT_OUT = "\0"  # stands for an address that was removed
_BRACKETED = regex.compile(r"\(\s*\0\s*\)|\[\s*\0\s*\]|<\s*\0\s*>|«\s*\0\s*»|“\0”|\"\0\"")
_BEFORE_MARK = regex.compile(r"\s*\0(?=[.,;:!?]|(?![\x00-\x7f])\p{Po})")


def address_spans(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each address, without the punctuation of the sentence behind it."""
    return [(match.start(), match.start() + len(_trimmed(match[0]))) for match in _ADDRESS.finditer(text)]


def without_addresses(text: str) -> str:
    """Return a text in which each address, with brackets around it alone, is replaced by a space."""
    if not (spans := address_spans(text)):
        return text
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    marked = _LEFT_OUT.join(text[end:start] for end, start in zip(ends, starts, strict=True))
    return _BEFORE_MARK.sub("", _BRACKETED.sub(_LEFT_OUT, marked)).replace(_LEFT_OUT, " ")


def _trimmed(address: str) -> str:
    """Return an address without the punctuation at its end, and without a bracket that is closed but not opened in it."""
    while address[-1] in ".,;:!?'*_~|" or address.count(address[-1]) > address.count(
        _CLOSING.get(address[-1], address[-1])
    ):
        address = address[:-1]
    return address
