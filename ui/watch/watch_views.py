"""The HTML of training runs: the list, the phases, the bar, the evaluation. Plain functions from a job to HTML."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from deftx.core.events import read_duration
from deftx.core.files import TRASH_KEPT
from deftx.jobs import Job, Progress, State, Turn, progress_of, state_of
from deftx.jobs.history import settings_of
from deftx.publish.score_words import validation_in_words
from deftx.vectors.description import SMALL_GAIN, language_loss
from ui import strings
from ui.shared import views
from ui.train import train_fields

ORDER = ("tokenise", "dense", "denoise", "select", "sparse", "evaluate")


def job_list(jobs: Sequence[Job], chosen: str, turns: Mapping[str, Turn]) -> str:
    """Show one button per training run, waiting ones in their order, then the newest first."""
    if not jobs:
        return views.paragraph(strings.NO_JOBS, "quiet")
    ordered = sorted(jobs, key=lambda job: turns[job.id].place if job.id in turns else len(turns) + 1)
    rows = "".join(_row(job, chosen, turns.get(job.id)) for job in ordered)
    return f'<div class="jobs" role="group" aria-label="{strings.JOBS}">{rows}</div>'


def _row(job: Job, chosen: str, turn: Turn | None) -> str:
    state = state_of(job)
    now = strings.STATES[state.name]
    if turn is not None:
        now = when(turn)
    elif state.name == "running":
        now += f" · {phase_line(progress_of(job))}"
    started = datetime.fromtimestamp(job.created).strftime(views.DATE_AND_TIME)
    return (
        f'<button type="button" data-job="{job.id}" aria-pressed="{str(job.id == chosen).lower()}">'
        f'<span class="name">{escape(job.name)}</span><span class="state {state.name}">{escape(now)}</span>'
        f'<span class="when">{started}</span></button>'
    )


def when(turn: Turn) -> str:
    """Return the place in the queue and the likely start."""
    if turn.seconds is None:
        return strings.TURN_UNKNOWN.format(place=turn.place)
    if turn.seconds < 1:
        return strings.TURN_NEXT.format(place=turn.place)
    return strings.TURN.format(place=turn.place, duration=roughly(turn.seconds))


def roughly(seconds: float) -> str:
    """Return a duration in whole minutes: the estimate is no more exact."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return strings.IN_MINUTES.format(minutes=minutes) if minutes else strings.IN_LESS
    return strings.IN_HOURS.format(hours=minutes // 60, minutes=minutes % 60)


def phase_line(progress: Progress) -> str:
    """Return the phase and its progress in a few words."""
    if not progress.phase:
        return strings.BEGINS
    share = f" {progress.step / progress.total:.0%}" if progress.total > 1 else ""
    return strings.PHASES[ORDER[active_phase(progress)]][0].lower() + share


def active_phase(progress: Progress) -> int:
    """Return the index in ORDER of the current phase."""
    if progress.phase == "evaluate" and progress.step < 2:
        return 0  # the base alone is measured before the training begins
    phase = {"spectrum": "denoise"}.get(progress.phase, progress.phase)
    return ORDER.index(phase) if phase in ORDER else 0


def job_view(job: Job, turn: Turn | None = None) -> str:
    """Show the part of a training run above its plot."""
    state, progress = state_of(job), progress_of(job)
    title = f'<h3>{escape(job.name)} <span class="state {state.name}">{strings.STATES[state.name]}</span></h3>'
    said = views.paragraph(f"{strings.of_library(state.meaning)} {strings.of_library(state.advice)}", "quiet")
    parts = [title, said, phase_row(job, state, progress)]
    if turn is not None:
        parts.append(views.paragraph(f"{when(turn)}. {strings.TURN_HINT}", "quiet"))
    has_bar = state.name != "finished" and (state.name != "waiting" or job.is_sliced)
    if has_bar and progress.phase:
        parts.append(_bar(state, progress))
    elif state.name == "running":
        parts.append(views.paragraph(strings.STARTING, "quiet"))
    parts.append(views.notes(strings.WARNING, progress.warnings))
    return "".join(parts)


def phase_row(job: Job, state: State, progress: Progress) -> str:
    """Show the steps of the method in a row, each with its state in words."""
    skipped = set() if (job.settings.get("recipe") or {}).get("method", "deft-x") == "deft-x" else {"denoise"}
    at = len(ORDER) if state.name == "finished" else active_phase(progress) if progress.phase else -1
    steps = []
    for place, phase in enumerate(ORDER):
        name, hint = strings.PHASES[phase]
        if phase in skipped:
            word, style = strings.SKIPPED, "skipped"
        elif place < at:
            word, style = strings.DONE, "done"
        elif place == at:
            word, style = (strings.ACTIVE, "active") if state.active else (strings.HERE, "here")
        else:
            word, style = strings.TO_COME, "to-come"
        current = ' aria-current="step"' if style == "active" else ""
        steps.append(f'<li class="{style}" title="{escape(hint)}"{current}><b>{name}</b><span>{word}</span></li>')
    return f'<ol class="phases">{"".join(steps)}</ol>'


def _bar(state: State, progress: Progress) -> str:
    share = progress.step / progress.total if progress.total else 0.0
    name = strings.PHASES[ORDER[active_phase(progress)]][0]
    where = strings.STEP_OF.format(phase=name, step=progress.step, total=progress.total) if progress.total else name
    left = time_left(progress) if state.name == "running" else ""
    loss = strings.LOSS_NOW.format(loss=progress.loss) if progress.loss is not None else ""
    cells = "".join(f"<span>{escape(text)}</span>" for text in (where, loss, left))
    return f'{views.bar(share, where)}<div class="under-bar">{cells}</div>'


def time_left(progress: Progress, now: float | None = None) -> str:
    """Return the time left for the whole run in words; empty while it is unknown."""
    if progress.seconds_left is None or progress.updated is None or progress.phase not in ("dense", "sparse"):
        return ""
    left = progress.seconds_left - ((now or time.time()) - progress.updated)
    return strings.TIME_LEFT.format(duration=read_duration(left)) if left >= 1 else strings.MOMENT_LEFT


def undo_note(job: Job) -> str:
    """Show what was discarded, and until when it can be restored."""
    day = datetime.fromtimestamp(job.trashed + TRASH_KEPT).strftime(views.DATE_AND_TIME)
    said = strings.UNDO_NOTE.format(name=job.name, day=day)
    return views.paragraph(f"{said} {strings.STOPPED_TOO}" if state_of(job).name == "stopping" else said, "quiet")


def result(kind: str, info: Mapping[str, Any]) -> str:
    """Show what a finished vector is worth on held-out data; ``info`` is the content of its vector.json."""
    return evidence(info.get("scores")) if kind == "language" else task_evidence(info)


def evidence(scores: dict[str, Any] | None) -> str:
    """Show the held-out loss without and with the vector; empty if it is unknown."""
    pair = language_loss(scores)
    if not isinstance(pair, dict) or {"before", "after"} - pair.keys():
        return ""
    before, after = pair["before"], pair["after"]
    rows = [
        (strings.BEFORE, f"{before:.3f}"),
        (strings.AFTER, f"{after:.3f}"),
        (strings.CHANGE, f"{after - before:+.3f}".replace("-", "−")),
    ]
    return _verdict(before - after) + views.figures(rows) + views.paragraph(strings.EVIDENCE, "quiet")


def _verdict(gain: float) -> str:
    if gain <= 0:
        return views.notice(strings.NOT_BETTER, kind="bad")
    return views.notice(strings.HARDLY_BETTER) if gain < SMALL_GAIN else views.notice(strings.BETTER, kind="good")


def task_evidence(info: Mapping[str, Any]) -> str:
    """Show the validation scores of a task vector in words, the figures behind; empty if they are unknown."""
    scores = info.get("scores") or {}
    rows = [
        (name, f"{scores[metric]['after']:.3f}") for metric, name in strings.SCORE_NAMES.items() if metric in scores
    ]
    if not rows:
        return ""
    measured = views.paragraph(strings.TASK_MEASURED, "quiet") + views.figures(rows)
    said = validation_in_words(info, strings.language())
    if not said:  # answers to questions are not counted by label
        return measured
    better = scores["accuracy"]["after"] > scores.get("majority", 0.0)
    warning = "" if better else views.notice(strings.TASK_NOT_BETTER, kind="bad")
    return views.in_words(said) + warning + measured


def messages(job: Job) -> str:
    """Show the messages of the training and the requests made to it, the newest first."""
    said = reversed(progress_of(job).messages)
    lines = "".join(
        f"<li><time>{datetime.fromtimestamp(m.time).strftime('%H:%M:%S')}</time> {escape(m.text)}</li>" for m in said
    )
    listed = f'<ul class="log">{lines}</ul>' if lines else views.paragraph(strings.NO_MESSAGES, "quiet")
    return listed + views.figures(_settings(job))


def _settings(job: Job) -> list[tuple[str, str]]:
    given = {*job.settings, *(job.settings.get("recipe") or {})}  # without the others of the preset
    known = {name: value for name, value in settings_of(job).items() if name in given}
    return [(setting_label(name), setting_value(value)) for name, value in known.items() if value not in (None, "", [])]


def setting_label(name: str) -> str:
    """Return the name of a setting of a job in the language of the page."""
    return strings.SETTINGS_OF.get(name) or train_fields.label(name)


def setting_value(value: Any) -> str:
    """Return the value of a setting of a job as text; the parts of a further labelled file stand in a row."""
    if isinstance(value, list | tuple):
        return ", ".join(map(setting_value, value))
    if isinstance(value, Mapping):
        return " · ".join(map(setting_value, value.values()))
    return "–" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value)
