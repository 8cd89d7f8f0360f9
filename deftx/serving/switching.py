"""One classifier for many languages: one base in memory, on which the weights of a language are written in place.

At rest the model has the task vector alone. For each language, the final weights θ0 + (φ_T + φ_L) at the positions of its
vector are computed once. Turning to a language writes only these, and turning away writes the weights at rest: nothing is
added or subtracted, so the weights are always those of ``compose``, bit for bit.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from deftx.classify.classifier import refuse_unless_texts
from deftx.classify.composition import classifier_of, load_for
from deftx.core.errors import RecipeError
from deftx.models.bases import Base
from deftx.models.batches import Text
from deftx.models.parameters import sparse_trainable
from deftx.vectors.apply import Changes, apply_changes, restore
from deftx.vectors.merging import merge
from deftx.vectors.vector import SparseVector


class Switcher:
    """A classifier of one task that one thread uses, with the vector of one language at a time."""

    def __init__(self, base: Base, task: SparseVector, languages: Mapping[str, SparseVector]) -> None:
        """Copy the base, and compute the weights of each language.

        Args:
            base: The base.
            task: The task vector.
            languages: The language vectors by code.

        Raises:
            VectorError: If a vector is of the wrong kind or was made for another base.
        """
        load_for(base, task, "task")
        self.classifier = classifier_of(base, task)
        refuse_unless_texts(self.classifier, "the server")
        self._parameters = sparse_trainable(self.classifier.model)
        self._on: dict[str, Changes] = {}
        self._language: str | None = None
        for code, vector in languages.items():
            load_for(base, vector, "language")
            self._on[code] = self._with(task, vector)
        apply_changes(self._parameters, merge([(task, 1.0)])[0], {})
        self._off = {code: self._at(vector) for code, vector in languages.items()}

    @property
    def codes(self) -> list[str]:
        """The codes of the languages."""
        return list(self._on)

    def classify(self, texts: Sequence[Text], language: str | None) -> Tensor:
        """Return the probabilities (n, labels) of texts of one language; None is the task vector alone."""
        self.turn_to(language)
        return self.classifier.classify(texts)

    def turn_to(self, language: str | None) -> None:
        """Write the weights of a language, or those of the task vector alone."""
        if language == self._language:
            return
        if self._language is not None:
            restore(self._parameters, self._off[self._language])
        self._language = None
        if language is not None:
            restore(self._parameters, self._on[language])
            self._language = language

    def _with(self, task: SparseVector, vector: SparseVector) -> Changes:
        """Return the weights of task and language together at the positions of the language vector; the model stays θ0."""
        saved: Changes = {}
        apply_changes(self._parameters, merge([(task, 1.0), (vector, 1.0)])[0], saved)
        weights = self._at(vector)
        restore(self._parameters, saved)
        return weights

    def _at(self, vector: SparseVector) -> Changes:
        """Return the present weights at the positions of a vector."""
        found: Changes = {}
        for name, positions in vector.positions.items():
            flat = self._parameters[name].detach().view(-1)
            places = positions.to(flat.device)
            found[name] = [(places, flat.index_select(0, places))]
        return found


def by_code(vectors: Sequence[tuple[str, SparseVector]]) -> dict[str, SparseVector]:
    """Return language vectors by the code of their language.

    Args:
        vectors: The names that they were given, and the vectors.

    Raises:
        RecipeError: If two vectors have the same code, or one has none.
    """
    found: dict[str, SparseVector] = {}
    for name, vector in vectors:
        if not vector.language:
            raise RecipeError(f"The vector {name} does not say its language, so no text can be sent to it.")
        if vector.language in found:
            raise RecipeError(f"Two vectors are of the language {vector.language}: give one of each language.")
        found[vector.language] = vector
    return found
