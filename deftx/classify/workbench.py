"""Trying combinations of vectors on one copy of the base: only changed weights are written, the base is not copied again."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

from deftx.classify.classifier import Classifier
from deftx.classify.composition import classifier_of, codes_of
from deftx.models.bases import Base
from deftx.models.parameters import sparse_trainable
from deftx.vectors.apply import Changes, Scaled, apply_changes, restore
from deftx.vectors.merging import PAPER, MergeReport, merge
from deftx.vectors.vector import SparseVector

MERGES_KEPT = 16  # about 12 bytes per entry of their vectors each

Wanted = tuple[tuple[Scaled, ...], str, tuple[tuple[str, float], ...]]  # vectors (by identity), method, its parameters


class Workbench:
    """A copy of θ0 with the head of one task, which one thread at a time can use with one combination of vectors."""

    def __init__(self, base: Base, task: SparseVector) -> None:
        """Copy the base. Raise VectorError if the task's head does not fit it."""
        task.check_base(base)
        self._classifier = classifier_of(base, task)
        self._parameters = sparse_trainable(self._classifier.model)
        self._lock = threading.Lock()
        self._saved: Changes = {}
        self._on: Wanted | None = None
        self._report: MergeReport | None = None
        # Merging takes longer than writing the result, and most sentences are classified with few combinations.
        self._merge = lru_cache(maxsize=MERGES_KEPT)(_merged)

    @contextmanager
    def holding(
        self, vectors: Sequence[Scaled], method: str = PAPER, parameters: Mapping[str, float] | None = None
    ) -> Iterator[Classifier]:
        """Yield the classifier with these vectors added. Other threads wait until the context ends, so keep it short.

        Raises:
            VectorError: If a vector was made for another base.
            DeftxError: As ``merging.merge`` does.
        """
        for vector, _ in vectors:
            vector.check_base(self._classifier.base)
        wanted = (tuple(vectors), method, tuple(sorted((parameters or {}).items())))  # vectors are compared by identity
        with self._lock:
            if wanted != self._on:
                self._put_on(wanted)
                self._on = wanted
            yield replace(self._classifier, report=self._report, languages=codes_of(vectors))

    def _put_on(self, wanted: Wanted) -> None:
        changes, report = self._merge(wanted)
        self._on = None  # the copy is inconsistent until the end of this method
        restore(self._parameters, self._saved)  # exactly θ0 again
        self._saved = {}
        apply_changes(self._parameters, changes, self._saved)
        self._report = report


def _merged(wanted: Wanted) -> tuple[Changes, MergeReport]:
    vectors, method, parameters = wanted
    return merge(vectors, method, dict(parameters))
