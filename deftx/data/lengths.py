"""Histogram of the line lengths of a text, in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)  # allowed widths of a bin, in words
BINS = 24  # largest number of bins, besides the open one; more are hard to see on a narrow screen
TAIL = 0.01  # largest share of lines in the open last bin


@dataclass(frozen=True)
class LengthBin:
    """The number of ``lines`` with ``low`` to ``high`` words, both included. ``high`` is None for the open last bin."""

    low: int
    high: int | None
    lines: int

    def to_dict(self) -> dict[str, int | None]:
        """Return all fields as a dictionary that can be written as JSON."""
        return asdict(self)

    @property
    def title(self) -> str:
        """The range as text: "1", "6–10" or "121+"."""
        if self.high is None:
            return f"{self.low:,}+"
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,}–{self.high:,}"


def length_bins(words: Sequence[int]) -> tuple[LengthBin, ...]:
    """Count lines by their number of words in bins of equal width, empty ones included; the last bin may be open."""
    if not words:
        return ()
    reach = sorted(words)[min(int((1 - TAIL) * len(words)), len(words) - 1)]
    step = next((step for step in STEPS if reach <= step * BINS), STEPS[-1])
    closed = min(-(-reach // step), BINS)
    counts = Counter(min((count - 1) // step, closed) for count in words)
    bins = [LengthBin(place * step + 1, (place + 1) * step, counts[place]) for place in range(closed)]
    return (*bins, LengthBin(closed * step + 1, None, counts[closed])) if counts[closed] else tuple(bins)
