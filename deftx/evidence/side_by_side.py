"""Pieces of work in processes of their own, several at a time: what a process held is gone with it, its peak memory is its own."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from typing import Any, TypeVar

from deftx.core.errors import TrainingError

PATIENCE = 0.2  # seconds between two looks at whether to stop

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    work: Callable[[T], R], items: Iterable[T], jobs: int, raise_if_stopped: Callable[[], None] = lambda: None
) -> Iterator[R]:
    """Yield ``work(item)`` of each item as it is done, ``jobs`` at a time; whoever leaves early ends what still runs.

    ``raise_if_stopped`` is called all the while and may raise, to stop.

    Raises:
        TrainingError: a process was killed, by the system for its memory say; else whatever ``work`` raised.
    """
    context = multiprocessing.get_context("spawn")
    waiting, running = deque(items), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_run, args=(work, waiting.popleft(), sender), daemon=True)
                process.start()
                sender.close()
                running[receiver] = process
            raise_if_stopped()
            for receiver in connection.wait(list(running), PATIENCE):
                yield _result(receiver, running.pop(receiver))
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _run(work: Callable[[Any], Any], item: Any, sender: connection.Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sender.send((True, work(item)))
    except Exception as error:
        sender.send((False, error))


def _end_with_parent() -> None:
    # Or it would train on when the command is killed, and the next one beside it in the same folder.
    connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _result(receiver: connection.Connection, process: multiprocessing.Process) -> Any:
    try:
        good, found = receiver.recv()
    except EOFError:
        process.join()
        raise TrainingError(
            f"A training was killed from outside (exit status {process.exitcode}); if the system did it for want of memory, "
            "choose fewer --jobs. The same command goes on from where it was."
        ) from None
    process.join()
    if not good:
        raise found
    return found
