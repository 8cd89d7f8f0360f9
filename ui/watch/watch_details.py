"""The folded parts below a training run's plot: its numbers, its log, its disk space."""

from html import escape

from deftx.jobs import Job, Progress, progress_of, state_of
from deftx.jobs.disk import can_free, has_vector, usage_of
from ui import strings
from ui.shared import figures, views

WITHOUT_EVALUATION = 10  # measured steps that are listed before the first evaluation
LOG_LINES = 40


def numbers(job: Job) -> str:
    """Show the curves of the plot as a table: every evaluated step, the latest first."""
    progress = progress_of(job)
    lines = [line for phase in reversed(figures.PHASES) for line in _lines(progress, phase)]
    if not lines:
        return views.paragraph(strings.NO_NUMBERS, "quiet")
    judged = strings.SCORE_AXIS.get(progress.metric, progress.metric) if job.kind == "task" else strings.HELD_OUT_LOSS
    heads = (strings.PHASE, strings.STEP, f"{strings.TRAIN_LOSS}, {strings.LOSS_AXIS}", judged)
    return views.table(heads, lines)


def _lines(progress: Progress, phase: str) -> list[tuple[str, ...]]:
    losses, judged = dict(progress.losses.get(phase, ())), dict(progress.evaluations.get(phase, ()))
    steps = sorted(judged or list(losses)[-WITHOUT_EVALUATION:], reverse=True)
    name = strings.PHASES[phase][0]
    return [(name, f"{step:,}", _number(losses.get(step)), _number(judged.get(step))) for step in steps]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def log_tail(job: Job) -> str:
    """Return the last lines of the process's log."""
    text = job.log_tail(LOG_LINES)
    return f'<pre class="tail">{escape(text)}</pre>' if text else views.paragraph(strings.NO_LOG, "quiet")


def disk(job: Job) -> str:
    """Show the disk space of a training run, and the cost of deleting its checkpoints."""
    usage = usage_of(job)
    rows = (
        (strings.DISK_VECTOR, usage.vector),
        (strings.DISK_TRAINING, usage.training),
        (strings.DISK_RECORD, usage.record),
        (strings.DISK_TOTAL, usage.total),
    )
    shown = views.figures([(name, views.size(size)) for name, size in rows])
    return shown + views.paragraph(_loses(job, views.size(usage.training)), "quiet")


def _loses(job: Job, size: str) -> str:
    """Describe what would be lost with the checkpoints, before they are deleted."""
    if not can_free(job):
        return strings.FREE_NOTHING
    if has_vector(job) or state_of(job).name == "finished":
        return strings.FREE_LOSES_DELTA.format(size=size)
    progress = progress_of(job)
    reached = [
        strings.PHASE_REACHED.format(phase=strings.PHASES[phase][0], step=progress.losses[phase][-1][0])
        for phase in figures.PHASES
        if progress.losses.get(phase)
    ]
    if not reached:
        return strings.FREE_LOSES_START.format(size=size)
    return strings.FREE_LOSES_STEPS.format(size=size, reached="; ".join(reached))
