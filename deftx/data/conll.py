"""CoNLL columns and CoNLL-U: a word in each line, an empty line between sentences."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.csv_shape import COLUMN_NAMES
from deftx.data.open_table import Records
from deftx.data.reading import numbered_lines
from deftx.data.unpacking import InputFile

TEXT, TOKENS, TAGS = "text", "tokens", "tags"
COLUMNS = (TEXT, TOKENS, TAGS)
UNIVERSAL = 10  # columns of CoNLL-U
LINES_AHEAD = 200
_FORM, _UPOS, _MISC = 1, 3, 9  # columns of CoNLL-U, from 0
NO_SPACE = "SpaceAfter=No"  # in the last column: no space behind the word
_WORD_ID, _OTHER_ID = re.compile(r"[0-9]+"), re.compile(r"[0-9]+[-.][0-9]+")  # a word; a range, or an empty node
_WHOLE_ID = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")  # a word or a range
_TEXT = re.compile(r"#\s*text\s*=\s*(.*?)\s*$")
_COMMENT = re.compile(r"# (?:\S+ = |new(?:doc|par)\b)")  # also where it has as many cells as a word has columns
_BEGINS_DOCUMENT = "-DOCSTART-"
_ENTITY = re.compile(r"O|[BILUESM]-\S+")  # a tag of BIO, BIOES, BMES or BILOU

Line = tuple[int, str]


def open_conll(file: InputFile, error: type[DeftxError], *, tagged: bool = True) -> Records:
    """Open a file in CoNLL columns as a table of sentences, with the columns ``text``, ``tokens`` and ``tags``.

    In CoNLL-U, the words are those with a number of their own, and the tags are universal parts of speech. In other
    files, the word is the first column and the tag the last one, as in CoNLL-2003; unless they must be ``tagged``, a line may
    have the word alone. A line that begins with "#" is a comment if it has another number of columns than most lines.
    """
    lines = numbered_lines(file, error)
    ahead = list(islice(lines, LINES_AHEAD))
    universal = file.kind == ".conllu" or _is_universal(ahead)
    read = _universal if universal else partial(_plain, columns=_columns(ahead), tagged=tagged)

    def select(wanted: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        for number, sentence in _sentences(chain(ahead, lines)):
            words = [word for line in sentence for word in read(line, file, error)]
            if words:
                tokens, tags = map(list, zip(*words, strict=True))
                text = _text_of(sentence) if universal and TEXT in wanted else " ".join(tokens)
                row = {TEXT: text, TOKENS: tokens, TAGS: tags}
                yield number, [row[name] for name in wanted]

    return Records(file, COLUMNS, (TEXT,), select)


def looks_like_conll(file: InputFile, error: type[DeftxError]) -> bool:
    """Return whether a text has an empty line between sentences, and in each other line a word and as many columns as in the first.

    The first line may not be a header. The empty line is not needed if the last column has tags of entities.
    """
    ahead = [line for _, line in islice(numbered_lines(file, error), LINES_AHEAD)]
    rows = [line.split() for line in ahead if line.strip() and not line.startswith("#")]
    if not rows or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    tags = [row[-1] for row in rows]
    if all(map(_ENTITY.fullmatch, tags)) and any("-" in tag for tag in tags):
        return True
    between = "\n\n" in "\n".join(line.strip() for line in ahead if not line.startswith("#")).strip()
    return between and not _is_header(rows[0], tags)


def _is_header(row: Sequence[str], tags: Sequence[str]) -> bool:
    """Return whether the first row names columns; a tag in capital letters, such as DATE, may have the name of one."""
    named = row[-1].casefold() in COLUMN_NAMES and row[-1] not in tags[1:]
    return named and (not row[-1].isupper() or row[0].casefold() in COLUMN_NAMES)


def _is_universal(lines: Sequence[Line]) -> bool:
    rows = [line.rstrip("\r\n").split("\t") for _, line in lines if line.strip() and not line.startswith("#")]
    return bool(rows) and all(len(row) == UNIVERSAL and row[0][:1].isdigit() for row in rows)


def _sentences(lines: Iterator[Line]) -> Iterator[tuple[int, list[Line]]]:
    """Yield the lines of each sentence with the number of the first one."""
    sentence: list[Line] = []
    for number, line in lines:
        if line.strip():
            sentence.append((number, line.rstrip("\r\n")))
        elif sentence:
            yield sentence[0][0], sentence
            sentence = []
    if sentence:
        yield sentence[0][0], sentence


def _universal(line: Line, file: InputFile, error: type[DeftxError]) -> Iterator[tuple[str, str]]:
    number, text = line
    cells = text.split("\t")
    if text.startswith("#") or (len(cells) == UNIVERSAL and _OTHER_ID.fullmatch(cells[0])):
        return
    if len(cells) != UNIVERSAL or not _WORD_ID.fullmatch(cells[0]):
        raise error(
            f"{file.name}, line {number}: {len(cells)} columns, the first {cells[0]!r}. In CoNLL-U a line has {UNIVERSAL}, "
            "separated by tabs, and the first is the number of the word."
        )
    yield cells[_FORM], cells[_UPOS]


def _text_of(sentence: Sequence[Line]) -> str:
    """Return the text of a sentence of CoNLL-U: its comment "text", or the words as they are written, ranges undivided."""
    parts, written = [], 0
    for _, line in sentence:
        if (given := _TEXT.match(line)) and given[1]:
            return given[1]
        cells = line.split("\t")
        whole = _WHOLE_ID.fullmatch(cells[0])
        if whole and int(whole[1]) > written:
            written = int(whole[2] or whole[1])
            parts.append(cells[_FORM] + ("" if NO_SPACE in cells[_MISC].split("|") else " "))
    return "".join(parts).strip()


def _plain(
    line: Line, file: InputFile, error: type[DeftxError], columns: int, tagged: bool
) -> Iterator[tuple[str, str]]:
    number, text = line
    cells = _cells(text)
    while len(cells) > columns and not cells[-1].strip():  # tabs at the end of the line
        cells.pop()
    if cells[0] == _BEGINS_DOCUMENT or (text.startswith("#") and (len(cells) != columns or _COMMENT.match(text))):
        return
    if tagged and len(cells) < 2:
        raise error(
            f"{file.name}, line {number}: a word without a tag. Each line has a word, then its tag, separated by a tab or a "
            "space; an empty line ends a sentence."
        )
    yield cells[0], cells[-1].strip() if len(cells) > 1 else "_"


def _cells(text: str) -> list[str]:
    text = text.lstrip(" \t")  # no column is before the word; a no-break space may be one
    return text.split("\t") if "\t" in text else [cell for cell in text.split(" ") if cell]


def _columns(lines: Sequence[Line]) -> int:
    """Return the most frequent number of columns, by lines that are surely no comments if there are such."""
    rows = [line.rstrip() for _, line in lines if line.strip()]
    counts = Counter(len(_cells(row)) for row in [row for row in rows if not row.startswith("#")] or rows)
    return counts.most_common(1)[0][0] if counts else 0
