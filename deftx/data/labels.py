"""Mapping the labels of a test file to those of a task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from deftx.core.errors import TableError
from deftx.data.splitting import fold
from deftx.data.tables import Table, fingerprint_of


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
