"""Preview of a training run before it starts: the estimate, the problems, and the same run as a command, Python and a file."""

from contextlib import suppress
from dataclasses import replace
from html import escape

from deftx.core.errors import DeftxError
from deftx.core.sizes import read_size
from deftx.training.reproduce import to_command, to_python
from deftx.training.request import ZERO_GPU, Refusal, SettingsRefused, TrainingRequest
from deftx.training.settings_file import to_file
from ui import strings
from ui.current import current_workspace
from ui.shared import views
from ui.train import remote, requests, train_fields
from ui.train.forecast import Outlook
from ui.train.train_fields import Values

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds


def preview(text: str | None, values: Values) -> tuple[str, str, str, str]:
    """Return (estimate as HTML, command, Python code, settings file) for the values of the form."""
    forecast = current_workspace().forecast
    try:
        request = train_fields.from_form(values, text)
    except SettingsRefused as error:
        # The readable fields may have problems too; all are shown together.
        readable = {**values, **{one.field: "" for one in error.refusals}}
        others: list[Refusal] = []
        with suppress(SettingsRefused):  # the further labelled files are no field that can be emptied
            others = forecast.look(train_fields.from_form(readable, text)).refusals
        return refusals_view(strings.WOULD_BE_REFUSED, [*error.refusals, *others]), "", "", ""
    return outlook_view(request.kind, forecast.look(request)), *copies(request)


def copies(request: TrainingRequest) -> tuple[str, str, str]:
    """Return (command, Python code, settings file) of a request; the first two are empty if it has no training data."""
    file = to_file(request)
    if not request.data:
        return "", "", file
    try:
        found = requests.resolve(current_workspace(), request)
    except DeftxError:  # shown with the estimate
        return "", "", file
    if found.device in ("cpu", ZERO_GPU) or found.processes > 1:  # the best device there, whichever it is here
        found = replace(found, device="")
    return to_command(found), to_python(found), file


def outlook_view(kind: str, outlook: Outlook) -> str:
    """Return the estimate of a training run as HTML."""
    if outlook.refusals:
        return refusals_view(strings.WOULD_BE_REFUSED, outlook.refusals)
    if outlook.found is None:
        return views.paragraph(strings.NOT_YET if kind == "language" else strings.NOT_YET_TASK, "quiet")
    numbers = views.figures(_numbers(outlook))
    rests = views.paragraph(_rests_on(outlook), "quiet")
    good = views.paragraph(strings.NOTHING_REFUSED, "quiet")
    return f"<h3>{strings.OUTLOOK}</h3>{numbers}{views.notes(strings.NOTE, outlook.notes) or good}{rests}"


def refusals_view(title: str, refusals: list[Refusal], after: str = "") -> str:
    """Return the refusals as HTML, each with the label of its field."""
    items = "".join(
        f"<li><b>{escape(strings.REFUSED.format(field=train_fields.label(one.field)))}</b> {escape(one.reason)}</li>"
        for one in refusals
    )
    closing = f"<p>{escape(after)}</p>" if after else ""
    return f'<div class="notice bad" role="alert"><strong>{escape(title)}</strong><ul>{items}</ul>{closing}</div>'


def rough(seconds: float) -> str:
    """Return an estimated time in seconds as rounded text, such as "40 s", "7 min", "2.5 h" or "3 days"."""
    if seconds < 1.5 * MINUTE:
        return strings.SECONDS.format(count=max(10, 10 * round(seconds / 10)))
    if seconds < 1.5 * HOUR:
        return strings.MINUTES.format(count=round(seconds / MINUTE))
    if seconds < 1.5 * DAY:
        return strings.HOURS.format(count=f"{seconds / HOUR:.1f}".removesuffix(".0"))
    return strings.DAYS.format(count=round(seconds / DAY))


def _covered(outlook: Outlook) -> list[tuple[str, str]]:
    if outlook.covered is None:
        return []
    found = outlook.covered
    return [(strings.COVERED, strings.COVERED_OF.format(share=f"{100 * found.share:.1f}", covered=f"{found.covered:,}",
                                                        words=f"{found.words:,}"))]  # fmt: skip


def _numbers(outlook: Outlook) -> list[tuple[str, str]]:
    found, trainable, place = outlook.found, outlook.base.model.trainable, outlook.place
    low, high = (rough(seconds) for seconds in found.seconds)
    time = strings.ABOUT.format(value=low) if low == high else strings.TIME_RANGE.format(low=low, high=high)
    measured = place is None or outlook.trainings > 0  # a remote machine cannot be benchmarked
    return [
        (strings.TIME, time if measured else strings.ELSEWHERE_NO_TIME),
        *(remote.numbers(place, found.seconds if measured else None) if place else ()),
        (strings.MEMORY, strings.ABOUT.format(value=read_size(found.memory))),
        (strings.DISK, read_size(found.disk)),
        (strings.VECTOR_SIZE, strings.ABOUT.format(value=read_size(found.vector))),
        (strings.STEPS, strings.STEPS_OF.format(dense=found.dense_steps, sparse=found.sparse_steps)),
        *_covered(outlook),
        (strings.CHANGED_WEIGHTS, strings.ENTRIES_OF.format(entries=found.entries, all=trainable)),
    ]


def _rests_on(outlook: Outlook) -> str:
    trainings = outlook.trainings
    if outlook.place is not None:
        return remote.rests_on(outlook.place, trainings)
    if trainings == 0:
        return strings.RESTS_ON_CARD if current_workspace().calls else strings.RESTS_ON_TRIAL
    return strings.RESTS_ON_ONE if trainings == 1 else strings.RESTS_ON_MANY.format(count=trainings)
