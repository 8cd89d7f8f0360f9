"""Random choice of the items held out for validation; equal texts are never split between training and validation."""

from collections.abc import Iterable, Sequence

import numpy as np

from deftx.data.characters import as_seen


def fold(text: str) -> str:
    """Return a text normalised by ``as_seen``, case-folded and with normalised white space, to compare it with others."""
    return " ".join(as_seen(text).casefold().split())


def group_equal(keys: Iterable[object]) -> list[list[int]]:
    """Group the positions of equal keys, in order of first appearance."""
    groups: dict[object, list[int]] = {}
    for position, key in enumerate(keys):
        groups.setdefault(key, []).append(position)
    return list(groups.values())


def choose_groups(groups: Sequence[list[int]], share: float, generator: np.random.Generator) -> list[int]:
    """Choose whole groups at random, up to ``share`` of all positions.

    At least one group is chosen (the smallest, if all exceed the share) and at least one is not. If there is only one
    group, nothing is chosen.
    """
    total = sum(map(len, groups))
    target = min(max(1, round(share * total)), total - 1)
    chosen: list[int] = []
    for index in generator.permutation(len(groups)):
        if len(chosen) + len(groups[index]) <= target:
            chosen += groups[index]
    return chosen or (list(min(groups, key=len)) if len(groups) > 1 else [])
