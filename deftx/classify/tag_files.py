"""Files of tagged texts: a table with a row for each mark, JSON lines, CoNLL columns and CoNLL-U."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deftx.classify.tagger import OnShare, TaggedText, Tagger
from deftx.core.errors import TableError, one_of
from deftx.data.conll import NO_SPACE
from deftx.data.unlabelled import write_rows
from deftx.data.words_to_tag import ToTag

MARK_COLUMNS = ("words", "label", "start", "end", "probability")  # of a table


@dataclass(frozen=True)
class TaggedFile:
    """A file with its tagged texts, one for each text of ``file``."""

    file: ToTag
    tagged: Sequence[TaggedText]

    @property
    def counts(self) -> dict[str, int]:
        """The number of marks of each label, in alphabetical order."""
        return dict(sorted(Counter(mark.label for one in self.tagged for mark in one.marks).items()))


def tag_file(tagger: Tagger, file: ToTag, on_share: OnShare | None = None) -> TaggedFile:
    """Tag the texts of a file, or its words where it has them.

    Args:
        tagger: The composed model.
        file: The file.
        on_share: Called after each batch with the share that is done, from 0 to 1; it may raise to stop.
    """
    if file.words is None:
        return TaggedFile(file, tagger.tag([text for text in file.rows.texts if isinstance(text, str)], on_share))
    return TaggedFile(file, tagger.mark_words(file.words, on_share))


def formats_for(entities: bool) -> list[str]:
    """Return the extensions that have a place for tags: those of names have none in CoNLL-U, only parts of speech.

    Args:
        entities: Whether the tags mark entities.
    """
    return [ending for ending in FORMATS if not (entities and ending == ".conllu")]


def check_format(path: str | Path, entities: bool) -> None:
    """Raise TableError if the extension of an output file is unknown, or stands for a format that has no place for the tags.

    Args:
        path: The output file.
        entities: Whether the tags mark entities.
    """
    ending = Path(path).suffix
    if ending not in FORMATS:
        raise TableError(f"{path} does not say the format of the tags. Its name must end in {one_of(FORMATS)}.")
    if ending not in formats_for(entities):
        raise TableError(f"{path}: CoNLL-U has a column for parts of speech, but none for names. Choose .conll.")


def write_tagged(path: str | Path, found: TaggedFile, *, as_they_are: bool = False) -> None:
    """Write tagged texts in the format of the extension: .csv, .jsonl, .conll or .conllu.

    A table has the rows of the file, each once for every mark with the columns ``words``, ``label``, ``start``, ``end`` and
    ``probability``, and once without them if nothing is marked. JSON lines and CoNLL can be read as labelled files.

    Args:
        path: The file to write.
        found: The tagged texts.
        as_they_are: Whether the cells of a table are written unchanged, as by ``write_rows``.

    Raises:
        TableError: If the extension is unknown, or the file cannot be written.
    """
    check_format(path, entities=False)
    FORMATS[Path(path).suffix](path, found, as_they_are)


def _write_table(path: str | Path, found: TaggedFile, as_they_are: bool) -> None:
    rows, positions, answers = [], [], []
    tagged = dict(zip(found.file.rows.positions, found.tagged, strict=True))
    for place, row in enumerate(found.file.rows.rows):
        marks = tagged[place].marks if place in tagged else []
        positions += range(len(rows), len(rows) + len(marks))
        rows += [row] * max(1, len(marks))
        answers += [(m.text, m.label, m.start, m.end, f"{m.probability:.6f}") for m in marks]
    added = {name: [answer[place] for answer in answers] for place, name in enumerate(MARK_COLUMNS)}
    whole = replace(found.file.rows, rows=rows, positions=positions, texts=[])
    write_rows(path, whole, added, as_they_are=as_they_are)


def _write_lines(
    lines_of: Callable[[TaggedFile], Iterator[str]], path: str | Path, found: TaggedFile, as_they_are: bool
) -> None:
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines_of(found))
    except OSError as problem:
        raise TableError(f"{path} cannot be written: {problem.strerror}.") from None


def _json_lines(found: TaggedFile) -> Iterator[str]:
    for position, one in zip(found.file.rows.positions, found.tagged, strict=True):
        line = {
            "row": position + 1, "text": one.text, "tokens": _words(one), "tags": one.tags,
            "marks": [vars(mark) for mark in one.marks],
        }  # fmt: skip
        yield json.dumps(line, ensure_ascii=False)


def _columns(found: TaggedFile) -> Iterator[str]:
    for one in found.tagged:
        yield from (f"{_cell(word)}\t{tag}" for word, tag in zip(_words(one), one.tags, strict=True))
        yield ""


def _universal(found: TaggedFile) -> Iterator[str]:
    for one in found.tagged:
        yield f"# text = {_cell(one.text)}"
        following = [*(start for start, _ in one.words[1:]), len(one.text)]
        for number, ((start, end), tag, until) in enumerate(zip(one.words, one.tags, following, strict=False), 1):
            misc = "_" if any(map(str.isspace, one.text[end:until])) else NO_SPACE
            yield "\t".join((str(number), _cell(one.text[start:end]), "_", tag, *"_____", misc))
        yield ""


def _words(one: TaggedText) -> list[str]:
    return [one.text[start:end] for start, end in one.words]


def _cell(text: str) -> str:
    """Return a text on one line without tabs, which separate columns."""
    return " ".join(text.split()) or "_"


FORMATS: dict[str, Callable[[str | Path, TaggedFile, bool], None]] = {
    ".csv": _write_table,
    ".jsonl": partial(_write_lines, _json_lines),
    ".conll": partial(_write_lines, _columns),
    ".conllu": partial(_write_lines, _universal),
}
