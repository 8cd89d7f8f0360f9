"""Word lists: words or phrases with their translations, to write text of one language with words of another."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import regex

from deftx.core.errors import TableError
from deftx.data.file_kinds import KINDS
from deftx.data.open_table import Records, find_column
from deftx.data.reading import find_file
from deftx.data.splitting import fold
from deftx.data.table_formats import open_records
from deftx.data.table_rows import Table, fingerprint_of
from deftx.data.text import Corpus
from deftx.data.text import fingerprint as fingerprint_of_lines

# Names of the two columns; the second pair is that of NusaX-Lexicon.
COLUMNS = (("word", "translation"), ("source", "target"))

_APOSTROPHES, _HYPHENS = "'’‘ʼʻ", "-‐‑"  # the kinds that texts have; entries have the first of each
_ONE_KIND = str.maketrans({**dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_HYPHENS, "-")})
# Letters with their marks, and digits; an apostrophe between two of them is part of the word, a hyphen is not.
_WORD = regex.compile(rf"[\p{{L}}\p{{M}}\p{{N}}]+(?:[{_APOSTROPHES}][\p{{L}}\p{{M}}\p{{N}}]+)*")
# A hyphen inside a word of several parts, such as a reduplicated one.
_JOINT = regex.compile(rf"(?<=[\p{{L}}\p{{M}}\p{{N}}{_APOSTROPHES}])[{_HYPHENS}](?=[\p{{L}}\p{{N}}])")
_BRACKETS = r"(?:\([^()]*\)|\[[^\[\]]*\])"
# A remark in brackets, before a space or at the end; "(me)lihat" has none.
_REMARK = regex.compile(rf"^\s*{_BRACKETS}\s+(?=\S)|(?<=\S)\s*{_BRACKETS}\s*$")


class Match(NamedTuple):
    """A place of a text that has translations: its first and last character, its number of words, and the translations."""

    start: int
    end: int
    words: int
    translations: tuple[str, ...]


class Covered(NamedTuple):
    """The number of words that a word list has translations for, and of all words."""

    covered: int
    words: int

    @property
    def share(self) -> float:
        """The share of words with a translation, from 0 to 1."""
        return self.covered / self.words if self.words else 0.0


@dataclass(frozen=True)
class Lexicon:
    """A word list: the translations of each word or phrase, in lower case; ``name`` is that of its file."""

    name: str
    entries: dict[str, tuple[str, ...]]

    @cached_property
    def longest(self) -> int:
        """The number of words of the longest entry."""
        return max(len(_WORD.findall(entry)) for entry in self.entries)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 over the entries."""
        return sha256(repr(sorted(self.entries.items())).encode()).hexdigest()

    def translate(self, text: str, share: float, generator: np.random.Generator) -> str:
        """Return a text in which a random share of the places with translations is replaced by one of these at random.

        Case is that of the text, and everything else, such as punctuation, stays.
        """
        pieces, last = [], 0
        for match in matches(self, text):
            if generator.random() < share:
                chosen = match.translations[int(generator.integers(len(match.translations)))]
                pieces += [text[last : match.start], _in_case_of(text[match.start : match.end], chosen)]
                last = match.end
        return "".join([*pieces, text[last:]])


def matches(lexicon: Lexicon, text: str) -> Iterator[Match]:
    """Yield the places of a text that have translations, from left to right, the longest entry first.

    A part of a word with hyphens is not a place: "oleh-oleh" is another word than "oleh".
    """
    spans = [found.span() for found in _WORD.finditer(text)]
    joints = {found.start() for found in _JOINT.finditer(text)}
    at = 0
    while at < len(spans):
        match = _longest_match(lexicon, text, spans[at : at + lexicon.longest], joints)
        if match is not None:
            yield match
        at += match.words if match is not None else 1


def _longest_match(lexicon: Lexicon, text: str, spans: Sequence[tuple[int, int]], joints: set[int]) -> Match | None:
    start = spans[0][0]
    for words in range(len(spans), 0, -1):
        end = spans[words - 1][1]
        for last in (end + 1, end) if text.startswith(tuple(_APOSTROPHES), end) else (end,):
            if not {start - 1, last} & joints and (translations := _translations(lexicon, text[start:last])):
                return Match(start, last, words, translations)
    return None


def _translations(lexicon: Lexicon, shown: str) -> tuple[str, ...]:
    """Return the translations of a word or phrase as a text shows it. A capital I is an i or, in Turkish, an ı."""
    return lexicon.entries.get(_key(shown)) or lexicon.entries.get(_key(shown.replace("I", "ı")), ())


def read_lexicon(path: str | os.PathLike, *, encoding: str | None = None) -> Lexicon:
    """Read a table with the columns ``word,translation`` (or ``source,target``), one translation a row.

    Args:
        path: A CSV, TSV, JSON lines or Parquet file, or a workbook.
        encoding: The encoding of a file that is not UTF-8.

    Raises:
        TableError: If the file cannot be read, or has no usable row.
    """
    file = find_file(path, TableError, encoding)
    if not file.is_table:
        raise TableError(f"{file.name} is {KINDS[file.kind]} without columns. Expected: a table with word,translation.")
    records = open_records(file, TableError)
    found: dict[str, dict[str, None]] = {}
    for _, (word, translation) in records.texts(_columns(records), TableError):
        if translation and (entry := _entry(word)):
            found.setdefault(_key(entry), {})[_REMARK.sub("", translation)] = None
    if not found:
        raise TableError(f"{file.name} has no usable row: every row needs a word and its translation.")
    return Lexicon(file.name, {word: tuple(translations) for word, translations in found.items()})


def coverage(lexicon: Lexicon, texts: Sequence[str | tuple[str, str]]) -> Covered:
    """Return how many words of the texts a word list has translations for; numbers are not counted."""
    covered = words = 0
    for text in _single(texts):
        words += _count(text)
        covered += sum(_count(text[match.start : match.end]) for match in matches(lexicon, text))
    return Covered(covered, words)


def translate_table(table: Table, lexicons: Sequence[Lexicon], share: float, seed: int) -> Table:
    """Return the table with words replaced by translations; each row takes one of the word lists at random."""
    texts: Any = list(_translated(table.texts, lexicons, share, seed))
    return replace(table, texts=texts, fingerprint=fingerprint_of(texts, table.labels))


def translate_corpus(corpus: Corpus, lexicons: Sequence[Lexicon], share: float, seed: int) -> Corpus:
    """Return the corpus with words replaced by translations; each line takes one of the word lists at random."""
    lines = [str(line) for line in _translated(corpus.lines, lexicons, share, seed)]
    return replace(corpus, lines=lines, fingerprint=fingerprint_of_lines(lines))


def _translated(
    texts: Sequence[str | tuple[str, str]], lexicons: Sequence[Lexicon], share: float, seed: int
) -> Iterator[str | tuple[str, ...]]:
    """Yield each text with words replaced. The random draws of a text depend on the seed and its place alone."""
    for place, text in enumerate(texts):
        generator = np.random.default_rng((seed, place))
        lexicon = lexicons[int(generator.integers(len(lexicons)))]
        if isinstance(text, str):
            yield lexicon.translate(text, share, generator)
        else:
            yield tuple(lexicon.translate(part, share, generator) for part in text)


def _entry(cell: str) -> str:
    """Return a cell without a remark in brackets, such as "(n.)", and without the punctuation around its words.

    An apostrophe at the end stays, unless it closes a quotation.
    """
    cell = _REMARK.sub("", cell)
    spans = [match.span() for match in _WORD.finditer(cell)]
    if not spans:
        return ""
    start, end = spans[0][0], spans[-1][1]
    ends_with_one = cell.startswith(tuple(_APOSTROPHES), end) and not cell[:start].endswith(tuple(_APOSTROPHES))
    return cell[start : end + ends_with_one]


def _key(text: str) -> str:
    """Return a word or phrase as entries are written: folded, with one kind of apostrophe and of hyphen."""
    # The lower case of the Turkish İ is an i with a dot above (U+0307).
    return fold(text).replace("i\u0307", "i").translate(_ONE_KIND)


def _columns(records: Records) -> list[str]:
    for names in COLUMNS:
        found = [column for name in names if (column := find_column(records, name, TableError)) is not None]
        if len(found) == len(names):
            return found
    raise TableError(
        f"{records.file.name} is not a word list: it needs the columns word and translation. "
        f"Found: {', '.join(records.columns)}. If its first line is an entry, add the line word,translation at the top."
    )


def _single(texts: Sequence[str | tuple[str, str]]) -> Iterator[str]:
    for text in texts:
        yield from (text,) if isinstance(text, str) else text


def _count(text: str) -> int:
    return sum(any(map(str.isalpha, word)) for word in _WORD.findall(text))


def _in_case_of(shown: str, translation: str) -> str:
    if len(shown) > 1 and shown.isupper():
        return translation.upper()
    return translation[0].upper() + translation[1:] if shown[0].isupper() else translation
