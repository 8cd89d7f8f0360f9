"""The HTML of earlier training runs: a table, differing settings, scores, the trash."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from deftx.core.events import read_duration
from deftx.core.files import TRASH_KEPT
from deftx.jobs import Job, progress_of, state_of
from deftx.jobs.disk import usage_of
from deftx.jobs.forecast import duration
from deftx.jobs.history import differences, method_of
from deftx.jobs.job import TRACKED, read_json
from deftx.training.request import TRACKERS
from deftx.training.trackers import LINK
from deftx.vectors.description import LANGUAGE_LOSSES
from ui import strings
from ui.current import current_workspace
from ui.history import compare_figures
from ui.library import vector_index
from ui.shared import plot, views
from ui.shared.uploads import Removed
from ui.watch import watch_views

HEADS = ("COMPARE", "NAME", "KIND_COLUMN", "METHOD", "STATE", "STARTED_AT", "TOOK", "SCORE", "SIZE")


def table(jobs: Sequence[Job], chosen: Sequence[str], any_run: bool = True) -> str:
    """List every training run found, each with a box to compare it and its name as a button that opens it."""
    if not jobs:
        return views.paragraph(strings.NONE_FOUND if any_run else strings.NO_JOBS, "quiet")
    heads = "".join(f'<th scope="col">{escape(getattr(strings, head))}</th>' for head in HEADS)
    rows = "".join(_row(job, job.id in chosen) for job in jobs)
    return f'<div class="scroll"><table class="numbers history"><thead><tr>{heads}</tr></thead>{rows}</table></div>'


def _row(job: Job, chosen: bool) -> str:
    state, took = state_of(job), duration(job)
    label = escape(strings.COMPARE_ONE.format(name=job.name))
    cells = (
        strings.KIND_NAMES.get(job.kind, job.kind),
        strings.METHOD_NAMES.get(method_of(job), method_of(job)),
        None,
        datetime.fromtimestamp(job.created).strftime(views.DATE_AND_TIME),
        read_duration(took) if took is not None else "",
        best_score(job),
        views.size(usage_of(job).total),
    )
    shown = "".join(
        f'<td><span class="state {state.name}">{strings.STATES[state.name]}</span></td>'
        if cell is None
        else f"<td>{escape(cell)}</td>"
        for cell in cells
    )
    return (
        f'<tr><td><input type="checkbox" data-compare="{job.id}" aria-label="{label}"{" checked" * chosen}></td>'
        f'<th scope="row"><button type="button" data-open="{job.id}">{escape(job.name)}</button>{_report(job)}</th>{shown}</tr>'
    )


def _report(job: Job) -> str:
    """Return where a tracker shows the training run, if it is reported to one: a link, or a folder to open with it."""
    found = read_json(job.folder / TRACKED / LINK) if job.settings.get("report_to") else None
    if not found:
        return ""
    title = strings.REPORTED_TO.format(tracker=TRACKERS.get(str(found.get("tracker")), ""))
    link = escape(str(found.get("link")))
    if link.startswith(("https://", "http://")):
        return f'<p class="quiet">{escape(title)} <a href="{link}" target="_blank" rel="noopener noreferrer">{link}</a></p>'
    return f'<p class="quiet">{escape(title)} <code>{link}</code></p>'


def best_score(job: Job) -> str:
    """Return the score of a finished training run in a few characters: the first that it has of SCORE_NAMES."""
    return next(iter(scores(job).values()), "")


def scores(job: Job) -> dict[str, str]:
    """Return the scores of a finished training run's vector on held-out data, by metric, in the order of SCORE_NAMES."""
    if state_of(job).name != "finished":
        return {}
    found: Mapping[str, Any] = vector_index.describe(job.out).get("scores") or {}
    shown = {}
    for metric, name in strings.SCORE_NAMES.items():
        pair = found.get(metric)
        if isinstance(pair, dict) and isinstance(pair.get("after"), int | float):
            shown[name] = f"{pair['after']:.3f}"
            if metric in LANGUAGE_LOSSES and isinstance(pair.get("before"), int | float):
                shown[strings.BEFORE] = f"{pair['before']:.3f}"
    return shown


def numbered(jobs: Sequence[Job]) -> list[str]:
    """Number the names for a comparison, because two training runs may have the same name."""
    return [f"{number} {job.name}" for number, job in enumerate(jobs, start=1)]


def figure(jobs: Sequence[Job]) -> str:
    """Return the curves of those that have the same measure as the first one, for ``live_plot``."""
    if len(jobs) < 2:
        return ""
    alike = [
        compare_figures.Run(number, name, progress_of(job))
        for number, (name, job, fits) in enumerate(zip(numbered(jobs), jobs, _alike(jobs), strict=True), start=1)
        if fits
    ]
    return plot.as_value(compare_figures.comparison(alike, jobs[0].kind))


def _alike(jobs: Sequence[Job]) -> list[bool]:
    """Return which training runs have the measure of the first one: one of the losses, or one of the scores of tasks.

    One that has measured nothing yet has that of all others of its kind.
    """
    kind = jobs[0].kind
    metrics = [progress_of(job).metric for job in jobs]
    measure = next((metric for job, metric in zip(jobs, metrics, strict=True) if job.kind == kind and metric), "")
    return [job.kind == kind and metric in ("", measure) for job, metric in zip(jobs, metrics, strict=True)]


def comparison(jobs: Sequence[Job]) -> str:
    """Show the tables below the plot: scores and differing settings."""
    if len(jobs) < 2:
        return views.paragraph(strings.CHOOSE_TWO, "quiet")
    names = numbered(jobs)
    others = [name for name, fits in zip(names, _alike(jobs), strict=True) if not fits]
    note = views.notes(strings.NOTE, [strings.MEASURED_OTHERWISE.format(names=", ".join(others))] if others else [])
    return note + _scores(jobs, names) + _settings(jobs, names)


def _scores(jobs: Sequence[Job], names: Sequence[str]) -> str:
    found = [scores(job) for job in jobs]
    rows = [
        (name, *(each.get(name, "–") for each in found))
        for name in dict.fromkeys((strings.BEFORE, *strings.SCORE_NAMES.values()))
        if any(name in each for each in found)
    ]
    if not rows:
        return views.paragraph(strings.NO_SCORES, "quiet")
    return views.table((strings.SCORE, *names), rows, caption=strings.SCORES_CAPTION)


def _settings(jobs: Sequence[Job], names: Sequence[str]) -> str:
    rows = [
        (watch_views.setting_label(name), *(watch_views.setting_value(value) for value in values))
        for name, values in differences(jobs).items()
    ]
    if not rows:
        return views.paragraph(strings.NO_DIFFERENCE, "quiet")
    return views.table((strings.SETTING, *names), rows, caption=strings.DIFFERENCES_CAPTION)


def trash(jobs: Sequence[Job], files: Sequence[tuple[str, Removed]] = ()) -> str:
    """List discarded training runs and then files, each with a button that restores it; those of others have their owner."""
    if not (jobs or files):
        return views.paragraph(strings.TRASH_EMPTY, "quiet")
    store = current_workspace().store
    named = [(job, vector_index.with_owner(store, job.owner, job.name)) for job in jobs]
    rows = "".join(_discarded(job.id, name, job.trashed, usage_of(job).total) for job, name in named)
    rows += "".join(_discarded(key, file.name, file.removed, file.size) for key, file in files)
    heads = "".join(
        f'<th scope="col">{escape(head)}</th>'
        for head in (strings.NAME, strings.DISCARDED_AT, strings.REMOVED_AT, strings.SIZE, "")
    )
    return f'<div class="scroll"><table class="numbers"><thead><tr>{heads}</tr></thead>{rows}</table></div>'


def _discarded(key: str, name: str, when: float, size: int) -> str:
    return (
        f"<tr><th scope='row'>{escape(name)}</th><td>{_day(when)}</td><td>{_day(when + TRASH_KEPT)}</td>"
        f"<td>{views.size(size)}</td>"
        f'<td><button type="button" data-restore="{escape(key)}">{strings.RESTORE}</button></td></tr>'
    )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime(views.DATE_AND_TIME)
