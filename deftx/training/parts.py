"""Parts of a training run that are repeated from their beginning if they are interrupted.

A training run in slices of limited time (deftx.jobs.slices) measures these parts, and stops before one that would not end in
time.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

OPENING = "opening"  # loading the base, reading the data, restoring the checkpoint
EVALUATION, SAVING, DENOISING, ENDING = "evaluation", "saving", "denoising", "ending"
PARTS = (OPENING, EVALUATION, SAVING, DENOISING, ENDING)

# Called with the part and its estimated seconds (0: unknown); the context that it returns is entered around the part, and
# may raise TrainingStopped when it is entered.
OnPart = Callable[[str, float], AbstractContextManager[None]]

_on_part: ContextVar[OnPart | None] = ContextVar("on_part", default=None)


def part(name: str, seconds: float = 0.0) -> AbstractContextManager[None]:
    """Return the context of a part: the one of ``on_each_part``, or one that does nothing."""
    on_part = _on_part.get()
    return nullcontext() if on_part is None else on_part(name, seconds)


@contextmanager
def on_each_part(on_part: OnPart) -> Iterator[None]:
    """Have ``on_part`` called for every part of the training run within the block."""
    token = _on_part.set(on_part)
    try:
        yield
    finally:
        _on_part.reset(token)
