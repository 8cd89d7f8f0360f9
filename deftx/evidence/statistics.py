"""How sure a row's mean is, and its difference to another's: joint bootstrap intervals and Wilcoxon's test."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deftx.core.evaluation import LEVEL, RESAMPLES, resampled_scores
from deftx.evidence.cells import Scored

Pair = tuple[str, int]  # language and seed


class Interval(NamedTuple):
    """A mean of scores (or of their differences) from 0 to 1, and its 95 % percentile bootstrap interval."""

    mean: float
    low: float
    high: float


def joint_interval(
    cells: Sequence[Scored], metric: str, *, resamples: int = RESAMPLES, seed: int = 0, parallel: bool = True
) -> Interval:
    """Give the mean score over all cells with its interval from rows drawn anew (Efron 1979), cells held together.

    ``parallel``: row i is the same sentence in every language, so one draw of sentence numbers serves all cells.
    Otherwise each language has its own draws, the same for all its seeds. The languages and seeds are held fixed: the
    interval says what other test sentences could have given, not what other languages or seeds would.

    Raises:
        ValueError: no cell; a cell given twice; or test sets of different lengths that should be row for row the same.
    """
    found = _by_pair(cells)
    draws = _draws(found.values(), resamples, seed, parallel)
    return _interval(np.mean([cell.score(metric) for cell in cells]), _resampled(found, metric, draws).mean(axis=0))


def joint_difference(
    a: Sequence[Scored],
    b: Sequence[Scored],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    parallel: bool = True,
) -> Interval:
    """Give mean(a) - mean(b) with its interval, for two rows over the same languages and seeds and with the same draws.

    Raises:
        ValueError: as joint_interval, or the rows have different languages, seeds or test sets.
    """
    in_a, in_b = _paired(a, b)
    draws = _draws([*a, *b], resamples, seed, parallel)
    change = np.mean([in_a[pair].score(metric) - in_b[pair].score(metric) for pair in in_a])
    resampled = _resampled(in_a, metric, draws) - _resampled(in_b, metric, draws)
    return _interval(change, resampled.mean(axis=0))


def wilcoxon_against(a: Sequence[Scored], b: Sequence[Scored], metric: str) -> float | None:
    """Give the p value of Wilcoxon's signed-rank test (Wilcoxon 1945), two-sided, over the (language, seed) pairs.

    scipy.stats.wilcoxon as it comes: differences of zero are left out, and the p value is exact up to 50 pairs without
    ties or zeros, by all permutations up to 13 pairs, and from the normal distribution else. Differences that rounding
    alone tells apart (below 1e-12) count as equal. The pairs of one language share its sentences, and those of one seed
    its task vector: they are not independent, so a small p value says less than it seems to. None with fewer than two
    pairs or without any difference.

    Raises:
        ValueError: the rows have different languages, seeds or test sets.
    """
    in_a, in_b = _paired(a, b)
    changes = np.round([in_a[pair].score(metric) - in_b[pair].score(metric) for pair in in_a], 12)
    if len(changes) < 2 or not changes.any():
        return None
    from scipy.stats import wilcoxon  # half a second to import, which the start of the page need not wait for

    return float(wilcoxon(changes, alternative="two-sided").pvalue)


def _by_pair(cells: Sequence[Scored]) -> dict[Pair, Scored]:
    """Order cells by language and seed."""
    found = {(cell.language, cell.seed): cell for cell in sorted(cells, key=lambda cell: (cell.language, cell.seed))}
    if not found or len(found) < len(cells):
        raise ValueError(f"{len(cells)} cells of {len(found)} languages and seeds: expected is one of each, and some")
    return found


def _paired(a: Sequence[Scored], b: Sequence[Scored]) -> tuple[dict[Pair, Scored], dict[Pair, Scored]]:
    in_a, in_b = _by_pair(a), _by_pair(b)
    if in_a.keys() != in_b.keys():
        raise ValueError(f"not the same languages and seeds: {sorted(in_a.keys() ^ in_b.keys())} is in one row alone")
    for pair in in_a:
        if in_a[pair].gold != in_b[pair].gold:
            raise ValueError(f"two rows were not tested on the same sentences of {pair[0]}")
    return in_a, in_b


def _draws(cells: Sequence[Scored], resamples: int, seed: int, parallel: bool) -> dict[str, np.ndarray]:
    """Draw n rows of n with replacement: by language, how often each was drawn, (resamples, n) each."""
    lengths = {
        language: {len(c.gold) for c in cells if c.language == language} for language in sorted(_languages(cells))
    }
    found = set.union(*lengths.values())
    if any(len(length) > 1 for length in lengths.values()) or (parallel and len(found) > 1):
        raise ValueError(f"test sets of {sorted(found)} rows cannot be resampled together")
    generator = np.random.default_rng(seed)
    if parallel:
        return dict.fromkeys(lengths, _draw(generator, found.pop(), resamples))
    return {language: _draw(generator, length.pop(), resamples) for language, length in lengths.items()}


def _draw(generator: np.random.Generator, rows: int, resamples: int) -> np.ndarray:
    # How often each of n rows is drawn, with replacement and n times, is one draw of a multinomial distribution.
    return generator.multinomial(rows, np.full(rows, 1 / rows), size=resamples)


def _languages(cells: Sequence[Scored]) -> set[str]:
    return {cell.language for cell in cells}


def _resampled(found: dict[Pair, Scored], metric: str, draws: dict[str, np.ndarray]) -> np.ndarray:
    """Score every cell under the draws of its language: (cells, resamples)."""
    return np.stack(
        [resampled_scores(metric, c.gold, c.predicted, c.labels, draws[c.language]) for c in found.values()]
    )


def _interval(mean: float, resampled: np.ndarray) -> Interval:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(mean), float(low), float(high))
