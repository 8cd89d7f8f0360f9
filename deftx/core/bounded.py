"""Calls in a process of their own, with a bound on time and memory, which can be stopped while they run.

Files of strangers are read in such calls: what a format can do to a reader (endless work, memory without limit, a crash of
compiled code) then ends that process alone. ``python -m deftx.core.bounded_child`` is the process; it loads only the module
of the function. Arguments and results are plain data (``deftx.core.plain``).
"""

import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, TypeVar

from deftx.core.errors import DeftxError
from deftx.core.plain import from_json, to_json
from deftx.core.sizes import read_size

AT_ONCE = 2  # processes at the same time; each takes a processor, and memory up to its bound
PATIENCE = 0.1  # seconds between two calls of ``stop``
COMMAND = (sys.executable, "-m", "deftx.core.bounded_child")

_turns = threading.BoundedSemaphore(AT_ONCE)
R = TypeVar("R")


class TooCostly(DeftxError):
    """A call took more time or memory than it may."""


class Stopped(DeftxError):
    """A call was stopped on request."""


def call(
    function: Callable[..., R],
    arguments: Sequence[Any] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
    *,
    seconds: float = math.inf,
    memory: float = math.inf,
    stop: Callable[[], bool] = lambda: False,
) -> R:
    """Return ``function(*arguments, **options)``, computed in a process of its own.

    Args:
        function: A function of a module.
        arguments: Plain data.
        options: Plain data by name.
        seconds: The longest time, without the time spent waiting for other calls.
        memory: The most bytes, in addition to those of Python and the function's modules. It has an effect on Linux alone.
        stop: Asked regularly; the process ends when it returns True.

    Raises:
        TooCostly: If the call exceeded a bound, or if its process crashed or was killed.
        Stopped: If ``stop`` returned True.
        DeftxError: What the function raises. An OSError is raised as well.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    request = to_json(
        {"call": name, "arguments": (list(arguments), dict(options)), "memory": memory, "parent": os.getpid()}
    )
    while not _turns.acquire(timeout=PATIENCE):
        _raise_if(stop)
    try:
        with _start() as child:
            try:
                answer, said = _converse(child, request, time.monotonic() + seconds, seconds, stop)
            finally:
                child.kill()
    finally:
        _turns.release()
    return _result(name, answer, said, child.returncode, memory)


def _start() -> "subprocess.Popen[str]":
    # The process finds the same modules as this one, and leaves the other processors to training.
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, text=True, errors="replace")


def _converse(
    child: "subprocess.Popen[str]", request: str, deadline: float, seconds: float, stop: Callable[[], bool]
) -> tuple[str, str]:
    _send(child, request)
    while True:
        try:
            return child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _raise_if(stop)
            if time.monotonic() > deadline:
                raise TooCostly(
                    f"It takes longer than {seconds:,.0f} s, which is the limit here. Use a part of it."
                ) from None


def _send(child: "subprocess.Popen[str]", request: str) -> None:
    # Before ``communicate``, which forgets the rest of an input if its time ends while the process starts.
    stdin, child.stdin = child.stdin, None
    assert stdin is not None  # noqa: S101 (it is a pipe)
    with suppress(BrokenPipeError), stdin:  # a process that has ended already is reported by its status
        stdin.write(request)


def _raise_if(stop: Callable[[], bool]) -> None:
    if stop():
        raise Stopped("It was stopped.")


def _result(name: str, answer: str, said: str, status: int, memory: float) -> Any:
    found: dict[str, Any] = from_json(answer) if answer else {"kind": "crash"}
    match found["kind"]:
        case "result":
            return found["value"]
        case "error":
            raise found["error"](found["message"])
        case "disk":
            raise OSError(*found["arguments"])
        case "memory":
            raise TooCostly(
                f"It needs more than {read_size(memory)} of memory, which is the limit here. Use a part of it."
            )
    logging.getLogger(__name__).error("%s ended with status %d: %s", name, status, said[-4_000:])
    if status > 0:
        raise RuntimeError(f"{name} failed; the log says why")
    # Compiled code aborts where it gets no memory, and the system kills the largest process where there is none.
    raise TooCostly(
        "The process that worked on it crashed or was ended, probably for lack of memory. Use a part of it."
    )
