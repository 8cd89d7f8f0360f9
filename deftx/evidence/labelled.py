"""The labelled rows of a table: those that a task vector is trained on, of the source and some targets, and the test sets."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deftx.core.errors import TableError
from deftx.data.labels import with_spellings_of
from deftx.data.table_rows import Table, label_names
from deftx.data.tables import read_table
from deftx.evidence.grid import Vector
from deftx.evidence.settings import Setting

# Rows of the target seen in an epoch: few rows are repeated. Not tuned; 500 is what LT-SFT's setting sees of a language.
FEW_SEEN = 500


@dataclass(frozen=True)
class Rows:
    """Labelled rows, the vector of their language or None, their passes in an epoch, and a word list or None."""

    table: Table
    vector: Vector | None
    repeat: int = 1
    lexicon: Path | None = None


def sources_of(task: Vector) -> list[Vector]:
    """Return the language vectors that the training of a task vector uses; none for a language vector."""
    targets = task.targets if task.data == "labelled" else ()
    own = (task.language,) if task.source else ()
    return [Vector("language", language, task.variant, task.seed) for language in (*own, *targets)]


def labelled_rows(setting: Setting, data: Path, task: Vector) -> list[Rows]:
    """Return the rows that a task vector is trained on, those of the source language first."""
    own = Vector("language", task.language, task.variant, task.seed) if task.source else None
    lexicon = setting.lexicon_file(data, task.targets[0]) if task.data == "lexicon" else None
    found = [Rows(read_table(data / setting.train), own, lexicon=lexicon)]
    if task.data == "lexicon":
        return found
    for target in task.targets:
        table = read_table(setting.labelled_file(data, target))
        repeat = 1
        if task.few:
            table, repeat = draw(table, task.few, task.seed), max(1, FEW_SEEN // task.few)
        found.append(Rows(table, Vector("language", target, task.variant, task.seed), repeat))
    return found


def read_tests(setting: Setting, data: Path, targets: Iterable[str]) -> dict[str, Table]:
    """Return the test set of each target, with the labels as the training rows of the source spell them.

    Raises:
        TableError: If a test set has a label that the training rows lack: every such row would count as a mistake.
    """
    known, tests = label_names(read_table(data / setting.train)), {}
    for target in targets:
        file = setting.test_file(data, target)
        tests[target] = with_spellings_of(read_table(file), known)
        if unknown := [label for label in label_names(tests[target]) if label not in known]:
            raise TableError(
                f"{file} has labels that {data / setting.train} lacks: {', '.join(unknown)}; known are {', '.join(known)}. "
                "Give the labels the same names in both files."
            )
    return tests


def draw(table: Table, count: int, seed: int) -> Table:
    """Draw rows at random, in the order of the table. With the same seed, a larger draw contains a smaller one."""
    chosen = np.random.default_rng(seed).permutation(len(table))[:count]
    return table.keep(sorted(chosen.tolist()))
