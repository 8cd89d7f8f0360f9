"""What must hold for every input: it is read, or refused in one clear message, soon, and nothing on the disk changes."""

import hashlib
import os
import re
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deftx.core.errors import LONGEST_MESSAGE, DeftxError, printable

LONGEST_SECONDS = 5.0  # of processor time, for inputs of a few thousand bytes
HANGING = 30, 300  # seconds of processor time, and by the clock, after which a reader is interrupted


class Hanging(BaseException):
    """The reader did not come to an end."""


@dataclass(frozen=True)
class Verdict:
    """How a reader took an input: ``refusal`` is its message, empty where it was read; ``fault`` says what went wrong."""

    refusal: str
    seconds: float
    fault: str


def judge(read: Callable[[], Any], folder: Path) -> Verdict:
    """Call a reader and say how it went; nothing below ``folder`` may change, unless ``read`` itself undoes it."""
    before, started, refusal, fault = contents(folder), time.process_time(), "", ""
    try:
        with _interrupting():
            read()
    except DeftxError as error:
        refusal = str(error)
        fault = _unclear(refusal)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        fault = f"{type(error).__name__}: {printable(str(error))[:300]}"
    seconds = time.process_time() - started
    if seconds > LONGEST_SECONDS:
        fault = fault or f"{seconds:.0f} seconds"
    if contents(folder) != before:
        fault = fault or "a file was changed or left behind"
    return Verdict(refusal, seconds, fault)


def contents(folder: Path) -> dict[str, Any]:
    """Everything below a folder but folders: kinds, and digests of the files; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            kind = path.lstat().st_mode
            if stat.S_ISDIR(kind):
                continue
            regular = stat.S_ISREG(kind)
            found[str(path)] = kind, hashlib.sha256(path.read_bytes()).hexdigest() if regular else ""
    return found


def _unclear(message: str) -> str:
    """Say what is wrong with a message; empty where it is one clear line."""
    if len(message.split()) < 3:
        return f"a message that says nothing: {message!r}"
    if len(message) > LONGEST_MESSAGE or message != printable(message):
        return "a message that is no printable line"
    if re.search(r"Traceback|<class |<function |object at 0x", message):
        return f"a message for programmers: {message[:300]!r}"
    return ""


@contextmanager
def _interrupting() -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        raise Hanging("no end")

    # A reader that waits for a pipe uses no processor time; on a busy machine one that works needs long by the clock.
    clocks = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    earlier = {number: signal.signal(number, interrupt) for number in clocks}
    running = [signal.setitimer(clock, seconds) for seconds, clock in zip(HANGING, clocks.values(), strict=True)]
    try:
        yield
    finally:
        for (number, clock), before in zip(clocks.items(), running, strict=True):
            signal.setitimer(clock, *before)  # such as the test runner's own
            signal.signal(number, earlier[number])
