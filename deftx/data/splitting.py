"""Which items are held out for validation: at random by seed, with equal texts always on the same side."""

from collections.abc import Iterable, Sequence

import numpy as np

from deftx.data.characters import as_seen


def fold(text: str) -> str:
    """Reduce a text to what makes it the same text: as it is seen, case folded, white space normalised."""
    return " ".join(as_seen(text).casefold().split())


def group_equal(keys: Iterable[object]) -> list[list[int]]:
    """Group the positions of equal keys, in the order in which the keys appear first."""
    groups: dict[object, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    return list(groups.values())


def choose_groups(groups: Sequence[list[int]], share: float, generator: np.random.Generator) -> list[int]:
    """Choose whole groups at random until ``share`` of all positions is reached, without exceeding it.

    At least one group is chosen (the smallest, where every one exceeds the share), and at least one is not: of a single
    group nothing is chosen.
    """
    total = sum(map(len, groups))
    target = min(max(1, round(share * total)), total - 1)
    chosen: list[int] = []
    for index in generator.permutation(len(groups)):
        if len(chosen) + len(groups[index]) <= target:
            chosen += groups[index]
    return chosen or (list(min(groups, key=len)) if len(groups) > 1 else [])
