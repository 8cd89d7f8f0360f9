"""How a job's process ends: what it leaves behind in words, its exit code, and the wish that it should stop."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deftx.core.advice import explain_any
from deftx.core.errors import DeftxError, TrainingStopped
from deftx.jobs.state import STATES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How a job ended, as result.json holds it; the traceback stands in the log alone."""

    outcome: str  # "finished", "failed" or "stopped"
    message: str  # for the person
    exception: str | None = None
    time: float = field(default_factory=time.time)


# A violent death leaves no result; the number is the exit code.
Ending = tuple[Result | None, int]


class StopRequest:
    """Turns the first SIGTERM or SIGINT into a question that the training asks at every step."""

    def __init__(self) -> None:
        """Listen from now on."""
        self.signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        self.signal = self.signal or number

    def asked(self) -> bool:
        """Say whether the process was asked to stop."""
        return self.signal is not None


def ending_of(work: Callable[[], Ending | None], stop: StopRequest) -> Ending:
    """Do the work and say how it ended: as it says itself, or by what it raised."""
    try:
        found = work()
    except TrainingStopped as error:
        return Result("stopped", STATES["stopped"].meaning, type(error).__name__), stopped_code(stop)
    except DeftxError as error:
        log.exception("The job cannot go on.")
        return Result("failed", str(error), type(error).__name__), 2
    except Exception as error:
        log.exception("The job failed.")
        return Result("failed", explain_any(error), type(error).__name__), 1
    return found or (Result("finished", "Finished."), 0)


def stopped_code(stop: StopRequest) -> int:
    """Give the exit code of what was stopped as asked: 128 + the signal's number."""
    return 128 + (stop.signal or signal.SIGTERM)
