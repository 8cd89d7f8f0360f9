"""Parallel work in separate processes, so that memory is freed and peak memory is measured for each item."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from deftx.core.errors import TrainingError

PATIENCE = 0.2  # seconds between two calls of ``raise_if_stopped``

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    work: Callable[[T], R], items: Iterable[T], jobs: int, raise_if_stopped: Callable[[], None] = lambda: None
) -> Iterator[R]:
    """Yield ``work(item)`` of each item as it finishes, with ``jobs`` processes at a time.

    ``raise_if_stopped`` is called regularly and may raise to stop. Running processes are ended with the generator.

    Raises:
        TrainingError: If a process was killed, for example for lack of memory. Exceptions of ``work`` are raised as well.
    """
    context = multiprocessing.get_context("spawn")
    waiting = deque(items)
    running: dict[connection.Connection, BaseProcess] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_run, args=(work, waiting.popleft(), sender), daemon=True)
                process.start()
                sender.close()
                running[receiver] = process
            raise_if_stopped()
            ready = connection.wait(list(running), PATIENCE)
            for receiver in [one for one in running if one in ready]:
                yield _result(receiver, running.pop(receiver))
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _run(work: Callable[[Any], Any], item: Any, sender: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sender.send((True, work(item)))
    except Exception as error:
        sender.send((False, error))


def _end_with_parent() -> None:
    # Otherwise it would continue after the parent is killed, in the same folder as the next run.
    if (parent := multiprocessing.parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _result(receiver: connection.Connection, process: BaseProcess) -> Any:
    try:
        good, found = receiver.recv()
    except EOFError:
        process.join()
        raise TrainingError(
            f"A training process was killed (exit status {process.exitcode}). If the system ran out of memory, choose fewer "
            "--jobs. Run the same command to continue."
        ) from None
    process.join()
    if not good:
        raise found
    return found
