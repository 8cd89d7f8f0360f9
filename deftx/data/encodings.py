"""Encodings of text other than UTF-8: from a byte order mark or the user, or guessed for the user to confirm."""

import codecs
import encodings
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from encodings import normalize_encoding
from encodings.aliases import aliases
from pkgutil import iter_modules

from deftx.core.errors import DeftxError
from deftx.data.file_kinds import PLAIN, START
from deftx.data.optional import optional_module
from deftx.data.unpacking import InputFile, chunks

UTF8 = "utf-8"
MARKS = (  # the longer first: the mark of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# The encodings to guess and to offer: Python's name and a common name.
COMMON = {
    "cp1252": "Western European (Windows-1252)",
    "latin_1": "Western European (Latin-1)",
    "iso8859_15": "Western European (Latin-9)",
    "cp850": "Western European (DOS 850)",
    "mac_roman": "Western European (Mac)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859_2": "Central European (Latin-2)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp866": "Cyrillic (DOS 866)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "gb18030": "Chinese (GB 18030)",
    "big5hkscs": "Chinese (Big5)",
    "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "cp949": "Korean (Windows-949)",
    "utf_16_le": "UTF-16, little-endian",
    "utf_16_be": "UTF-16, big-endian",
}
WIDE = ("utf_16_le", "utf_16_be")
WESTERN, WESTERN_NEIGHBOURS = "cp1252", ("cp1250", "cp1257", "iso8859_2")
OTHER_ALPHABETS = ("cp1251", "koi8_r", "cp866", "cp1253", "cp1255", "cp1256", "cp874")
_LONG_CHARACTERS = ("gb", "big5", "cp932", "cp949", "cp950", "shift_jis", "euc_", "johab")
SAMPLE = 2**15  # bytes from which an encoding is guessed
SHOWN, LINE_SHOWN = 5, 120  # number of lines to show for each guess, and characters of each line

_CONTROLS = frozenset(map(chr, (*range(9), 11, *range(14, 32), *range(127, 160)))) - {
    "\x1a"
}  # the end of a file in DOS

# Python codecs that are not encodings of text files.
_NO_TEXT = frozenset({
    "aliases", "base64_codec", "bz2_codec", "charmap", "hex_codec", "idna", "mbcs", "oem", "punycode", "quopri_codec",
    "raw_unicode_escape", "rot_13", "undefined", "unicode_escape", "uu_codec", "zlib_codec",
})  # fmt: skip
_KNOWN = frozenset(module.name for module in iter_modules(encodings.__path__)) - _NO_TEXT

# How browsers read the encodings that pages declare: as larger ones, which is what most of these pages are in.
_AS_BROWSERS = {
    "latin_1": "cp1252", "ascii": "cp1252", "iso8859_9": "cp1254", "tis_620": "cp874", "iso8859_11": "cp874",
    "windows_874": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
    "big5": "big5hkscs",
}  # fmt: skip
_DECLARED = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}(?:charset|encoding)\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """A possible encoding of a text: Python's name, a common name, and the first lines decoded with it."""

    encoding: str
    title: str
    lines: tuple[str, ...]


def check_encoding(name: str, error: type[DeftxError]) -> str:
    """Return Python's name of a text encoding. Raise ``error`` if there is none with this name."""
    plain = normalize_encoding(name.strip().lower())
    known = aliases.get(plain, plain)
    if known not in _KNOWN:
        raise error(f"{name[:40]!r} is not a text encoding. Examples: cp1252, utf-16, gb18030.")
    return known


def encoding_of(file: InputFile, error: type[DeftxError]) -> str:
    """Return the encoding of a text file: that of its byte order mark; else UTF-8 if the text is; else the given one."""
    if file.kind not in PLAIN:
        return UTF8
    start = next(chunks(file, error), b"")
    marked = next((name for mark, name in MARKS if start.startswith(mark)), None)
    given = file.encoding or (_declared(start[:START]) if file.kind == ".html" else None)
    if marked is not None or given is None:
        return marked or UTF8
    if _is_utf8(file, error, ascii_too=given.startswith(("utf_16", "utf_32"))):
        if file.encoding is not None and check_encoding(file.encoding, error) != "utf_8":
            file.note(f"{file.name} is UTF-8 and is read as UTF-8.")
        return UTF8
    return given


def _declared(start: bytes) -> str | None:
    """Return the encoding that a web page declares; None if it declares none or an unknown one."""
    match = _DECLARED.search(start)
    plain = normalize_encoding(match[1].decode().lower()) if match else ""
    known = aliases.get(plain, plain)
    known = _AS_BROWSERS.get(known, known)
    return known if known in _KNOWN else None


def as_utf8(content: Iterable[bytes], encoding: str, name: str, error: type[DeftxError]) -> Iterator[bytes]:
    """Convert text to UTF-8 in chunks. Raise ``error`` if it is not in ``encoding``."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in content:
            if text := decoder.decode(chunk):
                yield text.encode(UTF8)
        if text := decoder.decode(b"", final=True):  # raises for a character that is cut off
            yield text.encode(UTF8)
    except UnicodeError:
        raise error(f"{name} is not text in the encoding {encoding}. Choose another, or save it as UTF-8.") from None


def guess_encodings(file: InputFile, error: type[DeftxError]) -> tuple[Guess, ...]:
    """Guess the encodings of a text file, the likeliest first; none if it is UTF-8 or damaged UTF-8."""
    if file.kind not in PLAIN or encoding_of(file, error) != UTF8:
        return ()
    sample = _sample(file, error)
    if not _is_foreign(sample):
        return ()
    normalizer = optional_module("charset_normalizer", "The encoding of a text that is not UTF-8", error)
    candidates = [name for name in COMMON if name not in WIDE or b"\0" in sample]
    matches = normalizer.from_bytes(sample, cp_isolation=candidates, enable_fallback=False)
    names = _western_first([match.encoding for match in matches], sample)
    texts = ((name, _text_in(sample, name)) for name in dict.fromkeys([*names, *candidates]))
    return tuple(Guess(name, COMMON[name], _first_lines(text)) for name, text in texts if text is not None)


def likelier(file: InputFile, error: type[DeftxError]) -> Guess | None:
    """Return the likeliest encoding of a text if it reads otherwise in the given one; None if that is not doubtful.

    Where characters have several bytes, hardly any other text is valid.
    """
    guesses = guess_encodings(replace(file, encoding=None), error)
    if not guesses or file.encoding is None:
        return None
    text = _text_in(_sample(file, error), file.encoding)
    right = text is not None and (has_long_characters(file.encoding) or _first_lines(text) == guesses[0].lines)
    return None if right else guesses[0]


def has_long_characters(encoding: str) -> bool:
    """Return whether an encoding, given by Python's name, is one of Chinese, Japanese or Korean."""
    return encoding.startswith(_LONG_CHARACTERS)


def _western_first(names: list[str], sample: bytes) -> list[str]:
    """Put Windows-1252 first if it is as likely, since most non-UTF-8 files in Latin letters use it.

    It precedes the similar Slavic and Baltic encodings, and those of other alphabets if most letters are ASCII.
    """
    text = _text_in(sample, WESTERN)
    if text is None:
        return names
    first = names[0] if names else WESTERN
    others = sum(not sign.isascii() for sign in text)
    latin = first in OTHER_ALPHABETS and 2 * others < sum(sign.isalpha() for sign in text)
    near = first in WESTERN_NEIGHBOURS and WESTERN in names
    return [WESTERN, *names] if near or latin or text == _text_in(sample, first) else names


def _sample(file: InputFile, error: type[DeftxError]) -> bytes:
    """Return bytes to guess from: the lines that are not ASCII, or the start if characters have several bytes."""
    found, rest = b"", b""
    for chunk in chunks(file, error):
        if not found and b"\0" in chunk:
            return chunk[:SAMPLE]
        *lines, rest = (rest + chunk).splitlines(keepends=True)
        found += b"".join(line for line in lines if not line.isascii())
        if len(found) >= SAMPLE or len(rest) > SAMPLE:
            break
    found += b"" if rest.isascii() else rest
    return found[:SAMPLE]


def _is_foreign(sample: bytes) -> bool:
    """Return whether bytes are text in another encoding, not UTF-8 with some damaged bytes."""
    zeros = sample.count(0)
    # In UTF-16, every second byte is small or damage to UTF-8; a few zeros in UTF-8 are damage themselves.
    if zeros > max(1, len(sample) // 20) or (zeros and 3 * sum(byte < 32 for byte in sample) > len(sample)):
        return True
    text = sample.replace(b"\0", b"").decode(UTF8, "surrogateescape")
    damaged = sum("\udc80" <= sign <= "\udcff" for sign in text)
    # A sample may end within a character.
    few = 3 if zeros or len(sample) == SAMPLE else 0
    return damaged > few and 2 * damaged > sum(not sign.isascii() for sign in text)


def _text_in(sample: bytes, encoding: str) -> str | None:
    """Decode a sample, which may end within a character; None if it is not text in this encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeError:
        return None
    return None if any(sign in _CONTROLS for sign in text) else text


def _first_lines(text: str) -> tuple[str, ...]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(line[:LINE_SHOWN] for line in lines[:SHOWN])


def _is_utf8(file: InputFile, error: type[DeftxError], ascii_too: bool) -> bool:
    """Return whether a whole file is UTF-8 without NUL. Without ``ascii_too``, a character outside ASCII is needed.

    Of the encodings that can be given, UTF-16 and UTF-32 read ASCII as other characters, and write letters with NUL.
    """
    decoder, more = codecs.getincrementaldecoder(UTF8)(), ascii_too
    try:
        for chunk in chunks(file, error):
            text = decoder.decode(chunk)
            more = more or not text.isascii()
            if "\0" in text:
                return False
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return more
