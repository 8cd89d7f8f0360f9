"""How long the lines of a text are: counts by number of words, in steps that can be drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)  # words a bin may span
BINS = 24  # at most, besides the open one: more could not be told apart on a narrow screen
TAIL = 0.01  # share of the lines that may fall into the open last bin


@dataclass(frozen=True)
class LengthBin:
    """How many ``lines`` have from ``low`` to ``high`` words, both counted in; the open last bin has no ``high``."""

    low: int
    high: int | None
    lines: int

    def to_dict(self) -> dict[str, int | None]:
        """Return the bin by names, fit for JSON."""
        return asdict(self)

    @property
    def title(self) -> str:
        """Write the range as a person would: "1", "6–10" or "121+"."""
        if self.high is None:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,}–{self.high:,}"


def length_bins(words: Sequence[int]) -> tuple[LengthBin, ...]:
    """Count lines by their number of words in bins of equal width, empty ones too; the longest lines share the last."""
    if not words:
        return ()
    reach = sorted(words)[min(int((1 - TAIL) * len(words)), len(words) - 1)]
    step = next((step for step in STEPS if reach <= step * BINS), STEPS[-1])
    closed = min(-(-reach // step), BINS)
    counts = Counter(min((count - 1) // step, closed) for count in words)
    bins = [LengthBin(place * step + 1, (place + 1) * step, counts[place]) for place in range(closed)]
    return (*bins, LengthBin(closed * step + 1, None, counts[closed])) if counts[closed] else tuple(bins)
