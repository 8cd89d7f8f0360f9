"""What a visitor sees of work in the background: how far it is, why there is no result, or the result."""

from dataclasses import dataclass
from typing import Any

from deftx.core.errors import DeftxError
from ui import strings
from ui.classify import file_views
from ui.shared import views
from ui.shared.background import Errands


@dataclass(frozen=True)
class Seen:
    """A sight of the work: ``view`` stands for it until there is a result."""

    view: str = ""
    result: Any = None
    going: bool = False


def see(errands: Errands, id_: str, kind: type, title: str) -> Seen | None:
    """Look at work that was asked for; None where none was. ``title`` heads a refusal, ``kind`` is that of its result."""
    errand = errands.find(id_)
    if errand is None:
        return Seen(views.notice(strings.WORK_GONE)) if id_ else None
    if errand.ended is None:
        return Seen(file_views.progress(errands, errand), going=True)
    if errand.stopped:
        return Seen(views.notice(strings.WORK_STOPPED))
    if errand.error is not None:
        known = isinstance(errand.error, DeftxError)
        return Seen(views.refusal(title, errand.error if known else strings.WORK_FAILED))
    return Seen(result=errand.result) if isinstance(errand.result, kind) else Seen(views.notice(strings.WORK_GONE))
