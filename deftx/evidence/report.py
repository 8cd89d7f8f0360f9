"""The table of a comparison as Markdown and CSV: scores with intervals, and the cost of each row."""

from collections.abc import Iterable, Mapping, Sequence
from csv import writer
from dataclasses import dataclass, replace
from io import StringIO

from deftx.core.evaluation import RESAMPLES
from deftx.data.spreadsheet import harmless
from deftx.evidence.baselines import BASELINES
from deftx.evidence.cells import Cost, Scored
from deftx.evidence.statistics import Interval, joint_difference, joint_interval, wilcoxon_against

METRIC_TITLES = {"f1": "Macro-F1", "accuracy": "Accuracy"}
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A finished row: its scores from 0 to 1 by language (means over the seeds), and its difference to another row.

    ``difference`` and ``p`` are None for that other row, and if it is not finished. ``reference`` and ``cost`` are None if
    they were not measured.
    """

    row: str
    title: str
    by_language: dict[str, float | None]
    mean: Interval
    reference: float | None
    difference: Interval | None
    p: float | None
    cost: Cost | None


@dataclass(frozen=True)
class ReportSettings:
    """The settings of a comparison: titles of the rows, target languages, reference language and metric.

    ``against`` is the row that the others are compared with. ``parallel`` says whether all languages have the same sentences.
    """

    titles: Mapping[str, str]
    languages: Sequence[str]
    reference_language: str | None
    metric: str
    against: str = "lt-sft"
    parallel: bool = True

    @property
    def other(self) -> str:
        """The title of the row that the others are compared with."""
        return self.titles.get(self.against, self.against)

    @property
    def reference(self) -> list[str]:
        """The reference language as a list; empty if there is none."""
        return [self.reference_language] if self.reference_language else []


@dataclass(frozen=True)
class Summary:
    """The finished rows in the order of their titles, the number of cells (of how many) of other rows, and the seeds."""

    comparison: ReportSettings
    lines: list[Line]
    unfinished: dict[str, tuple[int, int]]
    seeds: list[int]


def summarise(cells: Sequence[Scored], comparison: ReportSettings, costs: Mapping[str, Cost]) -> Summary:
    """Compare the rows over all languages and all seeds of any row.

    Means, intervals and tests do not include the reference language. Baselines are deterministic, so their one cell per
    language is used for every seed.
    """
    titles, languages, metric = comparison.titles, comparison.languages, comparison.metric
    parallel = comparison.parallel
    seeds = sorted({cell.seed for cell in cells if cell.row in titles and cell.row not in BASELINES}) or [0]
    full = len(languages) * len(seeds)
    targets = {row: _cells_of(row, cells, languages, seeds) for row in titles}
    other = targets[comparison.against] if len(targets.get(comparison.against, [])) == full else None
    lines = []
    for row, found in targets.items():
        if len(found) < full:
            continue
        compared = other if row != comparison.against else None
        line = Line(
            row,
            titles[row],
            {name: _mean(cell.score(metric) for cell in found if cell.language == name) for name in languages},
            joint_interval(found, metric, parallel=parallel),
            _mean(cell.score(metric) for cell in _cells_of(row, cells, comparison.reference, seeds)),
            joint_difference(found, compared, metric, parallel=parallel) if compared else None,
            wilcoxon_against(found, compared, metric) if compared else None,
            costs.get(row),
        )
        lines.append(line)
    unfinished = {row: (len(found), full) for row, found in targets.items() if len(found) < full}
    return Summary(comparison, lines, unfinished, seeds)


def markdown(found: Summary) -> str:
    """Return the table in points (0 to 100), followed by an explanation and the unfinished rows."""
    about, reference = found.comparison, found.comparison.reference
    languages = about.languages
    table = [
        ["", *languages, "mean", *reference, f"against {about.other}", "p", "seconds", "GB"],
        ["---", *["---:"] * (len(languages) + 5 + len(reference))],
    ]
    for line in found.lines:
        table.append(
            [
                line.title,
                *(_points(score) for score in line.by_language.values()),
                _with_interval(line.mean),
                *(_points(line.reference) for _ in reference),
                _with_interval(line.difference, sign="+"),
                _p_value(line.p),
                f"{line.cost.seconds:,.0f}" if line.cost else NONE,
                f"{line.cost.peak_gb:.1f}" if line.cost else NONE,
            ]
        )
    below = [_explain(found)]
    if found.unfinished:
        missing = (f"{about.titles[row]}, {have} of {full} cells" for row, (have, full) in found.unfinished.items())
        below.append(f"Not finished: {'; '.join(missing)}.")
    return "\n\n".join([_markdown_table(table), *below]) + "\n"


def csv(found: Summary) -> str:
    """Return the finished rows as CSV: scores in points, one number per column, empty cells for missing numbers."""
    reference = found.comparison.reference
    text = StringIO()
    out = writer(text, lineterminator="\n")
    intervals = [f"{name}{part}" for name in ("mean", "difference") for part in ("", "_low", "_high")]
    out.writerow(
        ["row", "title", *found.comparison.languages, *reference, *intervals, "wilcoxon_p", "seconds", "peak_gb"]
    )
    for line in found.lines:
        scores = [*line.by_language.values(), *(line.reference for _ in reference), *line.mean]
        scores += line.difference or [None] * 3
        points = ["" if score is None else f"{100 * score:.2f}" for score in scores]
        p = "" if line.p is None else f"{line.p:.4g}"
        cost = [f"{line.cost.seconds:.1f}", f"{line.cost.peak_gb:.2f}"] if line.cost else ["", ""]
        out.writerow([harmless(line.row), harmless(line.title), *points, p, *cost])
    return text.getvalue()


def overlap_markdown(overlaps: Mapping[tuple[str, str], float]) -> str:
    """Return the overlaps |A ∩ B| / |A ∪ B| of vectors (the paper's figures 2 and 3) as a symmetric matrix, in %."""
    names = list(dict.fromkeys(name for pair in overlaps for name in pair))
    both_ways = {**{(b, a): share for (a, b), share in overlaps.items()}, **overlaps}
    table = [["", *names], ["---", *["---:"] * len(names)]]
    for a in names:
        shares = [1.0 if a == b else both_ways.get((a, b)) for b in names]
        table.append([a, *(_points(share) for share in shares)])
    return f"{_markdown_table(table)}\n\nShare of the entries in either vector that are in both, in %.\n"


def _cells_of(row: str, cells: Sequence[Scored], languages: Iterable[str | None], seeds: Sequence[int]) -> list[Scored]:
    """Return the cells of a row in these languages; those of a baseline are repeated for every seed."""
    languages = set(languages)
    found = [cell for cell in cells if cell.row == row and cell.language in languages]
    if row not in BASELINES:
        return found
    by_language = {cell.language: cell for cell in found}
    return [replace(cell, seed=seed) for cell in by_language.values() for seed in seeds]


def _mean(scores: Iterable[float]) -> float | None:
    scores = list(scores)
    return sum(scores) / len(scores) if scores else None


def _points(score: float | None, sign: str = "") -> str:
    # + 0.0 turns −0.0 into 0.0; the minus sign is U+2212.
    return NONE if score is None else f"{round(100 * score, 1) + 0.0:{sign}.1f}".replace("-", "−")


def _with_interval(interval: Interval | None, sign: str = "") -> str:
    if interval is None:
        return NONE
    mean, low, high = (_points(value, sign) for value in interval)
    return f"{mean} ({low} to {high})"


def _p_value(p: float | None) -> str:
    if p is None:
        return NONE
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _markdown_table(cells: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells)


def _explain(found: Summary) -> str:
    """Return an explanation of the numbers in the table."""
    about, seeds = found.comparison, found.seeds
    pairs = len(about.languages) * len(seeds)
    counted = "1 seed" if len(seeds) == 1 else f"means over {len(seeds)} seeds"
    drawn = "drawn jointly for all languages and seeds" if about.parallel else "drawn separately for each language"
    return (
        f"{METRIC_TITLES[about.metric]} in points, {counted}. In brackets: 95 % percentile bootstrap interval over the test "
        f"sentences, {drawn} ({RESAMPLES:,} times). p: Wilcoxon signed-rank against {about.other}, two-sided, over "
        f"{pairs} (language, seed) pairs, not corrected for the number of rows. Seconds and GB: wall time and peak "
        "memory of the whole row."
    )
