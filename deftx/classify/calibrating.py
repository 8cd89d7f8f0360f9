"""Fitting the temperature of a task vector afterwards, and keeping it in the vector's description."""

import os
from dataclasses import replace

import numpy as np

from deftx.classify.classifier import Classifier, refuse_unless_texts
from deftx.core.calibration import LEAST_EXAMPLES, Calibration, calibrate
from deftx.core.errors import TableError, VectorError
from deftx.core.files import expanded
from deftx.data.labels import drop_unknown_labels
from deftx.data.table_rows import Table
from deftx.models.batches import encode
from deftx.vectors.description import CALIBRATION
from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import INFO, rewrite_info


def calibrate_on(classifier: Classifier, table: Table) -> Calibration:
    """Fit the temperature of a classifier on labelled rows, which it should not have been trained on.

    Args:
        classifier: The classifier, with the vector of the rows' language. A temperature that it has is ignored.
        table: The labelled rows.

    Raises:
        TableError: If there are too few rows with labels of the task, all have one label, or all are answered right.
        VectorError: If the task vector does not classify texts.
    """
    table = usable_rows(classifier, table)
    encoded = encode(classifier.base.tokenizer, table.texts, classifier.max_length)
    logits = replace(classifier, calibration=None).logits(encoded).numpy()
    found = calibrate(logits, np.array([classifier.labels.index(label) for label in table.labels]))
    if found is None:
        raise TableError(
            f"{table.name} has {len(table.labels):,} usable rows: a temperature needs at least {LEAST_EXAMPLES}, with "
            "two labels and one wrong answer among them."
        )
    return found


def usable_rows(classifier: Classifier, table: Table) -> Table:
    """Return the rows of which a temperature can be fitted; ``notes`` say what was left out, and which labels have no row.

    Raises:
        TableError: If no row has a label of the task.
        VectorError: If the task vector does not classify texts.
    """
    refuse_unless_texts(classifier, "a temperature")
    table = drop_unknown_labels(table, classifier.labels)
    missing = [label for label in classifier.labels if label not in table.labels]
    if not missing:
        return table
    note = f"{table.name} has no row of {', '.join(missing)}: the temperature is not fitted to such texts."
    return replace(table, notes=(*table.notes, note))


def keep_calibration(folder: str | os.PathLike, calibration: Calibration, vector: SparseVector | None = None) -> None:
    """Keep a calibration in the ``vector.json`` of a task vector's folder, in the place of an earlier one.

    Args:
        folder: The folder of the vector.
        calibration: The calibration.
        vector: The vector, if it is to be written to ``folder`` first.

    Raises:
        VectorError: If the folder has no task vector, or cannot be written.
    """
    folder = expanded(folder)
    if vector is not None:
        vector.save(folder, values=(vector.info.get("recipe") or {}).get("values", "float32"))
    if not (folder / INFO).is_file():
        raise VectorError(
            f"{os.fspath(folder)!r} is not the folder of a vector; name a folder for the copy with --out."
        )
    vector = SparseVector.load(folder)
    if vector.kind != "task":
        raise VectorError(f"{vector.name} is a {vector.kind} vector; only a task vector has a temperature.")
    rewrite_info(folder, {**vector.info, CALIBRATION: calibration.to_dict()})
