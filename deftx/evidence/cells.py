"""What a table is made of: the predictions of one row for one language and seed, and what a row cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from deftx.core import evaluation


@dataclass(frozen=True)
class Scored:
    """The gold labels of a language's test set, in the order of its rows, and what a row with this seed predicted."""

    row: str
    language: str
    seed: int
    gold: list[str]
    predicted: list[str]

    @property
    def labels(self) -> list[str]:
        """The labels that occur in gold or in predicted, sorted."""
        return sorted({*self.gold, *self.predicted})

    def score(self, metric: str) -> float:
        """Score from 0 to 1 by "f1" (macro-F1) or "accuracy".

        Raises TableError without rows, RecipeError for an unknown metric.
        """
        return _score(metric, tuple(self.gold), tuple(self.predicted), tuple(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """Return every field by name, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Scored":
        """Make the cell that ``to_dict`` wrote."""
        return cls(**fields)


@dataclass(frozen=True)
class Cost:
    """Wall time and peak memory that a row took in all."""

    seconds: float
    peak_gb: float  # 10⁹ bytes


@lru_cache(maxsize=10_000)  # scikit-learn takes milliseconds, and a table asks for every score several times
def _score(metric: str, gold: tuple[str, ...], predicted: tuple[str, ...], labels: tuple[str, ...]) -> float:
    return evaluation.score(metric, list(gold), list(predicted), labels)
