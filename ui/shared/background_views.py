"""What a visitor sees of work in the background: how far it is, why there is no result, or the result."""

from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import file_views
from ui.shared import views
from ui.shared.background import BackgroundTasks


@dataclass(frozen=True)
class Seen:
    """A sight of the work: ``view`` stands for it until there is a result."""

    view: str = ""
    result: Any = None
    going: bool = False


def see(background_tasks: BackgroundTasks, id_: str, kind: type, title: str) -> Seen | None:
    """Look at work that was asked for; None where none was. ``title`` heads a refusal, ``kind`` is that of its result."""
    background_task = background_tasks.find(id_)
    if background_task is None:
        return Seen(views.notice(strings.WORK_GONE)) if id_ else None
    if background_task.ended is None:
        return Seen(file_views.progress(background_tasks, background_task), going=True)
    if background_task.stopped:
        return Seen(views.notice(strings.WORK_STOPPED))
    if background_task.error is not None:
        known = isinstance(background_task.error, DeftxError)
        return Seen(views.refusal(title, background_task.error if known else strings.WORK_FAILED))
    return (
        Seen(result=background_task.result)
        if isinstance(background_task.result, kind)
        else Seen(views.notice(strings.WORK_GONE))
    )
