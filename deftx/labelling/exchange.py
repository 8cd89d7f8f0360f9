"""Judgements as files: CSV, and the JSON of Label Studio (https://labelstud.io/guide/task_format).

Both can be edited elsewhere and imported again: a sentence is found by its text.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import unknown_name
from deftx.data.open_table import as_text, find_column
from deftx.data.reading import find_file
from deftx.data.splitting import fold
from deftx.data.spreadsheet import harmless
from deftx.data.table_formats import open_records
from deftx.labelling.session import LABEL, NONE, SKIP, Judgement, LabellingError, Session
from deftx.labelling.store import Judged, person_name

COLUMNS = ("text", "label", "mark", "part", "classifier", "person")
DRAWN, CHOSEN = "random", "unsure"  # the column "part"
LARGEST_JSON = 2**26  # bytes
CONTROL, OBJECT = "label", "text"  # the names of the tags in Label Studio's labelling configuration


@dataclass(frozen=True)
class Row:
    """One answer in a file; ``person`` is empty if the file does not say who gave it."""

    text: str
    mark: str
    label: str
    person: str


@dataclass(frozen=True)
class Found:
    """The answers of a file that belong to a session, by person, and the number of rows with other sentences."""

    judgements: dict[str, list[Judgement]]
    others: int


def write_csv(path: Path, session: Session, people: Mapping[str, Judged]) -> Path:
    """Write a row for each answer, in the order of the session; formulas of spreadsheets are disarmed."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for person, one in _in_order(session, people):
            sentence = session.sentences[one.place]
            part = DRAWN if sentence.drawn else CHOSEN
            cells = (sentence.text, one.label, one.mark, part, sentence.answer, person)
            writer.writerow(map(harmless, cells))
    return path


def write_label_studio(path: Path, session: Session, people: Mapping[str, Judged]) -> Path:
    """Write a task for each sentence, judged or not, with the answers of all people and the classifier's prediction.

    Label Studio refuses names that are none of its users, so ``data.people`` has them, in the order of the annotations. Its
    labelling configuration needs ``<Text name="text" value="$text"/>`` and ``<Choices name="label" toName="text">``.
    """
    tasks = []
    for place, sentence in enumerate(session.sentences):
        given = [(person, judged[place]) for person, judged in people.items() if place in judged]
        part = DRAWN if sentence.drawn else CHOSEN
        tasks.append({
            "id": place + 1,
            "data": {"text": sentence.text, "part": part, "people": [person for person, _ in given]},
            "annotations": [{"result": _choices(one.label), "was_cancelled": one.mark == SKIP} for _, one in given],
            "predictions": [{"model_version": session.made_of, "score": sentence.probability,
                             "result": _choices(sentence.answer)}] if sentence.answer else [],
        })  # fmt: skip
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def _choices(label: str) -> list[dict[str, Any]]:
    return (
        [{"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": {"choices": [label]}}] if label else []
    )


def _in_order(session: Session, people: Mapping[str, Judged]) -> Iterator[tuple[str, Judgement]]:
    for place in range(len(session.sentences)):
        yield from ((person, judged[place]) for person, judged in people.items() if place in judged)


WRITERS: dict[str, Callable[[Path, Session, Mapping[str, Judged]], Path]] = {
    ".csv": write_csv,
    ".json": write_label_studio,
}


def read_rows(path: Path) -> list[Row]:
    """Read the answers in a file that somebody brings.

    Args:
        path: A table with columns text and label, and perhaps mark and person; or Label Studio's JSON.

    Raises:
        LabellingError: If it cannot be read.
    """
    return _read_label_studio(path) if path.suffix.lower() == ".json" else _read_table(path)


def match(session: Session, rows: Sequence[Row], person: str) -> Found:
    """Find the sentences and labels of a session that the rows of a file mean.

    Args:
        session: The session.
        rows: The rows of ``read_rows``.
        person: The name for rows without one.

    Raises:
        LabellingError: If a label is not one of the session's.
    """
    # A spreadsheet was given an apostrophe before what looks like a formula.
    places = {fold(form): p for p, one in enumerate(session.sentences) for form in (harmless(one.text), one.text)}
    judgements: dict[str, list[Judgement]] = {}
    others = 0
    for row in rows:
        place = places.get(fold(row.text))
        if place is None:
            others += 1
            continue
        label = _label_of(session, row.label) if row.mark == LABEL else ""
        judgements.setdefault(person_name(row.person or person), []).append(Judgement(place, row.mark, label))
    return Found(judgements, others)


def _label_of(session: Session, label: str) -> str:
    """Return the label that a file means: the same one, or the only one that differs from it in case or white space alone."""
    forms = {form: name for name in session.labels for form in (harmless(name), name)}
    near = {name for form, name in forms.items() if fold(form) == fold(label)}
    if label not in forms and len(near) != 1:
        raise unknown_name("The label", label, session.labels, LabellingError)
    return forms[label] if label in forms else near.pop()


def _read_table(path: Path) -> list[Row]:
    records = open_records(find_file(path, LabellingError), LabellingError)
    columns = {name: find_column(records, name, LabellingError) for name in COLUMNS}
    if columns["text"] is None or columns["label"] is None:
        raise LabellingError(
            f"{path.name} has no columns text and label. Found: {', '.join(records.columns)}. "
            "Export a file here to see the format."
        )
    wanted = {name: column for name, column in columns.items() if column is not None}
    rows = []
    for _, cells in records.rows(list(wanted.values())):
        cell = dict(zip(wanted, map(as_text, cells), strict=True))
        mark = LABEL if cell["label"] else cell.get("mark", "")
        if cell["label"] or mark in (NONE, SKIP):  # a row without any answer is not judged, or no more
            rows.append(Row(cell["text"], mark, cell["label"], _as_written(cell.get("person", ""))))
    return rows


def _as_written(name: str) -> str:
    """Return a name without the apostrophe that disarmed it."""
    return name[1:] if name.startswith("'") and harmless(name[1:]) == name else name


def _read_label_studio(path: Path) -> list[Row]:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise LabellingError(f"{path.name} is larger than {LARGEST_JSON >> 20} MB. Import a part of it.")
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
        return [row for task in tasks for row in _rows_of(task)]
    except OSError as error:
        raise LabellingError(f"{path.name} cannot be read: {error.strerror}.") from None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError):
        raise LabellingError(
            f"{path.name} is not what Label Studio exports as JSON: a list of tasks, each with data and annotations, "
            'and the sentence as "text" in its data.'
        ) from None


def _rows_of(task: dict[str, Any]) -> Iterator[Row]:
    data, annotations = task["data"], task.get("annotations") or []
    people = data.get("people") or []
    # Those that were exported come first. If some were deleted, nothing says whose are left.
    people = people if len(people) <= len(annotations) else []
    for number, annotation in enumerate(annotations):
        named = people[number] if number < len(people) else _who(annotation.get("completed_by"))
        labels = [
            label for part in annotation["result"] if part["type"] == "choices" for label in part["value"]["choices"]
        ]
        mark = SKIP if annotation.get("was_cancelled") else LABEL if labels else NONE
        yield Row(str(data["text"]), mark, str(labels[0]) if mark == LABEL else "", str(named))


def _who(completed_by: Any) -> str:
    named = completed_by.get("email") or completed_by.get("id") if isinstance(completed_by, dict) else completed_by
    return "" if named is None else str(named)
