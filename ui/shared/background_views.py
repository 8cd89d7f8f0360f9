"""The display of a background task: its progress, an error, or its result."""

from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import file_views
from ui.current import current_workspace
from ui.shared import views
from ui.shared.background import BackgroundTasks


@dataclass(frozen=True)
class Seen:
    """The state of a task; ``view`` is shown until there is a result."""

    view: str = ""
    result: Any = None
    going: bool = False


def see(background_tasks: BackgroundTasks, id_: str, kind: type | tuple[type, ...], title: str) -> Seen | None:
    """Look up a task; None if none was started. ``title`` heads an error, ``kind`` is the type of its result, or several."""
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


def known_work(id_: object) -> str:
    """Return the id of work that the browser stored, empty if it is gone."""
    return id_ if isinstance(id_, str) and current_workspace().background_tasks.find(id_) else ""
