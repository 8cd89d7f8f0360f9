"""An error that nobody caused is text with what helps."""

import errno

import pytest
import torch

from deftx.core.advice import explain, explain_any


class ConnectTimeout(ConnectionError):
    """As network libraries name theirs."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk is full"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "smaller batch_size"),
        (RuntimeError("CUDA out of memory."), "GPU ran out of memory"),
        (RuntimeError("could not create a primitive"), "computer ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "computer ran out"),
        (MemoryError(), "computer ran out of memory"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "No permission to read or write"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), "is missing"),
        (OSError(errno.EIO, "Input/output error"), "disk reports an error"),
        (ConnectTimeout("timed out"), "network did not answer"),
    ],
)
def test_what_happened_and_what_to_change_is_said_in_one_line(error, words):
    text = explain(error)
    assert words in text
    assert "continues from its last checkpoint" in text
    assert type(error).__name__ in text
    assert "\n" not in text


def test_what_nobody_foresaw_is_not_explained_away():
    assert explain(RuntimeError("shape '[3]' is invalid")) is None
    assert explain(ZeroDivisionError("division by zero")) is None
    assert "unexpected error" in explain_any(ZeroDivisionError("division by zero"))
    assert "division by zero" in explain_any(ZeroDivisionError("division by zero"))
