"""Progress events of a training run, used by the command line, the jobs and the page."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from deftx.core.errors import TrainingStopped

# The phases of Algorithm 1, in order.
PHASES = ("tokenise", "dense", "spectrum", "denoise", "select", "sparse", "evaluate")


@dataclass(frozen=True)
class WordGuess:
    """A hidden word of a held-out sentence, the text around it, and the word that the model guessed."""

    before: str
    word: str
    after: str
    guess: str


@dataclass(frozen=True)
class Event:
    """The progress, a measurement or a message of a training run.

    ``loss`` is the mean training loss in nats since the last event, ``learning_rate`` that of the last step. ``evaluation`` is the validation score in ``metric``
    ("masked_lm_loss" or "next_token_loss" in nats; "f1", "accuracy", "entity_f1", "answer_f1" or "exact_match" from 0 to 1).
    ``seconds_left`` is the estimated time left of the whole run. In phase "evaluate", step 1 measures the base alone and step 2 the base with the vector. ``guesses`` come with
    the evaluations of a language: they quote the held-out text, and are for the owner of the run only.
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
    guesses: tuple[WordGuess, ...] = ()
    learning_rate: float | None = None
    time: float = field(default_factory=time.time)  # seconds since 1970

    def to_json(self) -> str:
        """Return the event as one line of JSON, without empty fields."""
        # ``is not False``, because 0.0 == False and a score of 0.0 must be written.
        given = {k: v for k, v in asdict(self).items() if v is not None and v is not False and v not in ("", ())}
        return json.dumps(given)


OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Listener:
    """The callbacks of a training run: one receives its events, one says whether it should stop."""

    on_event: OnEvent
    should_stop: Callable[[], bool]

    def raise_if_stopped(self, message: str) -> None:
        """Raise an exception if a stop was requested.

        Args:
            message: The message of the exception.

        Raises:
            TrainingStopped: If ``should_stop`` returns True.
        """
        if self.should_stop():
            raise TrainingStopped(message)


def event_from_json(line: str | bytes) -> Event:
    """Read a line that ``Event.to_json`` wrote."""
    fields = json.loads(line)
    return Event(**{**fields, "guesses": tuple(WordGuess(**one) for one in fields.get("guesses", ()))})


def ignore(event: Event) -> None:
    """Do nothing with the event."""


def read_duration(seconds: float | None) -> str:
    """Format a duration in seconds, e.g. "2 h 05 min", "3 min 20 s" or "8 s"."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
