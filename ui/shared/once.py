"""A memory of results in which equal calls at the same time compute once: the later ones wait for the first."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from threading import Lock
from typing import Generic, TypeVar

R = TypeVar("R")


class _Once(Generic[R]):
    """The result of one call, computed by the first thread that asks for it."""

    def __init__(self, compute: Callable[[], R]) -> None:
        self._compute, self._lock, self._found = compute, Lock(), []

    def result(self) -> R:
        with self._lock:  # after an error, the next thread computes it again
            if not self._found:
                self._found.append(self._compute())
            return self._found[0]


class Once(Generic[R]):
    """A function with the results of its last calls in memory, as ``functools.lru_cache`` keeps them."""

    def __init__(self, function: Callable[..., R], kept: int) -> None:
        """Keep the results of ``kept`` calls; the arguments of ``function`` must be hashable."""
        self._one = lru_cache(maxsize=kept)(lambda *given: _Once(lambda: function(*given)))
        self._finding = Lock()  # otherwise two threads could each begin a call with the same arguments
        self.cache_info = self._one.cache_info

    def __call__(self, *given: Hashable) -> R:
        """Return the result for these arguments."""
        with self._finding:
            one = self._one(*given)
        return one.result()
