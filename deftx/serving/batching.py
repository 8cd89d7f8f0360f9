"""Batches across requests: texts wait in a bounded queue, and one thread classifies those of one language together."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from torch import Tensor

from deftx.core.errors import DeftxError
from deftx.models.batches import Text

MOST_WAITING = 10_000  # texts
MOST_TOGETHER = 256  # texts that are classified together; more would only delay the answers


class Busy(DeftxError):
    """Too many texts wait already."""


@dataclass(frozen=True)
class _Job:
    language: str | None
    texts: Sequence[Text]
    future: "Future[Tensor]" = field(default_factory=Future)


class Batcher:
    """A thread that classifies what was submitted: the oldest texts first, with all that wait in their language."""

    def __init__(
        self, classify: Callable[[Sequence[Text], str | None], Tensor], *, waiting: int = MOST_WAITING,
        together: int = MOST_TOGETHER,
    ) -> None:  # fmt: skip
        """Start the thread.

        Args:
            classify: Returns the probabilities (n, labels) of texts in a language; only the thread calls it.
            waiting: The largest number of texts that wait.
            together: The number of texts from which a batch takes no further request.
        """
        self._classify, self._limit, self._together = classify, waiting, together
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="deftx-serve", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of texts that wait."""
        with self._changed:
            return self._count()

    def submit(self, groups: Sequence[tuple[str | None, Sequence[Text]]]) -> list["Future[Tensor]"]:
        """Add groups of texts, each of one language, all of them or none; return their probabilities to come.

        Raises:
            DeftxError: If they are more than may wait at all.
            Busy: If the queue has no room for all of them now, or is closed.
        """
        jobs = [_Job(language, texts) for language, texts in groups]
        with self._changed:
            count = sum(len(job.texts) for job in jobs)
            if count > self._limit:
                raise DeftxError(f"{count:,} texts are too many: at most {self._limit:,} may wait. Send fewer at once.")
            if self._closed or self._count() + count > self._limit:
                raise Busy(
                    f"{self._count():,} texts wait already, and {self._limit:,} may. Send these texts again later."
                )
            self._jobs.extend(jobs)
            self._changed.notify()
        return [job.future for job in jobs]

    def close(self) -> None:
        """Refuse new texts, classify those that wait, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _count(self) -> int:
        return sum(len(job.texts) for job in self._jobs)

    def _run(self) -> None:
        while batch := self._next():
            running = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if not running:
                continue
            try:
                texts = [text for job in running for text in job.texts]
                parts = self._classify(texts, running[0].language).split([len(job.texts) for job in running])
            except BaseException as error:  # the thread must go on, and every request needs its answer
                for job in running:
                    job.future.set_exception(error)
                continue
            for job, part in zip(running, parts, strict=True):
                job.future.set_result(part)

    def _next(self) -> list[_Job]:
        """Wait for the oldest request, and take it with others of its language; return nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            batch: list[_Job] = []
            left: deque[_Job] = deque()
            for job in self._jobs:
                full = sum(len(taken.texts) for taken in batch) >= self._together
                fits = not batch or (job.language == batch[0].language and not full)
                (batch if fits else left).append(job)
            self._jobs = left
            return batch
