"""The studio in a container, which is stopped with SIGTERM and ten seconds to shut down.

Outside of a container, workers continue after the server ends. In a container they cannot, so every job saves a checkpoint,
returns to the queue, and resumes when a container is started with the same folder.
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
    """Return whether this process runs as the main process of a container."""
    return environment.get(SWITCH, "") not in ("", "0")


class Container:
    """Chooses the folders for data, restores the queue, and shuts everything down on a signal."""

    def __init__(self) -> None:
        """Choose the folders, and set them for this process and its workers."""
        self.places: Places = choose()
        self._store: Store | None = None
        self._scheduler: Scheduler | None = None
        self._snapshots: Snapshots | None = None
        self._stopping = threading.Event()
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        write = log.info if self.places.lasting else log.warning
        write("Data is stored in %s. %s", self.places.home, self.places.reason, extra=about("places"))
        os.environ["DEFTX_HOME"], os.environ[DATABASE_VARIABLE] = str(self.places.home), str(self.places.database)
        self._restore()

    def manage(self, store: Store, scheduler: Scheduler) -> None:
        """Copy the queue of ``store`` from now on, and stop its workers at the end."""
        self._store, self._scheduler = store, scheduler
        if self.places.snapshot is not None:
            self._snapshots = Snapshots(self.places.database, self.places.snapshot)
            self._snapshots.start()

    def _restore(self) -> None:
        if self.places.snapshot is None:
            return
        if (used := restore(self.places.database, self.places.snapshot)) is not None:
            log.info("The queue was restored from %s.", used.name, extra=about("restored"))

    def _end(self, number: int, frame: FrameType | None) -> None:
        # In another thread, because the main thread may hold a lock.
        if not self._stopping.is_set():
            self._stopping.set()
            threading.Thread(target=self._finish, args=(number,), name="end").start()

    def _finish(self, number: int) -> NoReturn:
        began = time.monotonic()
        log.info("%s: jobs save their checkpoints.", signal.Signals(number).name, extra=about("stopping"))
        code = 0
        try:
            self._close(began)
        except Exception:
            log.exception("The shutdown failed.", extra=about("stop_failed"))
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # without waiting for open pages or a base that is being loaded

    def _close(self, began: float) -> None:
        if self._store is None or self._scheduler is None:
            return log.info("Stopped before anything was started.", extra=about("stopped"))
        self._scheduler.stop(patience=1.0)
        ended = stop_workers(self._store)
        if self._snapshots is not None and not self._snapshots.stop():
            log.error("The last state of the queue could not be copied.", extra=about("snapshot_failed"))
        log.info("Stopped after %.1f s. Jobs that saved a checkpoint: %d; jobs that were killed: %d. They resume at the next start.",
                 time.monotonic() - began, ended.saved, ended.killed, extra=about("stopped"))  # fmt: skip
        return None
