"""The HTML of a classified file: counts, the least certain texts, and rows to filter and sort."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from deftx.classify.estimating import ESTIMATE_ERROR, LEAST_TEXTS
from deftx.core.calibration import Calibration
from deftx.core.events import read_duration
from deftx.data.unlabelled import least_certain
from ui import strings
from ui.classify import compose_form
from ui.classify.file_tasks import Classified
from ui.classify.other_languages import OtherLanguage
from ui.language_names import code_of, name_of
from ui.library import vector_index
from ui.shared import views
from ui.shared.background import BackgroundTask, BackgroundTasks

ROWS_SHOWN = 100
UNCERTAIN_SHOWN = 5
WANTED_SHARES = (0.8, 0.85, 0.9, 0.95)


def progress(background_tasks: BackgroundTasks, background_task: BackgroundTask) -> str:
    """Show the progress and the time left, or the number of tasks ahead in the queue."""
    if before := background_tasks.before(background_task):
        return views.notice(strings.IN_LINE.format(count=before))
    left = background_task.seconds_left
    said = strings.TIME_LEFT.format(duration=read_duration(left)) if left is not None else strings.WORK_BEGINS
    line = f'<p class="under-bar"><span>{background_task.share:.0%}</span><span>{escape(said)}</span></p>'
    return views.bar(background_task.share, strings.WORK_PROGRESS) + line


def summary(found: Classified) -> str:
    """Show the count of each label, the vectors, and the texts with the least certain answers."""
    count = len(found.rows.texts)
    bars = [
        (strings.LABEL_COUNT.format(label=label, count=f"{number:,}"), number / count)
        for label, number in found.counts.items()
    ]
    made = strings.FILE_MADE_OF.format(task=found.task, language=found.language)
    empty = len(found.rows.rows) - count
    notes = language_notes(found.other)
    notes += [strings.NO_GPU_FOR_TEXTS.format(message=found.refusal)] if found.refusal else []
    notes += found.rows.notes
    notes += [strings.ROWS_WITHOUT_TEXT.format(count=empty)] if empty else []
    notes += [strings.TEXTS_CUT.format(count=found.cut, most=found.max_length)] if found.cut else []
    notes += [strings.FORMULAS_DISARMED.format(count=found.disarmed)] if found.disarmed else []
    return (
        f"<h3>{escape(found.name)}</h3>{views.figures([(strings.TEXTS_CLASSIFIED, f'{count:,}')])}"
        f"{views.bars(bars, caption=strings.LABELS_FOUND)}{views.paragraph(made, 'quiet')}{_estimate(found)}"
        f"{views.notes(strings.NOTE, notes)}"
    )


def language_notes(other: OtherLanguage | None) -> list[str]:
    """Say that texts are in another language than the vectors are for, and whether there is a vector for it; nothing without one."""
    if other is None:
        return []
    found, expected = name_of(other.found), " / ".join(map(name_of, other.expected))
    said = strings.FILE_OTHER_LANGUAGE.format(found=found, expected=expected)
    codes = [code_of(vector_index.code_of(entry.folder)) for entry in compose_form.usable("language")]
    return [f"{said} {strings.FILE_LANGUAGE_READY.format(found=found)}" if other.found in codes else said]


def _estimate(found: Classified) -> str:
    return estimate(found.calibration, found.probabilities.numpy()) if found.calibration else ""


def estimate(calibration: Calibration, probabilities: np.ndarray) -> str:
    """Say how many answers are probably right, and how far such estimates were off where the labels are known.

    With fewer than LEAST_TEXTS texts, it says that this is not estimated.
    """
    if len(probabilities) < LEAST_TEXTS:
        return views.paragraph(strings.TOO_FEW_TO_ESTIMATE.format(least=LEAST_TEXTS), "quiet")
    said = strings.ESTIMATED.format(
        right=round(100 * calibration.estimate(probabilities)), languages=ESTIMATE_ERROR.languages,
        mean=f"{ESTIMATE_ERROR.mean:g}", most=f"{ESTIMATE_ERROR.most:g}",
    )  # fmt: skip
    return views.paragraph(said, "said")


def sure_choices(found: Classified) -> list[tuple[str, float]]:
    """List which answers can be shown: all, or those that are right at a wanted rate, with their number."""
    wanted = [(strings.SURE_ANSWERS.format(wanted=round(100 * share), count=sum(found.sure(share))), share)
              for share in (WANTED_SHARES if found.calibration else ())]  # fmt: skip
    return [(strings.ANY, 0.0), *wanted]


def uncertain(found: Classified) -> str:
    """List the texts whose most probable label has the lowest probability."""
    rows = least_certain(found.probabilities, UNCERTAIN_SHOWN)
    return f"<h4>{escape(strings.LEAST_CERTAIN)}</h4>{_table(found, rows)}"


def rows(found: Classified, label: str, order: str, wanted: float = 0.0) -> str:
    """List the first rows with a label ("" for any), in the order of the file or by certainty; sure ones if ``wanted`` is above 0."""
    sure = found.sure(wanted) if wanted else [True] * len(found.predicted)
    chosen = [row for row, said in enumerate(found.predicted) if sure[row] and (not label or said == label)]
    if order != "file":
        highest = found.probabilities.max(-1).values.tolist()
        chosen.sort(key=highest.__getitem__, reverse=order == "surest")
    shown = strings.ROWS_OF.format(shown=min(len(chosen), ROWS_SHOWN), count=len(chosen))
    return views.paragraph(shown, "quiet") + _table(found, chosen[:ROWS_SHOWN])


def _table(found: Classified, rows: Sequence[int]) -> str:
    heads = (strings.ANSWER_TEXT, strings.ANSWER_LABEL, *found.labels)
    heading = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(_row(found, row) for row in rows)
    return f'<div class="scroll"><table class="numbers texts"><thead><tr>{heading}</tr></thead>{body}</table></div>'


def _row(found: Classified, row: int) -> str:
    values = found.probabilities[row].tolist()
    said = found.labels[values.index(max(values))]
    cells = "".join(f"<td>{value:.1%}</td>" for value in values)
    return f'<tr><th scope="row">{text(found.rows.texts[row])}</th><td><b>{escape(said)}</b></td>{cells}</tr>'


def text(one: str | Iterable[str]) -> str:
    """Show a text, or a pair one below the other."""
    return views.quote(one) if isinstance(one, str) else "<br>".join(map(views.quote, one))
