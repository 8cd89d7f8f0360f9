"""Calls to the GPU of ZeroGPU: each continues a training run for some seconds, within a request of its owner's page."""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from deftx.core.hosting import hosting_from, on_zero_gpu
from deftx.core.logs import about
from deftx.jobs import Job, Store, state_of
from deftx.jobs.limits import limits_for
from deftx.jobs.slices import SliceStatus, run_slice, slice_status

LONGEST = 60.0  # seconds of a call, unless the training run needs more to advance
PAUSE, LONGEST_PAUSE = 5.0, 3600.0  # seconds to the next call after one without a GPU; doubled from each to the next

# The end of a refusal, if it says when the quota comes back: as Python prints a duration.
_TRY_AGAIN = re.compile(r"Try again in (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")

log = logging.getLogger(__name__)

Train = Callable[[Path, int, Mapping[str, str]], SliceStatus]


@dataclass(frozen=True)
class Refusal:
    """Why a call got no GPU or lost it, in the words of the platform; ``until`` is the time of the next call, in seconds since 1970."""

    message: str
    until: float
    times: int  # such calls in a row


def train(folder: Path, seconds: int, limits: Mapping[str, str]) -> SliceStatus:
    """Train the job in ``folder`` for so many seconds; this runs in the process that has the GPU."""
    return run_slice(folder, seconds, limits)


def duration(folder: Path, seconds: int, limits: Mapping[str, str]) -> int:
    """Return the seconds for which ``train`` needs a GPU."""
    return seconds


def calls_here() -> "Calls | None":
    """Return the calls on a Space with ZeroGPU; None elsewhere. They must exist before the page is launched."""
    if not on_zero_gpu():
        return None
    import spaces  # the platform installs it; app.py has imported it before torch

    return Calls(spaces.GPU(train, duration=duration))


class Calls:
    """The calls of everybody, at most one at a time for each owner of jobs; every method can be called from any thread."""

    def __init__(self, train: Train) -> None:
        """Train by this function, which has a GPU while it runs."""
        self._train = train
        self._lock = threading.Lock()
        self._calling: set[str | None] = set()  # owners
        self._refusals: dict[str | None, Refusal] = {}  # by owner: a quota is that of a person

    def advance(self, store: Store) -> None:
        """Make a call for the next waiting job of the store's owner, unless one is running or the GPU was just refused."""
        with self._lock:
            if store.owner in self._calling or self.refusal(store) is not None:
                return
            self._calling.add(store.owner)
        try:
            job = current(store)
            if job is not None and state_of(job).name == "waiting":
                self._call(store, job)
        finally:
            self._calling.remove(store.owner)

    def refusal(self, store: Store) -> Refusal | None:
        """Return why no call is made now for the store's owner; None if nothing is in the way."""
        refusal = self._refusals.get(store.owner)
        return refusal if refusal is not None and refusal.until > time.time() else None

    def forget(self, store: Store) -> None:
        """Forget a refusal, so that the next call is made at once."""
        self._refusals.pop(store.owner, None)

    def _call(self, store: Store, job: Job) -> None:
        seconds = math.ceil(slice_status(job.folder).ask(LONGEST))
        try:
            self._train(job.folder, seconds, limits_for(hosting_from(), job))
        except gr.Error as error:
            self._refuse(store, str(error.message))
        except Exception as error:  # of the package, such as the loss of its connection
            log.exception("A call for job %s failed.", job.id, extra=about("call_failed", job.id))
            self._refuse(store, type(error).__name__)
        else:
            self.forget(store)

    def _refuse(self, store: Store, message: str) -> None:
        before = self._refusals.get(store.owner)
        times = before.times + 1 if before else 1
        pause = seconds_to_wait(message)
        if pause is None:
            pause = min(PAUSE * 2 ** (times - 1), LONGEST_PAUSE)
        self._refusals[store.owner] = Refusal(message, time.time() + pause, times)


def current(store: Store) -> Job | None:
    """Return the job of the store's owner that is in a call, or waits for the next one; None if no job needs calls."""
    own = [job for job in store.list() if job.is_sliced and job.owner == (store.owner or "")]
    states = [(job, state_of(job)) for job in own]
    needing = [
        (not state.active, job.position, job) for job, state in states if state.active or state.name == "waiting"
    ]
    return min(needing, key=lambda one: one[:2])[-1] if needing else None


def seconds_to_wait(message: str) -> float | None:
    """Return after how many seconds a refusal says to try again; None if it does not say."""
    found = _TRY_AGAIN.search(message)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
