"""Reading labelled files for training and testing a task, and checking their rows before training."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from deftx.core.errors import TableError, one_of, unknown_name
from deftx.data.characters import describe
from deftx.data.file_kinds import KINDS
from deftx.data.hf_datasets import is_dataset, records_of
from deftx.data.label_values import doubtful_labels, join_spellings, missing_labels
from deftx.data.labels import with_spellings_of
from deftx.data.open_table import Records, find_column
from deftx.data.reading import find_file
from deftx.data.table_formats import open_records
from deftx.data.table_rows import LABEL, PAIR, SINGLE, Table, counted_rows, fingerprint_of, folded, label_names
from deftx.data.token_rows import refuse_words

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

LABELLED_COLUMNS, TEXT_COLUMNS = "text,label or premise,hypothesis,label", "text or premise,hypothesis"
MANY_LABELS = 50  # real label sets are smaller; more are mostly scores or identifiers
FEW_ROWS = 10  # with fewer rows of a label, its score is mostly chance
PLACES_NAMED = 3  # number of lines named in a note on rows that are left out

_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")  # how spreadsheets and data frames write a class number


@dataclass(frozen=True)
class Findings:
    """Counts on the training rows and, if given, the validation rows, and the resulting warnings."""

    labels: dict[str, int]
    valid_labels: dict[str, int]  # empty without validation rows
    dropped: dict[str, int]
    duplicates: int  # training rows equal to an earlier one, label included
    conflicts: int  # texts of the training rows that occur with more than one label
    unknown_labels: dict[str, int]  # labels of the validation rows that the task does not have
    shared: int  # validation rows whose text is also a training row
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)


def read_table(
    path: "str | os.PathLike | Dataset | IterableDataset",
    *,
    labelled: bool = True,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> Table:
    """Read a table with columns ``text,label`` or ``premise,hypothesis,label``.

    Args:
        path: A CSV, TSV, JSON lines or Parquet file, a workbook, a folder of ``save_to_disk``, or a data set of ``datasets``.
        labelled: Whether to read labels.
        columns: The file's own column names if they differ, e.g. {"text": "review"}.
        encoding: The encoding of a file that is not UTF-8.

    Returns:
        The usable rows in the order of the file, with what was left out.

    Raises:
        TableError: If the file cannot be read or has no usable row.
    """
    return _read(_open(path, encoding), labelled, columns)


def _open(source: Any, encoding: str | None) -> Records:
    if is_dataset(source):
        return records_of(source, TableError)
    file = find_file(source, TableError, encoding)
    if not file.is_table:
        raise TableError(
            f"{file.name} is {KINDS[file.kind]} without columns. Expected: a table with {LABELLED_COLUMNS}."
        )
    return open_records(file, TableError)


def _read(records: Records, labelled: bool, columns: Mapping[str, str] | None) -> Table:
    file, names = records.file, choose_columns(records, columns, labelled=labelled)
    texts, labels, numbers, left_out = [], [], [], defaultdict(list)
    changes: Counter[str] = Counter()
    for number, cells in records.texts(list(names.values()), TableError, changes):
        text, label = (cells[:-1], cells[-1]) if labelled else (cells, "none")
        if tuple(cells) == tuple(names.values()) and len(cells) > 1:
            left_out["the header again"].append(number)
        elif not all(text):
            left_out["empty text"].append(number)
        elif not label:
            left_out["empty label"].append(number)
        else:
            texts.append(text[0] if len(text) == 1 else tuple(text))
            labels += [_label(label)] if labelled else []
            numbers.append(number)
    labels, joined = join_spellings(labels)
    if missing := missing_labels(labels):
        rows = [row for row, label in enumerate(labels) if label not in missing]
        left_out[f"the label {one_of(map(repr, missing))} for none"] = [
            number for number, label in zip(numbers, labels, strict=True) if label in missing
        ]
        texts, labels = [texts[row] for row in rows], [labels[row] for row in rows]
    notes = [*file.notes, *(_note(file.name, records.unit, reason, places) for reason, places in left_out.items())]
    notes += [f"{file.name}: {note}" for note in joined]
    notes += [f"{file.name}: {describe(changes, 'cell')}"] if changes else []
    if not texts:
        raise TableError(" ".join([f"{file.name} has no usable row.", *notes]))
    dropped = {reason: len(places) for reason, places in left_out.items()}
    return Table(texts, labels, PAIR[0] in names, file.name, fingerprint_of(texts, labels), dropped, tuple(notes))


def check(train: Table, valid: Table | None = None, labels: Sequence[str] | None = None) -> Findings:
    """Return findings on the tables before training. Raise TableError for a single label, or pairs with single texts.

    ``labels`` are those of the task, if there are others than those of the training rows.
    """
    if len(set(train.labels)) < 2:
        raise TableError(f"Every row of {train.name} has the label {train.labels[0]!r}: there is nothing to learn.")
    if valid is not None and valid.pairs != train.pairs:
        kinds = {True: "pairs", False: "single texts"}
        raise TableError(f"{train.name} has {kinds[train.pairs]}, but {valid.name} has {kinds[valid.pairs]}.")
    known = labels or label_names(train)
    valid = valid and with_spellings_of(valid, known)
    rows = list(zip(map(folded, train.texts), train.labels, strict=True))
    labels_of = Counter(key for key, _ in set(rows))  # number of labels of each text
    train_labels = _count_labels(train)
    valid_labels = _count_labels(valid) if valid else {}
    findings = Findings(
        labels=train_labels,
        valid_labels=valid_labels,
        dropped=dict(Counter(train.dropped) + Counter(valid.dropped if valid else {})),
        duplicates=len(rows) - len(set(rows)),
        conflicts=sum(count > 1 for count in labels_of.values()),
        unknown_labels={name: count for name, count in valid_labels.items() if name not in known},
        shared=sum(folded(text) in labels_of for text in valid.texts) if valid else 0,
        warnings=[*train.notes, *(valid.notes if valid else ())],
    )
    findings.warnings.extend(_warnings(findings, train.name, valid.name if valid else ""))
    return findings


def choose_columns(records: Records, mapping: Mapping[str, str] | None, *, labelled: bool) -> dict[str, str]:
    """Return the file's names of the needed columns: the pair if it has both, else the text; then the label.

    If ``mapping`` names a text column, single texts are read even if the file has a pair.
    """
    mapping = mapping or {}
    for name in mapping:
        if name not in (*PAIR, *SINGLE, LABEL):
            raise unknown_name("The column", name, (*PAIR, *SINGLE, LABEL), TableError)
    found = {name: find_column(records, mapping.get(name, name), TableError) for name in (*PAIR, *SINGLE, LABEL)}
    texts = PAIR if all(found[name] for name in PAIR) and SINGLE[0] not in mapping else SINGLE
    needed = (*texts, LABEL) if labelled else texts
    missing = [mapping.get(name, name) for name in needed if found[name] is None]
    if missing:
        refuse_words(records.file.name, records.columns)
        expected = LABELLED_COLUMNS if labelled else TEXT_COLUMNS
        found_there = f"Found: {', '.join(records.columns)}. Expected: {expected}."
        if records.headless:
            found_there = (
                "Its first line is a row like the others, so it seems to have no header line; its columns are called "
                f"{one_of(records.columns)}. Name them, as in --columns {' '.join(f'{n}={i}' for i, n in enumerate(needed, 1))}."
            )
        raise TableError(
            f"{records.file.name} has no column {' and no column '.join(map(repr, missing))}. {found_there}"
        )
    return {name: column for name in needed if (column := found[name]) is not None}


def _label(cell: str) -> str:
    whole = _WHOLE_NUMBER.fullmatch(cell)
    return whole[1] if whole else cell


def _count_labels(table: Table) -> dict[str, int]:
    counts = Counter(table.labels)
    return {name: counts[name] for name in label_names(table)}


def _note(name: str, unit: str, reason: str, places: Sequence[int]) -> str:
    named = ", ".join(map(str, places[:PLACES_NAMED])) + (" …" if len(places) > PLACES_NAMED else "")
    return f"{name}: {counted_rows(len(places))} with {reason} left out ({unit} {named})."


def _warnings(found: Findings, train: str, valid: str) -> list[str]:
    """Return a warning for each problem, with its meaning and consequences."""
    warnings = [f"{train}: {doubt}" for doubt in doubtful_labels(list(found.labels))]
    if len(found.labels) > MANY_LABELS:
        warnings.append(f"{train} has {len(found.labels):,} different labels. Is the label column the right one?")
    rare = [name for name, count in found.labels.items() if count < FEW_ROWS]
    if rare and len(found.labels) <= MANY_LABELS:
        warnings.append(f"{train} has fewer than {FEW_ROWS} rows of {', '.join(rare)}: too few to learn well.")
    if found.conflicts:
        texts = "1 text occurs" if found.conflicts == 1 else f"{found.conflicts:,} texts occur"
        warnings.append(f"{train}: {texts} with more than one label.")
    if found.duplicates:
        warnings.append(f"{train}: {counted_rows(found.duplicates)} equal to an earlier one, label included.")
    if found.unknown_labels:
        names = ", ".join(found.unknown_labels)
        lost = counted_rows(sum(found.unknown_labels.values()))
        warnings.append(f"{valid} has labels that {train} lacks ({names}): {lost} left out.")
    unseen = [name for name in found.labels if name not in found.valid_labels]
    if found.valid_labels and unseen:
        warnings.append(f"{valid} has no row of {', '.join(unseen)}: the score does not cover them.")
    if found.shared:
        warnings.append(
            f"{valid}: {counted_rows(found.shared)} whose text is also in {train}; the score will be too good."
        )
    return warnings
