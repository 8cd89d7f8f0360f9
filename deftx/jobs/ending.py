"""The end of a job's process: its result, its exit code, and stop requests."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import overload

from deftx.core.advice import explain_any
from deftx.core.errors import DeftxError, TrainingStopped
from deftx.jobs.state import STATES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How a job ended, as in result.json. Tracebacks are only in the log."""

    outcome: str  # "finished", "failed" or "stopped"
    message: str  # for the person
    exception: str | None = None
    time: float = field(default_factory=time.time)


# Result and exit code; there is no result if a process was killed.
Ending = tuple[Result | None, int]


class StopRequest:
    """Records SIGTERM and SIGINT, so that training can check for a stop at every step."""

    def __init__(self) -> None:
        """Install the signal handlers."""
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        self.signal = self.signal or number

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        return self.signal is not None


@overload
def ending_of(work: Callable[[], None], stop: StopRequest | None) -> tuple[Result, int]: ...
@overload
def ending_of(work: Callable[[], Ending | None], stop: StopRequest | None) -> Ending: ...
def ending_of(work: Callable[[], Ending | None], stop: StopRequest | None) -> Ending:
    """Run the work and return how it ended, from its return value or its exception."""
    try:
        found = work()
    except TrainingStopped as error:
        return Result("stopped", STATES["stopped"].meaning, type(error).__name__), stopped_code(stop)
    except DeftxError as error:
        log.exception("The job cannot continue.")
        return Result("failed", str(error), type(error).__name__), 2
    except Exception as error:
        log.exception("The job failed.")
        return Result("failed", explain_any(error), type(error).__name__), 1
    return found or (Result("finished", "Finished."), 0)


def stopped_code(stop: StopRequest | None) -> int:
    """Return the exit code of a stopped process: 128 + the signal's number."""
    return 128 + ((stop and stop.signal) or signal.SIGTERM)
