"""Explanations of errors of the system, such as a full disk: what happened and what to change."""

import errno
from collections.abc import Callable
from typing import NamedTuple


class Advice(NamedTuple):
    """A kind of error, how to recognise it, and the text to show."""

    applies: Callable[[BaseException], bool]
    text: str


def _is_called(*names: str) -> Callable[[BaseException], bool]:
    # Classes are compared by name, so that the library that defines them need not be imported.
    return lambda error: any(kind.__name__ in names for kind in type(error).__mro__)


def _says(*parts: str) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, RuntimeError) and any(part in str(error) for part in parts)


def _has_number(*numbers: int) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, OSError) and error.errno in numbers


# PyTorch's allocator on Linux and on Windows; oneDNN, whose primitives of valid shapes fail only where memory is missing.
NO_MEMORY = ("can't allocate memory", "not enough memory", "could not create a primitive")

ADVICE = (
    Advice(
        lambda error: _is_called("OutOfMemoryError")(error) or _says("CUDA out of memory")(error),
        "The GPU ran out of memory. Choose a smaller batch_size or max_length, or a larger accumulation (the same "
        "result in smaller portions), or close other programs that use the GPU.",
    ),
    Advice(
        lambda error: isinstance(error, MemoryError) or _says(*NO_MEMORY)(error),
        "The computer ran out of memory. Choose a smaller batch_size or max_length, or a larger accumulation (the same "
        "result in smaller portions), or close other programs.",
    ),
    Advice(
        _has_number(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        "The disk is full, or its quota is used up. Free some space: old jobs can be discarded.",
    ),
    Advice(_has_number(errno.EACCES, errno.EPERM, errno.EROFS), "No permission to read or write a file or folder."),
    Advice(_has_number(errno.ENOENT), "A file that the job needs is missing. Put it back, or start a new job."),
    Advice(_has_number(errno.EIO), "The disk reports an error. Copy important files to another disk, then check it."),
    Advice(
        _is_called("ConnectionError", "TimeoutError", "HTTPError", "NetworkError", "TransportError"),
        "The network did not answer. Check the connection, or choose a base that is already on this computer.",
    ),
)
UNEXPECTED = (
    "An unexpected error occurred; the log says where. If resuming fails in the same way, please report it together "
    "with the log."
)


def explain(error: BaseException) -> str | None:
    """Return what happened, what to change, and the error's own message; None for an error that is not in ``ADVICE``."""
    text = next((advice.text for advice in ADVICE if advice.applies(error)), None)
    return f"{text} {_words(error)}" if text else None


def explain_any(error: BaseException) -> str:
    """Return the same text as ``explain``, or a general one for an error that is not in ``ADVICE``."""
    return explain(error) or f"{UNEXPECTED} {_words(error)}"


def _words(error: BaseException) -> str:
    first_line = (str(error).strip().splitlines() or [""])[0]
    words = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return f"Saved work is not lost: the same training run continues from its last checkpoint. ({words})"
