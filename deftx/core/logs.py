"""What the server says while it works: lines for a person, or one JSON object a line for a machine that collects them."""

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
QUIET = ("httpx", "httpx2", "uvicorn.access")  # they would tell of every request


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: time (UTC), level, event, job (null where it is about none) and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception's traceback is one string in it."""
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


def set_up(environment: Mapping[str, str] = os.environ, otherwise: str = "text") -> str:
    """Log to stderr in the way that DEFTX_LOG names, and return it; DeftxError where there is no such way."""
    way = environment.get(SWITCH) or otherwise
    if way not in FORMATS:
        raise unknown_name(SWITCH, way, FORMATS)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[way])
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    if way == "json":
        _log_what_python_would_print()
    return way


def about(event: str, job: str | None = None) -> dict[str, str | None]:
    """Return what a log call takes as ``extra``: the event by a name that stays, and the job's id."""
    return {"event": event, "job": job}


def _log_what_python_would_print() -> None:
    """Let warnings, and exceptions that nobody caught, be lines like all others."""
    logging.captureWarnings(True)

    def uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        logging.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback), extra=about("uncaught"))

    sys.excepthook = uncaught
    threading.excepthook = lambda found: uncaught(
        found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback
    )
