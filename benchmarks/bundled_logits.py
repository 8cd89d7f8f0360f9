"""Logits of the bundled task vector on labelled rows, kept in files so that a measurement computes each set once."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from sides import ROOT  # noqa: F401 (puts the project's root in the path)

from deftx.classify.composition import compose
from deftx.models.bases import Base
from deftx.models.batches import encode, pad_id
from deftx.training.task_objective import class_logits
from deftx.vectors.vector import SparseVector

Rows = tuple[np.ndarray, np.ndarray]  # logits (n, labels) without a temperature, and the indices of the right labels


def labelled_rows(file: Path) -> list[tuple[str, str]]:
    """Return texts and labels of a CSV."""
    with file.open(encoding="utf-8", newline="") as stream:
        return [(row["text"], row["label"]) for row in csv.DictReader(stream)]


def without_calibration(task: SparseVector) -> SparseVector:
    """Return a task vector without its temperature."""
    return replace(task, info={name: value for name, value in task.info.items() if name != "calibration"})


def logits_of(base: Base, task: SparseVector, language: str | None, file: Path, cache: Path) -> Rows:
    """Return the logits and the right labels of a file, from the cache if they are there.

    Args:
        base: The bundled base.
        task: The task vector.
        language: A language vector, or None.
        file: The labelled rows.
        cache: The folder of the kept logits.
    """
    vector = SparseVector.load(language) if language else None
    key = "-".join((task.digest()[:10], vector.digest()[:10] if vector else "none", file.parent.name, file.stem))
    kept = cache / f"{key}.npz"
    if not kept.exists():
        classifier = compose(base, task=without_calibration(task), language=vector)
        rows = labelled_rows(file)
        encoded = encode(base.tokenizer, [text for text, _ in rows], classifier.max_length)
        found = class_logits(classifier.model, encoded, pad_id(base.tokenizer)).numpy()
        gold = np.array([classifier.labels.index(label) for _, label in rows])
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, logits=found, gold=gold)
    with np.load(kept) as stored:
        return stored["logits"], stored["gold"]
