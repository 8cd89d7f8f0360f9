"""What to tell a person about an error that nobody caused: what happened, what to change."""

import errno
from collections.abc import Callable
from typing import NamedTuple


class Advice(NamedTuple):
    """One kind of error: how it is recognised, and what helps."""

    applies: Callable[[BaseException], bool]
    text: str


def _is_called(*names: str) -> Callable[[BaseException], bool]:
    # By name, along the whole family: the library need not be imported to recognise its errors.
    return lambda error: any(kind.__name__ in names for kind in type(error).__mro__)


def _says(*parts: str) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, RuntimeError) and any(part in str(error) for part in parts)


def _has_number(*numbers: int) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, OSError) and error.errno in numbers


ADVICE = (
    Advice(
        lambda error: _is_called("OutOfMemoryError")(error) or _says("CUDA out of memory")(error),
        "The GPU ran out of memory. Choose a smaller batch_size or max_length, or a larger accumulation (the same "
        "result in smaller portions), or end other programs that use the GPU.",
    ),
    Advice(
        lambda error: isinstance(error, MemoryError) or _says("can't allocate memory", "not enough memory")(error),
        "The computer ran out of memory. Choose a smaller batch_size or max_length, or a larger accumulation (the same "
        "result in smaller portions), or end other programs.",
    ),
    Advice(
        _has_number(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        "The disk is full, or its quota is used up. Free some space: old jobs can be discarded.",
    ),
    Advice(_has_number(errno.EACCES, errno.EPERM, errno.EROFS), "A file or folder may not be read or written."),
    Advice(_has_number(errno.ENOENT), "A file that the job needs is gone. Put it back, or start a new job."),
    Advice(_has_number(errno.EIO), "The disk reports an error. Save what matters to another disk, then check it."),
    Advice(
        _is_called("ConnectionError", "TimeoutError", "HTTPError", "NetworkError", "TransportError"),
        "The network did not answer. Check the connection, or choose a base that is already on this computer.",
    ),
)
UNFORESEEN = (
    "Something went wrong that was not foreseen; the log says where. If resuming fails in the same way, please report "
    "it together with the log."
)


def explain(error: BaseException) -> str | None:
    """Say what happened, what to change, and that the checkpoint is kept; None for what nobody foresaw.

    The error's own words stand at the end.
    """
    text = next((advice.text for advice in ADVICE if advice.applies(error)), None)
    return f"{text} {_words(error)}" if text else None


def explain_any(error: BaseException) -> str:
    """Say the same, in general words for what nobody foresaw."""
    return explain(error) or f"{UNFORESEEN} {_words(error)}"


def _words(error: BaseException) -> str:
    first_line = (str(error).strip().splitlines() or [""])[0]
    words = f"{type(error).__name__}: {first_line}" if first_line else type(error).__name__
    return f"Nothing that was saved is lost: the same training goes on from its last checkpoint. ({words})"
