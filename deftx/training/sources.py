"""The sources of a task: labelled files, each with the language vector that is on while its rows are learned."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import torch

from deftx.core.errors import RecipeError, TableError, VectorError
from deftx.core.events import Event, Listener
from deftx.core.units import TEXT
from deftx.data.labels import check_kind, with_spellings_of
from deftx.data.lexicon import Lexicon, translate_table
from deftx.data.question_rows import QuestionTable
from deftx.data.table_rows import Table, counted_rows, folded, label_names
from deftx.data.token_rows import TokenTable, check_same_scheme, tag_names
from deftx.data.token_tables import read_labelled
from deftx.models.bases import Base
from deftx.training.labelled_files import repeat_problem
from deftx.training.task_objective import Part
from deftx.training.word_lists import OF_ROWS, lexicons_of, say_coverage
from deftx.vectors.apply import sum_vectors
from deftx.vectors.vector import SparseVector

Labelled = Table | TokenTable | QuestionTable
LABELLED = (Table, TokenTable, QuestionTable)
_CONTENTS = {Table: "single texts", TokenTable: "words with tags", QuestionTable: "questions with answers"}


@dataclass(frozen=True)
class Source:
    """A labelled file, its language vector, its passes in an epoch, and the word lists for its training rows."""

    table: Any  # a Table, a TokenTable for a task on words, or a QuestionTable for one on questions
    vector: SparseVector | None = None
    repeat: int = 1
    lexicons: tuple[Lexicon, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether its rows are trained on as they are, once in an epoch."""
        return self.repeat == 1 and not self.lexicons

    def to_dict(self) -> dict[str, Any]:
        """Return a description for vector.json."""
        return {
            "file": self.table.name,
            "rows": len(self.table),
            "repeat": self.repeat,
            "source": self.vector.name if self.vector is not None else None,
            "lexicons": [lexicon.name for lexicon in self.lexicons],
        }


def gather(
    base: Base, train: Any, source: Any, repeat: Any, lexicon: Any, start: SparseVector | None = None
) -> list[Source]:
    """Return the sources of a training run. The arguments are those of ``learn_task``.

    Raises:
        RecipeError: If there are not as many vectors, repeats or word lists as files, or a repeat is out of range.
        TableError: If a file cannot be used, or its labels or texts do not fit those of the first one, or of ``start``.
        VectorError: If a vector cannot be used.
    """
    several = isinstance(train, list | tuple)
    files = list(train) if several else [train]
    if not files:
        raise RecipeError("No labelled file was given.")
    vectors = _one_for_each(files, source, "source", several, None)
    repeats = _one_for_each(files, repeat, "repeat", several, 1)
    lists = _one_for_each(files, lexicon, "lexicon", several, None)
    for count in repeats:
        if reason := repeat_problem(count):
            raise RecipeError(reason)
    tables = [file if isinstance(file, LABELLED) else read_labelled(file) for file in files]
    if start is not None:
        _check_start(start, tables)
    tables = fitting(tables, start.labels if start is not None else None)
    if any(lists) and not isinstance(tables[0], Table):
        raise RecipeError(
            f"Word lists replace words of sentences; {tables[0].name} has {_CONTENTS[type(tables[0])]}. Omit the word lists."
        )
    read = [lexicons_of(names) for names in lists]
    return [Source(*fields) for fields in zip(tables, (checked(base, v) for v in vectors), repeats, read, strict=True)]


def shared_vector(sources: Sequence[Source]) -> tuple[SparseVector | None, list[Source]]:
    """Return the vector that all sources have in common, and the sources without it; None and the sources if they differ.

    A common vector can stay on for all of the training, which is the same as turning it on for every step.
    """
    digests = {source.vector.digest() if source.vector is not None else None for source in sources}
    if len(digests) > 1:
        return None, list(sources)
    return sources[0].vector, [replace(source, vector=None) for source in sources]


def without_rows_of(sources: Sequence[Source], valid: Labelled, listener: Listener) -> list[Source]:
    """Return the sources without rows whose text is a validation row; a message says how many there were."""
    held = set(map(folded, valid.texts))
    left = []
    for source in sources:
        kept = [row for row, text in enumerate(source.table.texts) if folded(text) not in held]
        if lost := len(source.table) - len(kept):
            message = f"{source.table.name}: {counted_rows(lost)} left out, because the text is a validation row."
            listener.on_event(Event("tokenise", message=message))
        left.append(replace(source, table=source.table.keep(kept)))
    return left


def translated(sources: Sequence[Source], share: float | None, seed: int, listener: Listener) -> list[Source]:
    """Return the sources with words replaced by those of their word lists, and say how many words these cover."""
    share = OF_ROWS if share is None else share
    for source in sources:
        say_coverage(source.lexicons, source.table.texts, source.table.name, share, listener)
    return [
        replace(source, table=translate_table(source.table, source.lexicons, share, seed))
        if source.lexicons
        else source
        for source in sources
    ]


def parts_of(sources: Sequence[Source], device: torch.device) -> list[Part]:
    """Return the parts of an objective on the rows of all sources in their order."""
    parts, begin = [], 0
    for source in sources:
        end = begin + len(source.table)
        changes = sum_vectors([(source.vector, 1.0)], device) if source.vector is not None else None
        parts.append(Part(range(begin, end), source.repeat, changes))
        begin = end
    return parts


def identity_of(
    base: Base, sources: Sequence[Source], valid: Labelled | None, start: SparseVector | None = None
) -> dict[str, str | None]:
    """Return the fingerprints of what a training run learns from; those of one plain source have no other keys."""
    vectors = [source.vector.digest() if source.vector is not None else None for source in sources]
    found: dict[str, str | None] = {"kind": "task", "base": base.fingerprint, "corpus": sources[0].table.fingerprint,
             "valid": valid.fingerprint if valid else None, "source": vectors[0]}  # fmt: skip
    if start is not None:
        found["start"] = start.digest()
    if len(sources) == 1 and sources[0].is_plain:
        return found
    parts = [
        [source.table.fingerprint, vector, source.repeat, [lexicon.fingerprint for lexicon in source.lexicons]]
        for source, vector in zip(sources, vectors, strict=True)
    ]
    return {**found, "sources": sha256(json.dumps(parts).encode()).hexdigest()}


def _one_for_each(files: list, given: Any, name: str, several: bool, default: Any) -> list:
    if not several:
        return [given]
    if given is None or given == default:
        return [default] * len(files)
    if not isinstance(given, list | tuple) or len(given) != len(files):
        raise RecipeError(f"{name} needs a list with one value for each of the {len(files)} labelled files.")
    return list(given)


def _check_start(start: SparseVector, tables: Sequence[Labelled]) -> None:
    for table in tables:
        if start.unit != TEXT or not isinstance(table, Table):
            raise VectorError("Only a task vector on whole texts can be trained further, with labelled texts.")
        check_kind(start.name, start.takes_pairs, table.name, table.pairs)


def fitting(tables: list[Any], labels: Sequence[str] | None = None) -> list[Any]:
    """Return the tables with the labels written as in the first one, or as in a task vector that is trained further.

    Args:
        tables: The labelled files of a task.
        labels: The labels of that vector, if there is one.

    Raises:
        TableError: If a table has other labels, or is of another kind.
    """
    first = tables[0]
    for table in tables[1:]:
        check_same_kind(first, table)
    if isinstance(first, QuestionTable):
        return tables
    if isinstance(first, TokenTable):
        for table in tables[1:]:
            _refuse_other_labels(first.name, tag_names(first), table.name, tag_names(table))
        return tables
    known = labels or label_names(first)
    fitted = [with_spellings_of(table, known) for table in tables]
    for table in fitted:
        _refuse_other_labels("" if labels else first.name, known, table.name, label_names(table))
    return fitted


def check_same_kind(first: Labelled, other: Labelled) -> None:
    """Raise TableError if the tables are of different kinds, such as words with tags, or one has pairs and the other not."""
    if isinstance(first, TokenTable) and isinstance(other, TokenTable):
        check_same_scheme(first, other)
        return
    one, two = (
        "pairs" if isinstance(table, Table) and table.pairs else _CONTENTS[type(table)] for table in (first, other)
    )
    if one != two:
        raise TableError(f"{first.name} has {one}, but {other.name} has {two}.")


def _refuse_other_labels(first: str, labels: Sequence[str], name: str, found: Sequence[str]) -> None:
    """Raise TableError for a label that the file ``first`` lacks, or, if it is "", the task vector that is trained further."""
    if others := [label for label in found if label not in labels]:
        advice = (
            "Give the labels the same names in all files, and name the file first that has all of them."
            if first
            else f"Its labels are {', '.join(labels)}, and it gets no others."
        )
        raise TableError(f"{name} has labels that {first or 'the task vector'} lacks ({', '.join(others)}). {advice}")


def checked(base: Base, vector: SparseVector | str | os.PathLike | None, kind: str = "language") -> SparseVector | None:
    """Return a vector of this kind, loaded if it is named; None if there is none.

    Raises:
        VectorError: If it is of another kind, or made for another base.
    """
    if vector is None:
        return None
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    vector.check_base(base)
    if vector.kind != kind:
        role = {"language": "source", "task": "start"}[kind]
        raise VectorError(f"The {role} {vector.name} is a {vector.kind} vector; a {kind} vector is needed.")
    return vector
