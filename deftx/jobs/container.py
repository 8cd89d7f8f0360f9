"""The studio in a container, which is ended with SIGTERM and ten seconds' notice, and started again elsewhere.

Outside of one, workers outlive the server. Here nothing outlives it: so every job saves a checkpoint, waits in the queue,
and goes on by itself when the container is next started over the same folder.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from deftx.core.logs import about
from deftx.jobs.places import Places, choose
from deftx.jobs.scheduler import Scheduler
from deftx.jobs.shutdown import stop_workers
from deftx.jobs.snapshots import Snapshots, restore
from deftx.jobs.store import DATABASE_VARIABLE, Store

SWITCH = "DEFTX_CONTAINER"

log = logging.getLogger(__name__)


def is_container(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether this process was told that it is all there is in a container."""
    return environment.get(SWITCH, "") not in ("", "0")


class Container:
    """Chooses where the data lies, brings the queue back, and ends everything cleanly when it is told to."""

    def __init__(self) -> None:
        """Choose the folders and make them the ones that this process and its workers use."""
        self.places: Places = choose()
        self._store: Store | None = None
        self._scheduler: Scheduler | None = None
        self._snapshots: Snapshots | None = None
        self._told = threading.Event()
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        say = log.info if self.places.lasting else log.warning
        say("Data is kept in %s. %s", self.places.home, self.places.reason, extra=about("places"))
        os.environ["DEFTX_HOME"], os.environ[DATABASE_VARIABLE] = str(self.places.home), str(self.places.database)
        self._restore()

    def look_after(self, store: Store, scheduler: Scheduler) -> None:
        """Copy the queue of ``store`` from now on, and end its workers at the end."""
        self._store, self._scheduler = store, scheduler
        if self.places.snapshot is not None:
            self._snapshots = Snapshots(self.places.database, self.places.snapshot)
            self._snapshots.start()

    def _restore(self) -> None:
        if self.places.snapshot is None:
            return
        if (used := restore(self.places.database, self.places.snapshot)) is not None:
            log.info("The queue was brought back from %s.", used.name, extra=about("restored"))

    def _end(self, number: int, frame: FrameType | None) -> None:
        # In a thread of its own: the main one may stand anywhere, with any lock held.
        if not self._told.is_set():
            self._told.set()
            threading.Thread(target=self._finish, args=(number,), name="end").start()

    def _finish(self, number: int) -> NoReturn:
        began = time.monotonic()
        log.info("%s: jobs save their checkpoints.", signal.Signals(number).name, extra=about("stopping"))
        code = 0
        try:
            self._close(began)
        except Exception:
            log.exception("The end was not a clean one.", extra=about("stop_failed"))
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # neither open pages nor a base that is being loaded are waited for

    def _close(self, began: float) -> None:
        if self._store is None or self._scheduler is None:
            return log.info("Stopped before anything had begun.", extra=about("stopped"))
        self._scheduler.stop(patience=1.0)
        ended = stop_workers(self._store)
        if self._snapshots is not None and not self._snapshots.stop():
            log.error("The last state of the queue could not be copied.", extra=about("snapshot_failed"))
        log.info("Stopped after %.1f s. Jobs that saved a checkpoint: %d; that were killed: %d. They go on at the next start.",
                 time.monotonic() - began, ended.saved, ended.killed, extra=about("stopped"))  # fmt: skip
        return None
