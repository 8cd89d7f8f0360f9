"""PDF as lines of text, with bounds on what a small file can make of itself."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.optional import optional_module
from deftx.data.unpacking import InputFile, open_whole

MOST_PAGES = 10_000
MOST_SECONDS = 300.0  # of processor time: a page can draw its text any number of times, and share it with others
# Of one page, far above what a page of text needs: parts of its drawing program, and drawings that it calls up.
_LIMITS = {"stream_parsing_work_maximum_count": 500_000, "xform_maximum_invocations_per_extraction": 500}


def pdf_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Stream the lines of the pages with numbers from 1; ``error`` is raised where they hold no text or cannot be read."""
    pypdf = optional_module("pypdf", "PDF", error)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every oddity that it gets over
    number = empty = 0
    used = 0.0  # seconds
    with open_whole(file, error) as stream:
        pages = _careful(pypdf, lambda: _pages(pypdf, stream, file, error), file, error)
        for page in pages:
            started = time.thread_time()
            read = partial(_text, page, pypdf.errors.LimitReachedError, MOST_SECONDS - used, file, error)
            text = _careful(pypdf, read, file, error)
            used += time.thread_time() - started
            empty += not text.strip()
            for line in text.splitlines():
                number += 1
                # Half of a pair, as broken tables of characters give it, is no text.
                yield number, line.encode("utf-8", "replace").decode()
        if empty == len(pages):
            raise error(
                f"{file.name} holds no text: its pages are pictures, or drawn in too many steps. Recognise the text (OCR) "
                "first."
            )
        if empty:
            said = "hold no text; they may be pictures, or are drawn in too many steps"
            file.note(f"{file.name}: {empty:,} of {len(pages):,} pages {said}.")


def _pages(pypdf: Any, stream: Any, file: InputFile, error: type[DeftxError]) -> list[Any]:
    reader = pypdf.PdfReader(stream)
    if reader.is_encrypted and not reader.decrypt(""):
        raise error(f"{file.name} is locked with a password. Save it without one.")
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise error(f"{file.name} has {count:,} pages; up to {MOST_PAGES:,} can be read. Bring a part of it.")
    return list(reader.pages)


def _text(page: Any, limit: type[Exception], seconds: float, file: InputFile, error: type[DeftxError]) -> str:
    """Extract the text of a page; ``error`` is raised where that takes more than so many seconds of processor time."""
    end = time.thread_time() + seconds

    def look(*_: object) -> None:
        if time.thread_time() > end:
            raise error(
                f"{file.name} takes too long to read: its pages are drawn in too many steps. Bring a part of it."
            )

    look()
    try:
        return page.extract_text(visitor_operand_before=look)
    except limit:  # maps and drawings have such pages
        return ""


def _careful(pypdf: Any, read: Callable[[], Any], file: InputFile, error: type[DeftxError]) -> Any:
    """Call into pypdf, which lets errors of many families out of a damaged file."""
    try:
        with pypdf.apply_configuration(**_LIMITS):
            return read()
    except (DeftxError, MemoryError):
        raise
    except Exception:
        raise error(f"{file.name} is damaged: it cannot be read as a PDF. Save it again, or as plain text.") from None
