"""The table of a comparison, as Markdown and CSV: every row's scores, how sure they are, and what the row took."""

from collections.abc import Mapping, Sequence
from csv import writer
from dataclasses import dataclass, replace
from io import StringIO

import numpy as np

from deftx.evaluation import RESAMPLES
from deftx.evidence.baselines import BASELINES
from deftx.evidence.cells import Cost, Scored
from deftx.evidence.statistics import Interval, joint_difference, joint_interval, wilcoxon_against

METRIC_TITLES = {"f1": "Macro-F1", "accuracy": "Accuracy"}
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A finished row: its scores from 0 to 1 by language, means over the seeds, and how it differs from another row.

    ``difference`` and ``p`` are None for that other row itself and where it is not finished; ``reference`` and ``cost``
    where they were not measured.
    """

    row: str
    title: str
    by_language: dict[str, float]
    mean: Interval
    reference: float | None
    difference: Interval | None
    p: float | None
    cost: Cost | None


@dataclass(frozen=True)
class Summary:
    """The finished rows in the order of their titles; how many cells (of how many) each other row has; the seeds."""

    lines: list[Line]
    unfinished: dict[str, tuple[int, int]]
    seeds: list[int]


def summarise(
    cells: Sequence[Scored],
    titles: Mapping[str, str],
    costs: Mapping[str, Cost],
    languages: Sequence[str],
    reference_language: str | None,
    metric: str,
    against: str = "lt-sft",
    parallel: bool = True,
) -> Summary:
    """Compare the rows that are named in ``titles`` over all languages and over all seeds that any of them has.

    A baseline that counts words has no chance in it: its one cell of a language stands for every seed.
    """
    cells = [cell for cell in cells if cell.row in titles]
    seeds = sorted({cell.seed for cell in cells if cell.row not in BASELINES}) or [0]
    by_row = {row: _cells_of(row, cells, seeds) for row in titles}
    targets = {row: [cell for cell in found if cell.language in languages] for row, found in by_row.items()}
    full = len(languages) * len(seeds)
    other = targets.get(against, [])
    lines = []
    for row, found in targets.items():
        if len(found) < full:
            continue
        compared = row != against and len(other) == full
        reference = [cell.score(metric) for cell in by_row[row] if cell.language == reference_language]
        lines.append(
            Line(
                row,
                titles[row],
                {name: _mean(cell.score(metric) for cell in found if cell.language == name) for name in languages},
                joint_interval(found, metric, parallel=parallel),
                _mean(reference) if reference else None,
                joint_difference(found, other, metric, parallel=parallel) if compared else None,
                wilcoxon_against(found, other, metric) if compared else None,
                costs.get(row),
            )
        )
    return Summary(lines, {row: (len(f), full) for row, f in targets.items() if len(f) < full}, seeds)
