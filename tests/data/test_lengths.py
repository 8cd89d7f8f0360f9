"""Without these, the length plot would lose lines, or stretch over one long line until nothing else could be seen."""

from itertools import pairwise

import pytest

from deftx.data.lengths import BINS, length_bins


@pytest.mark.parametrize(
    "words", [[1], [3] * 10, list(range(1, 200)), [5] * 1_000 + [40_000], [1, 100_000], list(range(1, 3000, 7))]
)
def test_every_line_is_in_exactly_one_bin_and_no_gap_is_left(words):
    bins = length_bins(words)
    assert sum(one.lines for one in bins) == len(words)
    assert len(bins) <= BINS + 1
    assert bins[0].low == 1
    assert all(after.low == before.high + 1 for before, after in pairwise(bins))
    for one in bins:
        assert one.lines == sum(one.low <= count <= (one.high or max(words)) for count in words)


def test_a_few_very_long_lines_share_the_open_last_bin():
    bins = length_bins([5] * 1_000 + [40_000])
    assert [(one.title, one.lines) for one in bins if one.lines] == [("5", 1_000), ("6+", 1)]


def test_nothing_has_no_length():
    assert length_bins([]) == ()
