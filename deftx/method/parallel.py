"""Parallel work on several matrices, one thread each; for small matrices this is faster than threads within torch."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")
WORKERS = 8  # more would keep too many matrices in memory


def in_order(work: Callable[[T], R], items: Iterable[T], device: torch.device) -> Generator[R, None, None]:
    """Yield ``work(item)`` for each item, in order. On a CPU, run as many items in parallel as torch has threads.

    Finished results are kept until they are yielded, so a slow first item does not block the others. Meanwhile each torch
    operation runs in one thread.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield from map(work, items)
        return
    workers = min(threads, WORKERS)
    # torch's number of threads is per thread, but that of its linear algebra is global: set both here and in the workers.
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        torch.set_num_threads(1)
        waiting = deque(pool.submit(work, item) for item in items)
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
