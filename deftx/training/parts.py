"""Parts of a training run that are repeated from their beginning if they are interrupted.

Whoever runs a training in slices of limited time (deftx.jobs.slices) measures these parts, and stops before one that would
not end in time.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

OPENING = "opening"  # loading the base, reading the data, restoring the checkpoint
EVALUATION, SAVING, DENOISING, ENDING = "evaluation", "saving", "denoising", "ending"
PARTS = (OPENING, EVALUATION, SAVING, DENOISING, ENDING)

# Called with the part and its estimated seconds (0: unknown); the context that it returns is entered around the part, and
# may raise TrainingStopped when it is entered.
Watch = Callable[[str, float], AbstractContextManager[None]]

_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def part(name: str, seconds: float = 0.0) -> AbstractContextManager[None]:
    """Return the context of a part, for whoever watches the training run; it does nothing if nobody does."""
    watch = _watch.get()
    return nullcontext() if watch is None else watch(name, seconds)


@contextmanager
def watched_by(watch: Watch) -> Iterator[None]:
    """Have ``watch`` called for every part of the training run within the block."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)
