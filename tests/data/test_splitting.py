"""Without these, a held-out score could be measured on text that was trained on, or on none at all."""

import numpy as np
import pytest

from deftx.data.splitting import choose_groups, fold, group_equal


def test_case_and_white_space_do_not_make_another_text():
    assert fold("  Straße\tIst  NASS ") == fold("strasse ist nass")
    assert fold("a b") != fold("ab")


def test_groups_hold_the_positions_of_equal_keys():
    assert group_equal(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4], [3]]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("sizes", [[1] * 40, [20, 1, 1, 3, 5, 10], [99, 1], [50, 50], [3, 3, 3]])
def test_the_share_is_not_exceeded_unless_nothing_smaller_exists(sizes, seed):
    starts = np.cumsum([0, *sizes])
    groups = [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=False)]
    chosen = choose_groups(groups, 0.1, np.random.default_rng(seed))
    assert 0 < len(chosen) < sum(sizes)
    assert len(chosen) <= max(round(0.1 * sum(sizes)), min(sizes))
    assert all(set(group) <= set(chosen) or not set(group) & set(chosen) for group in groups)


def test_a_single_group_is_never_held_out():
    assert choose_groups([[0, 1, 2]], 0.5, np.random.default_rng(0)) == []
    assert choose_groups([], 0.5, np.random.default_rng(0)) == []
