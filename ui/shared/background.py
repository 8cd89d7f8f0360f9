"""Background tasks: run one after the other in a separate thread, and found by id."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from deftx.core.errors import DeftxError
from ui import strings

KEPT = 3_600.0  # seconds for which a result is kept after the last request for it
MOST_KEPT = 20  # results in memory: the result of a long file holds all its rows
MOST_WAITING = 20

OnShare = Callable[[float], None]
Work = Callable[[OnShare], Any]


class Stopped(Exception):
    """The visitor stopped the task."""


@dataclass
class BackgroundTask:
    """One task; ``share`` (0 to 1) is done, and ``result`` or ``error`` is set when it has ended."""

    id: str
    owner: str
    work: Work | None  # released when it has ended
    share: float = 0.0
    began: float | None = None  # seconds of a clock that nobody sets, as are the others
    ended: float | None = None
    seen: float = field(default_factory=time.monotonic)
    result: Any = None
    error: Exception | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def stopped(self) -> bool:
        """Return whether it was stopped before its end."""
        return isinstance(self.error, Stopped)

    @property
    def seconds_left(self) -> float | None:
        """Estimate the time left from the share that is done; None while the share is too small."""
        if self.began is None or self.share < 0.02:
            return None
        return (time.monotonic() - self.began) * (1 - self.share) / self.share


class BackgroundTasks:
    """The tasks of all visitors in one queue; a task can be found only by its owner."""

    def __init__(self) -> None:
        """Create an empty queue."""
        self._lock = threading.Condition()
        self._known: dict[str, BackgroundTask] = {}
        self._waiting: list[BackgroundTask] = []
        self._running = False
        self._thread: threading.Thread | None = None

    def start(self, work: Work, *, instead_of: str = "", owner: str = "") -> str:
        """Add a task to the queue and return its id; the visitor's earlier task is stopped.

        Raises:
            DeftxError: too many tasks are waiting.
        """
        self.stop(instead_of, owner)
        with self._lock:
            self._forget()
            if len(self._waiting) >= MOST_WAITING:
                raise DeftxError(strings.TOO_BUSY.format(count=len(self._waiting)))
            # In the context of the caller: in their language, and in their workspace.
            background_task = BackgroundTask(secrets.token_urlsafe(16), owner, partial(copy_context().run, work))
            self._known[background_task.id] = background_task
            self._waiting.append(background_task)
            # A daemon thread: a server that is stopped does not wait for a long file.
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="background-tasks", daemon=True)
                self._thread.start()
            self._lock.notify_all()
        return background_task.id

    def find(self, id_: str, owner: str = "") -> BackgroundTask | None:
        """Find an owner's task by its id; None if it does not exist or is no longer kept."""
        with self._lock:
            self._forget()
            background_task = self._own(id_, owner)
            if background_task is not None:
                background_task.seen = time.monotonic()
            return background_task

    def before(self, background_task: BackgroundTask) -> int:
        """Count the tasks ahead of it, including the current one; 0 when it runs."""
        with self._lock:
            return self._waiting.index(background_task) + self._running if background_task in self._waiting else 0

    def stop(self, id_: str, owner: str = "") -> None:
        """End a waiting or running task; without one, do nothing."""
        with self._lock:
            background_task = self._own(id_, owner)
            if background_task is None or background_task.ended is not None:
                return
            background_task.stop.set()
            if background_task in self._waiting:
                self._waiting.remove(background_task)
                self._end(background_task, error=Stopped())

    def wait(self, id_: str, owner: str = "") -> Any:
        """Wait for the end of a task; return its result or raise its error."""
        with self._lock:
            background_task = self._own(id_, owner)
            if background_task is None:
                raise DeftxError(strings.WORK_GONE)
            self._lock.wait_for(lambda: background_task.ended is not None)
        if background_task.error is not None:
            raise background_task.error
        return background_task.result

    def _own(self, id_: str, owner: str) -> BackgroundTask | None:
        background_task = self._known.get(id_ or "")
        return background_task if background_task is not None and background_task.owner == owner else None

    def _work(self) -> None:
        while True:
            self._do_next()

    def _do_next(self) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._waiting)
            background_task = self._waiting.pop(0)
            background_task.began, self._running = time.monotonic(), True
        try:
            result, error = background_task.work(partial(_report, background_task)), None
        except Exception as problem:  # any exception: the next visitor's task must run, and this one's owner is told
            if not isinstance(problem, DeftxError | Stopped):
                logging.getLogger(__name__).exception("a background task failed")
            result, error = None, problem
        with self._lock:
            self._running = False
            self._end(background_task, result, error)

    def _end(self, background_task: BackgroundTask, result: Any = None, error: Exception | None = None) -> None:
        background_task.result, background_task.error, background_task.ended, background_task.work = (
            result,
            error,
            time.monotonic(),
            None,
        )
        self._lock.notify_all()

    def _forget(self) -> None:
        """Drop results that were not requested lately, and the oldest if there are too many."""
        now = time.monotonic()
        over = sorted(
            (e for e in self._known.values() if e.ended is not None), key=lambda background_task: background_task.seen
        )
        for place, background_task in enumerate(over):
            if now - background_task.seen > KEPT or len(over) - place > MOST_KEPT:
                del self._known[background_task.id]


@dataclass(frozen=True)
class OwnBackgroundTasks:
    """The tasks of one owner in the shared queue."""

    everybody: BackgroundTasks
    owner: str

    def start(self, work: Work, *, instead_of: str = "") -> str:
        """As ``BackgroundTasks.start``."""
        return self.everybody.start(work, instead_of=instead_of, owner=self.owner)

    def find(self, id_: str) -> BackgroundTask | None:
        """As ``BackgroundTasks.find``."""
        return self.everybody.find(id_, self.owner)

    def before(self, background_task: BackgroundTask) -> int:
        """As ``BackgroundTasks.before``."""
        return self.everybody.before(background_task)

    def stop(self, id_: str) -> None:
        """As ``BackgroundTasks.stop``."""
        self.everybody.stop(id_, self.owner)

    def wait(self, id_: str) -> Any:
        """As ``BackgroundTasks.wait``."""
        return self.everybody.wait(id_, self.owner)


def _report(background_task: BackgroundTask, share: float) -> None:
    background_task.share = share
    if background_task.stop.is_set():
        raise Stopped
