"""What a training tells while it runs: one small record, the same for the command line, the jobs and the page."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from deftx.core.errors import TrainingStopped

# The phases of Algorithm 1 in the order in which a person sees them.
PHASES = ("tokenise", "dense", "spectrum", "denoise", "select", "sparse", "evaluate")


@dataclass(frozen=True)
class Event:
    """One step forward, one measurement, or one thing worth saying.

    ``loss`` is the training loss in nats since the last event, ``evaluation`` the validation score of the phase by
    ``metric`` ("masked_lm_loss" in nats, or "f1" or "accuracy" from 0 to 1), ``seconds_left`` the estimate for the
    whole run. In phase "evaluate", step 1 measures the base alone and step 2 the base with the vector.
    """

    phase: str
    step: int = 0
    total: int = 0
    loss: float | None = None
    evaluation: float | None = None
    metric: str = ""
    seconds_left: float | None = None
    message: str = ""
    warning: bool = False
    time: float = field(default_factory=time.time)  # seconds since 1970

    def to_json(self) -> str:
        """Write the event as one line of JSON, without the fields that say nothing."""
        # By identity: a score of 0.0 equals False, and it does say something.
        return json.dumps({k: v for k, v in asdict(self).items() if v is not None and v is not False and v != ""})


OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Listener:
    """Who is told, and who may ask to stop."""

    on_event: OnEvent
    should_stop: Callable[[], bool]

    def raise_if_stopped(self, message: str) -> None:
        """Raise TrainingStopped with the message where a stop was asked for."""
        if self.should_stop():
            raise TrainingStopped(message)


def event_from_json(line: str) -> Event:
    """Read back a line that ``Event.to_json`` wrote."""
    return Event(**json.loads(line))


def ignore(event: Event) -> None:
    """The listener for those who do not listen."""


def read_duration(seconds: float | None) -> str:
    """Write seconds as a person says them: "2 h 05 min", "3 min 20 s", "8 s"."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
