"""Logging of the server: plain lines, or one JSON object per line for log collectors."""

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from deftx.core.errors import unknown_name

SWITCH = "DEFTX_LOG"  # text or json
QUIET = ("httpx", "httpx2", "uvicorn.access")  # they would log every request


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time (UTC), level, event, job (or null) and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback is one string in it."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "job": getattr(record, "job", None),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


FORMATS = {"text": logging.Formatter("%(asctime)s %(name)s %(message)s"), "json": JsonLines()}


def set_up(environment: Mapping[str, str] = os.environ, default: str = "text") -> str:
    """Log to stderr in the format that DEFTX_LOG names, and return its name. Raise RecipeError for an unknown format."""
    chosen = environment.get(SWITCH) or default
    if chosen not in FORMATS:
        raise unknown_name(SWITCH, chosen, FORMATS)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[chosen])
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    if chosen == "json":
        _log_what_python_would_print()
    return chosen


def about(event: str, job: str | None = None) -> dict[str, str | None]:
    """Return the ``extra`` of a log call: a stable name of the event, and the job's id."""
    return {"event": event, "job": job}


def _log_what_python_would_print() -> None:
    """Log warnings and uncaught exceptions in the same format."""
    logging.captureWarnings(True)

    def uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        logging.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback), extra=about("uncaught"))

    sys.excepthook = uncaught
    threading.excepthook = lambda found: uncaught(
        found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback
    )
