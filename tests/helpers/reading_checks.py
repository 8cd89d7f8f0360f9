"""What must hold when malformed input is read: it is read, or refused in one clear message, and no file changes."""

import hashlib
import os
import re
import resource
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path

from hypothesis import currently_in_test_context, event

from deftx.core.errors import LONGEST_MESSAGE, DeftxError, printable

MEMORY = 2**31  # bytes that a reader may take beyond what the process has


def assert_read_or_refused(files, *readers):
    """Call each of the readers with a folder of these files: name → content, or one of ODD_FILES.

    Returns the refusals. Any error but a DeftxError passes through; AssertionError where a message is not clear or a
    file below the folder, or beside it, was changed or left behind. What a reader is meant to keep, it removes.
    """
    refusals = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "in")
        outside = Path(place, "outside.txt")
        outside.write_text("a secret of somebody else\n")
        for name, content in files.items():
            _put(folder / name, content, outside)
        before = contents(place)
        for read in readers:
            try:
                with bounded_memory():
                    read(folder)
            except DeftxError as error:
                refusals.append(str(error))
                assert _is_clear(refusals[-1]), refusals[-1]
            assert contents(place) == before, "a file was changed or left behind"
    if currently_in_test_context():  # of hypothesis, whose --hypothesis-show-statistics counts both
        event("refused" if refusals else "read")
    return refusals


@contextmanager
def bounded_memory():
    """Let a reader that takes too much memory fail, instead of the machine.

    The bound is set anew for each input, because hypothesis keeps what it has drawn: more than a gigabyte for 10,000 inputs.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def contents(folder):
    """Everything below a folder but folders: kinds, and digests of the files; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent, name) for name in (*folders, *files)):
            kind = path.lstat().st_mode
            if not stat.S_ISDIR(kind):
                found[path] = kind, hashlib.sha256(path.read_bytes()).digest() if stat.S_ISREG(kind) else b""
    return found


def _put(path, content, outside):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    elif content == "pipe":
        os.mkfifo(path)
    elif content == "hard link":
        path.hardlink_to(outside)
    elif content != "nothing":
        path.symlink_to({"link": outside, "device": Path("/dev/zero"), "loop": path}[content])


def _is_clear(message):
    """Say whether a message is one printable line, of some words, without names of Python's."""
    is_line = len(message) <= LONGEST_MESSAGE and message == printable(message)
    return (
        is_line and len(message.split()) >= 3 and not re.search(r"Traceback|<class |<function |object at 0x", message)
    )
