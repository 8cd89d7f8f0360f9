"""Parallel work in separate processes, so that memory is freed and peak memory is measured for each item."""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from deftx.core.errors import TrainingError

PATIENCE = 0.2  # seconds between two calls of ``raise_if_stopped``
END: Any = object()  # no more items

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(
    work: Callable[[T, str], R],
    items: Iterable[T | None],
    places: Sequence[str],
    raise_if_stopped: Callable[[], None] = lambda: None,
    on_killed: Callable[[T, str], R] | None = None,
) -> Iterator[tuple[T, R]]:
    """Yield each item with ``work(item, place)`` as it finishes, with one process at a time for each of ``places``.

    ``places`` are usually devices. An item is taken only when a place is free; None means that there is none at present.
    ``raise_if_stopped`` is called regularly and may raise to stop. Running processes are ended with the generator. For a
    process that was killed, for example for lack of memory, ``on_killed(item, message)`` returns the result.

    Raises:
        TrainingError: If a process was killed and there is no ``on_killed``. Exceptions of ``work`` are raised as well.
    """
    context = _context(getattr(work, "func", work).__module__)  # of a partial function, that of the function
    waiting, free = iter(items), list(places)
    running: dict[connection.Connection, tuple[BaseProcess, T, str]] = {}
    more = True
    try:
        while more or running:
            while more and free:
                if (item := next(waiting, END)) is None:
                    break
                if more := item is not END:
                    receiver, sender = context.Pipe(duplex=False)
                    place = free.pop(0)
                    process = context.Process(
                        target=_run, args=(work, item, place, sender, dict(os.environ)), daemon=True
                    )
                    process.start()
                    sender.close()
                    running[receiver] = process, item, place
            raise_if_stopped()
            ready = connection.wait(list(running), PATIENCE) if running else time.sleep(PATIENCE) or []
            for receiver in [one for one in running if one in ready]:
                process, item, place = running.pop(receiver)
                free.append(place)
                yield item, _result(receiver, process, raise_if_stopped, on_killed and partial(on_killed, item))
    finally:
        for process, _, _ in running.values():
            process.terminate()
            process.join()


def _context(module: str) -> Any:  # its class does not exist on Windows
    """Return how processes are started: forked from one that has imported ``module``, which saves seconds for each item.

    That process imports only, so it has no threads and no GPU that a fork would lose.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():  # Windows
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _run(
    work: Callable[[Any, str], Any], item: Any, place: str, sender: connection.Connection, environment: dict[str, str]
) -> None:
    os.environ.clear()  # it was copied when the process was started that this one was forked from
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sender.send((True, work(item, place)))
    except Exception as error:
        error.add_note(traceback.format_exc())  # pickled errors have no traceback
        sender.send((False, error))


def _end_with_parent() -> None:
    # Otherwise it would continue after the parent is killed, in the same folder as the next run.
    if (parent := multiprocessing.parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _result(
    receiver: connection.Connection, process: BaseProcess, raise_if_stopped: Callable[[], None],
    on_killed: Callable[[str], Any] | None,
) -> Any:  # fmt: skip
    try:
        good, found = receiver.recv()
    except EOFError:
        process.join()
        raise_if_stopped()  # the signal that stops this command may have ended the process as well
        message = (
            f"A training process was killed (exit status {process.exitcode}). If the system ran out of memory, choose fewer "
            "--jobs. Run the same command to continue."
        )
        if on_killed is not None:
            return on_killed(message)
        raise TrainingError(message) from None
    process.join()
    if not good:
        raise found
    return found
