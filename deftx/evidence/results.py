"""The results of a run: the table as Markdown and CSV, overlaps, and the data of the result page."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from deftx.core.files import write_json, write_text
from deftx.data.tables import read_table
from deftx.evidence import report
from deftx.evidence.baselines import BASELINES, predict
from deftx.evidence.cells import Scored
from deftx.evidence.grid import Vector
from deftx.evidence.labelled import read_tests
from deftx.evidence.other_programs import OTHER_PROGRAMS
from deftx.evidence.run import Run, cost_of, is_done
from deftx.vectors.overlaps import overlap
from deftx.vectors.vector import SparseVector

COMPARED = ("lt-sft", "uniform-100", "variance")  # rows whose overlaps are shown, as in figure 2


def score_baselines(run: Run) -> list[Scored]:
    """Train the baselines on the source language and predict every test set. This is fast, so it is not cached."""
    train = read_table(run.data / run.setting.train)
    tests = read_tests(run.setting, run.data, run.languages)
    return [
        Scored(name, language, run.seeds[0], list(tests[language].labels), predicted)
        for name in BASELINES
        for language, predicted in predict(name, train, tests).items()
    ]


def overlaps(run: Run) -> dict[str, dict[tuple[str, str], float]]:
    """Return the overlaps of all vectors of the first seed, for each compared variant (figures 2 and 3)."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for variant in COMPARED:
        languages = dict.fromkeys(map(run.setting.language_of, run.languages))
        named = {language: Vector("language", language, variant, run.seeds[0]) for language in languages}
        named["task"] = Vector("task", run.setting.source, variant, run.seeds[0], source=True)
        loaded = {name: SparseVector.load(run.folder(v)) for name, v in named.items() if is_done(run, v)}
        if len(loaded) == len(named):
            found[variant] = {(a, b): overlap(loaded[a], loaded[b]) for a in loaded for b in loaded}
    return found


def write(run: Run, cells: Sequence[Scored]) -> dict[str, Any]:
    """Write results.md, results.csv and the input of scripts/evidence_page.py; return the table as a dictionary."""
    setting = run.setting
    others = {cell.row for cell in cells} & OTHER_PROGRAMS.keys()
    titles = {
        **{name: baseline.title for name, baseline in BASELINES.items()},
        **{name: other.title for name, other in OTHER_PROGRAMS.items() if name in others},
        **{row.name: row.title for row in run.rows},
    }
    costs = {row.name: cost_of(run, row) for row in run.rows}
    reference = setting.reference if setting.reference in run.languages else None
    targets = tuple(language for language in run.languages if language != reference)
    comparison = report.ReportSettings(titles, targets, reference, setting.metric, parallel=setting.parallel)
    found = report.summarise(cells, comparison, costs)
    parts = [f"# {setting.title}", _about(run, setting.metric), report.markdown(found)]
    for variant, shares in overlaps(run).items():
        parts += [f"## Overlap of the vectors of {variant}, seed {run.seeds[0]}", report.overlap_markdown(shares)]
    write_text(run.out / "results.md", "\n\n".join(parts) + "\n")
    write_text(run.out / "results.csv", report.csv(found))
    write_json(
        run.out / "costs.json", {name: {"seconds": c.seconds, "peak_gb": c.peak_gb} for name, c in costs.items()}
    )
    write_json(run.out / "about.json", asdict(comparison))
    for cell in cells:  # baselines too, because the page uses only these files
        if cell.row in BASELINES:
            run.keep(cell)
    return {"rows": {name: _scores(cells, name, setting.metric) for name in titles}, "out": str(run.out)}


def _scores(cells: Sequence[Scored], row: str, metric: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for cell in cells:
        if cell.row == row:
            found.setdefault(cell.language, {})[str(cell.seed)] = cell.score(metric)
    return found


def _about(run: Run, metric: str) -> str:
    name = {"f1": "Macro-F1", "accuracy": "Accuracy"}[metric]
    changes = ", ".join(f"{kind}: {s}" for kind, s in run.changes.items() if s) or "none"
    return (
        f"{name} in points; base {run.base}, preset {run.preset}, changed settings {changes}, "
        f"seeds {', '.join(map(str, run.seeds))}; {run.threads} threads on {', '.join(dict.fromkeys(run.devices))}."
    )
