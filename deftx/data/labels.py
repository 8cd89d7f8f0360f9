"""Mapping the labels of a test file to those of a task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from deftx.core.errors import TableError, one_of
from deftx.data.label_values import known_spellings
from deftx.data.splitting import fold
from deftx.data.table_rows import Table, counted_rows, fingerprint_of, label_names


def check_kind(task: str, wants_pairs: bool, file: str, pairs: bool) -> None:
    """Raise TableError if the task needs pairs and the file has single texts, or the other way round."""
    if pairs != wants_pairs:
        wanted, found = ("pairs", "single texts") if wants_pairs else ("single texts", "pairs")
        raise TableError(f"The task vector {task} classifies {wanted}, but {file} has {found}.")


def rename_labels(table: Table, names: Mapping[str, str]) -> Table:
    """Return the table with renamed labels. Labels that are not in ``names`` stay; rows whose new label is "" are removed.

    Raises TableError if no row is left.
    """
    kept = [row for row, label in enumerate(table.labels) if names.get(label, label)]
    if not kept:
        raise TableError(f"Every label of {table.name} is left out: there are no rows to score.")
    texts, labels = (
        [table.texts[row] for row in kept],
        [names.get(table.labels[row], table.labels[row]) for row in kept],
    )
    lost = len(table) - len(kept)
    dropped = {**table.dropped, **({"label not wanted": lost} if lost else {})}
    return replace(table, texts=texts, labels=labels, fingerprint=fingerprint_of(texts, labels), dropped=dropped)


def with_spellings_of(table: Table, names: Sequence[str]) -> Table:
    """Return the table with labels replaced by one of ``names`` if they differ only in case or white space."""
    spelt = known_spellings(table.labels, names)
    if not spelt:
        return table
    labels = [spelt.get(label, label) for label in table.labels]
    listed = ", ".join(f"{there!r} is read as {known!r}" for there, known in sorted(spelt.items()))
    notes = (*table.notes, f"{table.name}: the label {listed}.")
    return replace(table, labels=labels, fingerprint=fingerprint_of(table.texts, labels), notes=notes)


def drop_unknown_labels(table: Table, names: Sequence[str]) -> Table:
    """Return the table without rows whose label is not in ``names``; its ``dropped`` and ``notes`` say how many."""
    table = with_spellings_of(table, names)
    kept = [row for row, label in enumerate(table.labels) if label in names]
    lost = len(table) - len(kept)
    if not kept:
        found, known = ", ".join(label_names(table)), ", ".join(names)
        raise TableError(
            f"No row of {table.name} has a known label: it has {found}; known are {known}. "
            "Give the labels the same names in both files."
        )
    if not lost:
        return table
    note = f"{table.name}: {counted_rows(lost)} with a label other than {one_of(names)} left out."
    dropped = {**table.dropped, "unknown label": lost}
    return replace(table.keep(kept), dropped=dropped, notes=(*table.notes, note))


def suggest_labels(found: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Guess the known label that each label of a file means by its spelling, e.g. "positive" for "Pos"; "" if unclear."""
    return {label: _nearest_label(label, known) for label in found}


def _nearest_label(label: str, known: Sequence[str]) -> str:
    folded = {fold(name): name for name in known}
    if fold(label) in folded:
        return folded[fold(label)]
    begin = [name for key, name in folded.items() if key.startswith(fold(label))]
    near = get_close_matches(fold(label), folded, n=1, cutoff=0.7)
    return begin[0] if len(begin) == 1 else folded[near[0]] if near and not begin else ""
