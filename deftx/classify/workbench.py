"""Trying combinations one after another on one copy of the base: a changed strength costs what it changes, not a copy."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from deftx.classify.composition import Classifier, classifier_of
from deftx.models.bases import Base, sparse_trainable
from deftx.vectors.apply import Changes, Scaled, apply_changes, restore
from deftx.vectors.merging import PAPER, MergeReport, merge
from deftx.vectors.vector import SparseVector


class Workbench:
    """A private copy of θ0 with the head of one task, which one thread at a time holds in one combination."""

    def __init__(self, base: Base, task: SparseVector) -> None:
        """Copy the base; VectorError where the task's head does not fit it."""
        task.check_base(base)
        self._classifier = classifier_of(base, task)
        self._parameters = sparse_trainable(self._classifier.model)
        self._lock = threading.Lock()
        self._saved: Changes = {}
        self._on: object = None
        self._report: MergeReport | None = None

    @contextmanager
    def holding(
        self, vectors: Sequence[Scaled], method: str = PAPER, parameters: Mapping[str, float] | None = None
    ) -> Iterator[Classifier]:
        """Give the classifier with these vectors on it, for as long as the block lasts: others wait, so keep it short.

        Raises:
            VectorError: a vector was made for another base.
            DeftxError: as ``merging.merge`` does.
        """
        for vector, _ in vectors:
            vector.check_base(self._classifier.base)
        wanted = (tuple(vectors), method, tuple(sorted((parameters or {}).items())))  # vectors are told by identity
        with self._lock:
            if wanted != self._on:
                self._put_on(vectors, method, parameters)
                self._on = wanted
            yield replace(self._classifier, report=self._report)

    def _put_on(self, vectors: Sequence[Scaled], method: str, parameters: Mapping[str, float] | None) -> None:
        changes, report = merge(vectors, method, parameters)
        self._on = None  # from here on the copy is in between, until it is done
        restore(self._parameters, self._saved)  # the values themselves, so that not a bit of θ0 is lost
        self._saved = {}
        apply_changes(self._parameters, changes, self._saved)
        self._report = report
