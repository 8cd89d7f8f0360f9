"""Cells of a table: the predictions of one row for one language and seed, and the cost of a row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from deftx.core import evaluation


@dataclass(frozen=True)
class Scored:
    """The gold labels of a language's test set, and the predictions of a row with this seed.

    ``vectors`` are the names of the composed vectors; empty for other methods, and in the files of earlier versions.
    """

    row: str
    language: str
    seed: int
    gold: list[str]
    predicted: list[str]
    vectors: list[str] = field(default_factory=list)

    @property
    def labels(self) -> list[str]:
        """The labels that occur in gold or in predicted, sorted."""
        return sorted({*self.gold, *self.predicted})

    def score(self, metric: str) -> float:
        """Return the score, from 0 to 1, by "f1" (macro-F1) or "accuracy".

        Raises TableError if there are no rows, RecipeError for an unknown metric.
        """
        return _score(metric, tuple(self.gold), tuple(self.predicted), tuple(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Scored":
        """Read what ``to_dict`` returned."""
        return cls(**fields)


@dataclass(frozen=True)
class Cost:
    """The total wall time and the peak memory of a row."""

    seconds: float
    peak_gb: float  # 10⁹ bytes


@lru_cache(maxsize=10_000)  # a table needs every score several times
def _score(metric: str, gold: tuple[str, ...], predicted: tuple[str, ...], labels: tuple[str, ...]) -> float:
    return evaluation.score(metric, list(gold), list(predicted), labels)
