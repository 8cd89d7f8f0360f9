"""Lines of text from PDFs, with limits on the work that a small file can cause."""

import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.optional import optional_module
from deftx.data.unpacking import InputFile, open_whole

MOST_PAGES = 10_000
MOST_SECONDS = 300.0  # CPU time for a file: a page can draw its text any number of times, and pages can share it
# Limits for one page, far above what text needs: drawing instructions, and embedded drawings.
_LIMITS = {"stream_parsing_work_maximum_count": 500_000, "xform_maximum_invocations_per_extraction": 500}


def pdf_lines(file: InputFile, error: type[DeftxError]) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of all pages, numbered from 1. Raise ``error`` if they contain no text or cannot be read."""
    pypdf = optional_module("pypdf", "PDF", error)
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs every oddity that it tolerates
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
                # Damaged character tables give lone surrogates, which are not valid text.
                yield number, line.encode("utf-8", "replace").decode()
        if empty == len(pages):
            raise error(
                f"{file.name} contains no text: its pages are images, or drawn in too many steps. Use text recognition "
                "(OCR) first."
            )
        if empty:
            file.note(
                f"{file.name}: {empty:,} of {len(pages):,} pages contain no text; they may be images, or are drawn in too "
                "many steps."
            )


def _pages(pypdf: Any, stream: Any, file: InputFile, error: type[DeftxError]) -> list[Any]:
    reader = pypdf.PdfReader(stream)
    if reader.is_encrypted and not reader.decrypt(""):
        raise error(f"{file.name} is protected by a password. Save it without one.")
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise error(f"{file.name} has {count:,} pages; at most {MOST_PAGES:,} can be read. Use a part of it.")
    return list(reader.pages)


def _text(page: Any, limit: type[Exception], seconds: float, file: InputFile, error: type[DeftxError]) -> str:
    """Extract the text of a page. Raise ``error`` if this takes more than ``seconds`` of CPU time."""
    end = time.thread_time() + seconds

    def check(*_: object) -> None:
        if time.thread_time() > end:
            raise error(f"{file.name} takes too long to read: its pages are drawn in too many steps. Use a part of it.")

    check()
    try:
        return page.extract_text(visitor_operand_before=check)
    except limit:  # maps and drawings have such pages
        return ""


def _careful(pypdf: Any, read: Callable[[], Any], file: InputFile, error: type[DeftxError]) -> Any:
    """Call pypdf, which raises exceptions of many types for a damaged file."""
    try:
        with pypdf.apply_configuration(**_LIMITS):
            return read()
    except (DeftxError, MemoryError):
        raise
    except Exception:
        raise error(f"{file.name} is damaged: it cannot be read as a PDF. Save it again, or as plain text.") from None
