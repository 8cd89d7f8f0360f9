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

from deftx.errors import LONGEST_MESSAGE, DeftxError, printable

LONGEST_SECONDS = 5.0  # of processor time, for inputs of a few thousand bytes
HANGING = 60  # seconds after which a reader is interrupted


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
    """Everything below a folder: kinds, and digests of the files; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            kind = path.lstat().st_mode
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
        raise Hanging(f"no end after {HANGING} seconds")

    earlier = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(HANGING)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, earlier)
