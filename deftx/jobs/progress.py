"""Progress of a job from its events, which are read incrementally, so that many pages can poll every second."""

import math
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from deftx.core.events import Event, WordGuess, event_from_json
from deftx.jobs.job import EVENTS, Job

Curve = tuple[tuple[int, float], ...]  # (step, value) with ascending steps


@dataclass(frozen=True)
class Message:
    """A message of a training run: time (seconds since 1970), phase and text."""

    time: float
    phase: str
    text: str


@dataclass(frozen=True, eq=False)  # compared by identity, so that it can be a cache key
class Progress:
    """The current progress of a training run, and its history.

    ``seconds_left`` was estimated at the time ``updated`` (seconds since 1970). ``losses`` and ``evaluations`` have a curve
    per phase; ``metric`` is that of the evaluations. ``reached`` is the sum of the largest step of every phase; repeating
    steps after a resumption does not increase it. ``guesses`` are the latest of hidden words, ``first_guesses`` those of the
    base alone.
    """

    phase: str = ""
    step: int = 0
    total: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    updated: float | None = None
    losses: Mapping[str, Curve] = field(default_factory=dict)
    evaluations: Mapping[str, Curve] = field(default_factory=dict)
    metric: str = ""
    warnings: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    reached: int = 0
    first_guesses: tuple[WordGuess, ...] = ()
    guesses: tuple[WordGuess, ...] = ()


def progress_of(job: Job) -> Progress:
    """Return the progress of a job, reading only new events since the last call."""
    path = job.folder / EVENTS
    with _readers_lock:
        reader = _readers.pop(path, None) or _Reader(path)
        _readers[path] = reader  # in order of last use
        while len(_readers) > _READERS_KEPT:
            _readers.popitem(last=False)
    return reader.read()


_READERS_KEPT = 64  # number of jobs whose history is kept in memory
_readers: OrderedDict[Path, "_Reader"] = OrderedDict()
_readers_lock = threading.Lock()


class _Reader:
    """A file of events, and the position up to which it has been read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._start_over(file=0)

    def read(self) -> Progress:
        """Read new events and return the progress; the same object if there are none."""
        with self._lock:
            try:
                status = self._path.stat()
                if status.st_ino != self._file or status.st_size < self._offset:
                    self._start_over(status.st_ino)
                if status.st_size > self._offset:
                    self._read_on()
            except FileNotFoundError:
                self._start_over(file=0)
            return self._progress

    def _start_over(self, file: int) -> None:
        self._file, self._offset = file, 0
        self._progress = Progress()
        self._history = _History()

    def _read_on(self) -> None:
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            lines, newline, _half_written = file.read().rpartition(b"\n")
        self._offset += len(lines) + len(newline)
        for line in lines.splitlines():
            try:
                event = event_from_json(line)
            except (ValueError, TypeError):
                continue  # incomplete, because of a kill or a full disk
            self._history.take(event)
        self._progress = self._history.progress()


class _History:
    """The events so far, sorted into curves, warnings and messages."""

    def __init__(self) -> None:
        self.at = Event("", time=0.0)
        self.seconds_left: float | None = None
        self.estimated: float | None = None  # time of the estimate
        self.losses: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.evaluations: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.metric = ""
        self.loss: float | None = None
        self.warnings: dict[str, None] = {}  # without duplicates, because a resumed run repeats them
        self.messages: list[Message] = []
        self.furthest: dict[str, int] = {}  # largest step by phase
        self.first_guesses: tuple[WordGuess, ...] = ()
        self.guesses: tuple[WordGuess, ...] = ()

    def take(self, event: Event) -> None:
        """Add one event."""
        if event.phase == "tokenise" != self.at.phase:  # resumed: an estimate from before the pause is no longer true
            self.seconds_left = self.estimated = None
        if event.phase != self.at.phase or event.step or event.total:  # a message alone does not change the progress
            self.at = event
        if event.seconds_left is not None:
            self.seconds_left, self.estimated = event.seconds_left, event.time
        self.furthest[event.phase] = max(event.step, self.furthest.get(event.phase, 0))
        if event.loss is not None:
            self.loss = event.loss
            _extend(self.losses[event.phase], event.step, event.loss)
        if event.evaluation is not None:
            _extend(self.evaluations[event.phase], event.step, event.evaluation)
            self.metric = event.metric or self.metric
        if event.guesses and (event.phase, event.step) == ("evaluate", 1):  # a resumed run repeats it
            self.first_guesses = event.guesses
        elif event.guesses:
            self.guesses = event.guesses
        if event.message and event.warning:
            self.warnings[event.message] = None
        elif event.message:
            self.messages.append(Message(event.time, event.phase, event.message))

    def progress(self) -> Progress:
        """Return the progress of all events so far."""
        return Progress(
            phase=self.at.phase,
            step=self.at.step,
            total=self.at.total,
            loss=self.loss,
            seconds_left=self.seconds_left,
            updated=self.estimated,
            losses=_freeze(self.losses),
            evaluations=_freeze(self.evaluations),
            metric=self.metric,
            warnings=tuple(self.warnings),
            messages=tuple(self.messages),
            first_guesses=self.first_guesses,
            guesses=self.guesses,
            reached=len(self.furthest) + sum(self.furthest.values()),  # a new phase counts as progress
        )


def _extend(curve: list[tuple[int, float]], step: int, value: float) -> None:
    # A resumed run repeats the steps after its checkpoint; the new values replace the old ones.
    while curve and curve[-1][0] >= step:
        curve.pop()
    if math.isfinite(value):
        curve.append((step, value))


def _freeze(curves: Mapping[str, list[tuple[int, float]]]) -> Mapping[str, Curve]:
    return MappingProxyType({phase: tuple(curve) for phase, curve in curves.items()})
