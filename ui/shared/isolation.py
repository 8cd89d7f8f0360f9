"""Reading of files that people bring: in a process of its own, within bounds, for as long as somebody waits for the answer."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gradio.context import LocalContext

from deftx.core import bounded
from deftx.core.errors import DeftxError
from deftx.core.hosting import hosting_from
from deftx.data.file_kinds import PLAIN
from deftx.data.looking import look_into

# Plain files of up to so many bytes together are read in the server, within a second or two: starting a process takes about as long.
SMALL = 1_000_000
MEGABYTE = 1_000_000

R = TypeVar("R")


def read_isolated(files: Sequence[str | Path], function: Callable[..., R], *arguments: Any, **options: Any) -> R:
    """Return ``function(*arguments, **options)``, which reads these files.

    Raises:
        bounded.TooCostly: It took more time or memory than the settings allow (``DEFTX_READING_SECONDS``, ``DEFTX_READING_MB``).
        bounded.Stopped: Nobody waits for the answer any more.
        DeftxError: What the function raises.
    """
    if is_small([Path(file) for file in files]):
        return function(*arguments, **options)
    hosting = hosting_from()
    return bounded.call(
        function,
        arguments,
        options,
        seconds=hosting.reading_seconds or math.inf,
        memory=hosting.reading_megabytes * MEGABYTE or math.inf,
        stop=is_unwanted,
    )


def is_unwanted() -> bool:
    """Return whether nobody waits for the current event: its page is closed, or asks the same again for something else."""
    blocks, id_ = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    events = blocks._queue.event_ids_to_events if blocks is not None else {}
    event = events.get(id_)
    if event is None:  # not an event of a page, or one of an address without a queue
        return False
    # In the order of arrival. Calls of programs have names, and each of them wants its answer.
    later = [
        other for other in list(events.values()) if other.session_hash == event.session_hash and other.fn is event.fn
    ]
    return not event.alive or (event.fn.api_visibility == "private" and later[-1] is not event)


def is_small(files: Sequence[Path]) -> bool:
    """Return whether files are plain text, neither packed nor documents, and small: the server reads them itself."""
    try:
        return sum(file.stat().st_size for file in files) <= SMALL and all(map(_is_plain, files))
    except OSError:
        return True  # the reader says what is wrong


def _is_plain(file: Path) -> bool:
    try:
        found = look_into(file, file.name, DeftxError)
    except DeftxError:
        return True  # refused at its first bytes
    return all(one.kind in PLAIN and not one.packed for one in found)
