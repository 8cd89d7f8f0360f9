"""The weights that two sparse vectors both change, beside what chance gives."""

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from typing import Any

# Words for an overlap, and the largest multiple of chance for each.
READINGS = (("below", 0.8), ("chance", 1.25), ("above", 3.0), ("far above", math.inf))


@dataclass(frozen=True)
class Shared:
    """Counts on two vectors in a group of parameters: weights that each changes, that both change, and with the same sign."""

    both: int
    same_sign: int
    in_a: int
    in_b: int
    weights: int  # all weights of the parameters that either vector changes
    expected: float  # expected number in both if the entries of each parameter were random
    of_pairs: float | None = None  # of several pairs: the expected number in both, summed over the pairs

    def __add__(self, other: "Shared") -> "Shared":
        """Return the counts of two groups of parameters of one pair together."""
        counts = zip(astuple(self)[:-1], astuple(other)[:-1], strict=True)
        return Shared(*(mine + theirs for mine, theirs in counts))

    @classmethod
    def pooled(cls, pairs: Iterable["Shared"]) -> "Shared":
        """Return the counts of several pairs of vectors together; what chance gives is the sum over the pairs."""
        pairs = list(pairs)
        return replace(sum(pairs, NOTHING), of_pairs=sum(pair.at_random for pair in pairs))

    @property
    def at_random(self) -> float:
        """The expected number in both of two random masks of these sizes over all of these weights."""
        if self.of_pairs is not None:
            return self.of_pairs
        return self.in_a * self.in_b / self.weights if self.weights else 0.0

    @property
    def overlap(self) -> float:
        """|A ∩ B| / |A ∪ B|; 0.0 if nothing changes."""
        return self._jaccard(self.both)

    @property
    def chance(self) -> float:
        """The expected overlap of two random masks of these sizes over all of these weights."""
        return self._jaccard(self.at_random)

    @property
    def chance_by_matrix(self) -> float:
        """The expected overlap of two random masks with these sizes in each parameter."""
        return self._jaccard(self.expected)

    @property
    def signs(self) -> float | None:
        """The share of common weights that change with the same sign; None if there are none."""
        return self.same_sign / self.both if self.both else None

    def reading(self) -> str:
        """Return a word of READINGS for the overlap compared with chance.

        It is "chance" also within two standard deviations of the number that chance gives, and one entry.
        """
        if abs(self.both - self.at_random) <= 2 * math.sqrt(self.at_random) + 1:
            return "chance"
        times = self.overlap / self.chance if self.chance else 0.0
        return next(name for name, most in READINGS if times <= most)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as a dictionary that can be written as JSON."""
        return {
            "overlap": self.overlap, "chance": self.chance, "chance_by_matrix": self.chance_by_matrix,
            "signs": self.signs, "both": self.both, "in_a": self.in_a, "in_b": self.in_b, "weights": self.weights,
        }  # fmt: skip

    def _jaccard(self, both: float) -> float:
        union = self.in_a + self.in_b - both
        return both / union if union else 0.0


NOTHING = Shared(0, 0, 0, 0, 0, 0.0)
