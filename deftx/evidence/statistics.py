"""Joint bootstrap intervals of a row's mean and of differences between rows, and Wilcoxon's test."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from deftx.core.evaluation import LEVEL, METRICS, RESAMPLES, resampled_scores
from deftx.evidence.cells import Scored

Pair = tuple[str, int]  # language and seed
BLOCK = 16_000_000  # counts of a row in a sample that are in memory at once, 8 bytes each


class Interval(NamedTuple):
    """A mean of scores (or of their differences) from 0 to 1, and its 95 % percentile bootstrap interval."""

    mean: float
    low: float
    high: float


def joint_interval(
    cells: Sequence[Scored], metric: str, *, resamples: int = RESAMPLES, seed: int = 0, parallel: bool = True
) -> Interval:
    """Return the mean score over all cells with its bootstrap interval (Efron 1979), resampling all cells jointly.

    If ``parallel``, row i is the same sentence in all languages, and all cells use the same samples. Otherwise each language
    has its own samples, the same for all seeds. Languages and seeds are fixed, so the interval covers the choice of test
    sentences, but not of languages or seeds.

    Raises:
        ValueError: If there are no cells or duplicate ones, or parallel test sets differ in length.
    """
    found = _by_pair(cells)
    (resampled,) = _resampled([found], metric, resamples, seed, parallel)
    return _interval(np.mean([cell.score(metric) for cell in cells]), resampled.mean(axis=0))


def joint_difference(
    a: Sequence[Scored],
    b: Sequence[Scored],
    metric: str,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    parallel: bool = True,
) -> Interval:
    """Return mean(a) − mean(b) with its interval, for two rows over the same languages and seeds, with the same samples.

    Raises:
        ValueError: As ``joint_interval``, or if the rows have different languages, seeds or test sets.
    """
    in_a, in_b = _paired(a, b)
    change = np.mean([in_a[pair].score(metric) - in_b[pair].score(metric) for pair in in_a])
    first, second = _resampled([in_a, in_b], metric, resamples, seed, parallel)
    return _interval(change, (first - second).mean(axis=0))


def paired_differences(
    gold: Sequence[str], a: Sequence[str], b: Sequence[str], labels: Sequence[str], *, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """Return score(a) − score(b) by metric with its interval, for two lists of predictions of the same rows.

    Rows with the same three labels are drawn as one cell of a multinomial distribution, so many rows cost no more than few.
    """
    cells = Counter(zip(gold, a, b, strict=True))
    golds, first, second = zip(*cells, strict=True)
    rows = np.array(list(cells.values()))
    drawn = np.random.default_rng(0).multinomial(len(gold), rows / len(gold), size=resamples)
    found = {}
    for metric in METRICS:
        sides = [resampled_scores(metric, golds, said, labels, np.vstack([rows, drawn])) for said in (first, second)]
        change = sides[0] - sides[1]  # of the rows as they are, then of each sample
        found[metric] = _interval(change[0], change[1:])
    return found


def wilcoxon_against(a: Sequence[Scored], b: Sequence[Scored], metric: str) -> float | None:
    """Return the p value of Wilcoxon's signed-rank test (Wilcoxon 1945), two-sided, over the (language, seed) pairs.

    It uses the defaults of scipy.stats.wilcoxon: differences of zero are omitted; the p value is exact for up to 50 pairs
    without ties or zeros, computed from all permutations for up to 13 pairs, and from the normal distribution otherwise.
    Differences below 1e-12 count as zero. Pairs of one language share sentences and pairs of one seed share the task vector,
    so they are not independent and the p value is too small. Returns None for fewer than two pairs or if all are equal.

    Raises:
        ValueError: If the rows have different languages, seeds or test sets.
    """
    in_a, in_b = _paired(a, b)
    changes = np.round([in_a[pair].score(metric) - in_b[pair].score(metric) for pair in in_a], 12)
    if len(changes) < 2 or not changes.any():
        return None
    from scipy.stats import wilcoxon  # importing it takes half a second, which would slow the start of the page

    result: Any = wilcoxon(changes, alternative="two-sided")  # scipy has no types
    return float(result.pvalue)


def _by_pair(cells: Sequence[Scored]) -> dict[Pair, Scored]:
    """Return cells by (language, seed), sorted."""
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


def _resampled(
    rows: Sequence[dict[Pair, Scored]], metric: str, resamples: int, seed: int, parallel: bool
) -> list[np.ndarray]:
    """Return for each row the scores of its cells on bootstrap samples, (cells, resamples)."""
    generator, found = np.random.default_rng(seed), [np.empty((len(row), resamples)) for row in rows]
    for languages, length in _drawn_together(rows, parallel):
        for start, counts in _draws(generator, length, resamples):
            for row, scores in zip(rows, found, strict=True):
                for place, cell in enumerate(row.values()):
                    if cell.language in languages:
                        made = resampled_scores(metric, cell.gold, cell.predicted, cell.labels, counts)
                        scores[place, start : start + len(counts)] = made
    return found


def _drawn_together(rows: Sequence[dict[Pair, Scored]], parallel: bool) -> list[tuple[set[str], int]]:
    """Return the languages that have the same samples, with the length of their test sets."""
    lengths: dict[str, set[int]] = {}
    for cell in (cell for row in rows for cell in row.values()):
        lengths.setdefault(cell.language, set()).add(len(cell.gold))
    found = set.union(*lengths.values())
    if any(len(length) > 1 for length in lengths.values()) or (parallel and len(found) > 1):
        raise ValueError(f"test sets of {sorted(found)} rows cannot be resampled together")
    if parallel:
        return [(set(lengths), found.pop())]
    return [({language}, lengths[language].pop()) for language in sorted(lengths)]


def _draws(generator: np.random.Generator, rows: int, resamples: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield bootstrap samples in blocks, as the number of the first one and the counts of each row, (block, rows)."""
    block, shares = max(1, BLOCK // rows), np.full(rows, 1 / rows)
    for start in range(0, resamples, block):
        # The counts of n draws with replacement have a multinomial distribution.
        yield start, generator.multinomial(rows, shares, size=min(block, resamples - start))


def _interval(mean: np.floating, resampled: np.ndarray) -> Interval:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(mean), float(low), float(high))
