"""Several pieces of work at a time, each in one thread: small matrices gain more from that than from threads inside."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T, R = TypeVar("T"), TypeVar("R")
WORKERS = 8  # more would hold too many matrices at once


def in_order(work: Callable[[T], R], items: Iterable[T], device: torch.device) -> Generator[R, None, None]:
    """Yield ``work(item)`` of each item, in order; on a processor, as many at a time as torch may use threads.

    Only as many results as that are worked out ahead. Meanwhile each operation of torch runs in one thread.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield from map(work, items)
        return
    workers = min(threads, WORKERS)
    # The number of threads belongs to a thread, but for the linear algebra it is one for all: set here and there.
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    waiting: deque[Future[R]] = deque()
    try:
        torch.set_num_threads(1)
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
