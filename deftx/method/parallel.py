"""Several pieces of work at a time, each in one thread: small matrices gain more from that than from threads inside."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")
WORKERS = 8  # more would hold too many matrices at once


def in_order(work: Callable[[T], R], items: Iterable[T], device: torch.device) -> Generator[R, None, None]:
    """Yield ``work(item)`` of each item, in order; on a processor, as many at a time as torch may use threads.

    Results that are not taken yet are kept: a large item at the front keeps nobody waiting. Meanwhile each operation of
    torch runs in one thread.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield from map(work, items)
        return
    workers = min(threads, WORKERS)
    # The number of threads belongs to a thread, but for the linear algebra it is one for all: set here and there.
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        torch.set_num_threads(1)
        waiting = deque(pool.submit(work, item) for item in items)
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
