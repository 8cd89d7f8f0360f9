"""Output of the commands: results on stdout, everything else on stderr."""

import io
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from deftx.core.events import Event, read_duration

QUIET_SECONDS = 5.0  # between two lines of progress, if stderr is not a terminal


def say(text: str) -> None:
    """Write one line to stderr."""
    print(text, file=sys.stderr, flush=True)


def cut_note(classifier: Any, texts: Sequence[Any]) -> list[str]:
    """Return a note on how many texts a classifier does not read to their end; none if it reads all of them."""
    count = len(classifier.cut(texts))
    said = f"{count:,} of {len(texts):,} texts have more than {classifier.max_length} tokens: the rest is not read."
    return [said] if count else []


def replace_unencodable() -> None:
    """Print "?" for characters that the console cannot encode, e.g. "ᱥ" on a Windows console with cp1252."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def result(value: Any, as_json: bool, text: str) -> None:
    """Write a command's result to stdout, as JSON or as text."""
    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    print(json.dumps(value, ensure_ascii=not unicode, allow_nan=False) if as_json else text)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as aligned columns; columns of numbers are aligned on the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = [all(_is_number(row[column]) for row in rows) and bool(rows) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    )


class ProgressLine:
    """Shows the events of a training run: one updated line on a terminal, otherwise a line every few seconds."""

    def __init__(self) -> None:
        self.on_terminal = sys.stderr.isatty()
        self.phase, self.last, self.open = "", 0.0, False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if event.message:
            self._line(("warning: " if event.warning else "") + event.message)
        if not event.total:
            return
        due = event.phase != self.phase or event.evaluation is not None or event.step == event.total
        if due or self.on_terminal or time.monotonic() - self.last >= QUIET_SECONDS:
            self.phase, self.last = event.phase, time.monotonic()
            self._show(_progress(event), final=event.step == event.total)

    def _show(self, text: str, final: bool) -> None:
        if not self.on_terminal:
            say(text)
            return
        sys.stderr.write(f"\r\033[K{text}" + ("\n" if final else ""))
        sys.stderr.flush()
        self.open = not final

    def _line(self, text: str) -> None:
        if self.open:
            sys.stderr.write("\n")
            self.open = False
        say(text)


def _progress(event: Event) -> str:
    parts = [f"{event.phase:<8} {event.step:>6,} of {event.total:,}"]
    if event.loss is not None:
        parts.append(f"loss {event.loss:.4f}")
    if event.evaluation is not None:
        parts.append(f"validation {event.evaluation:.4f}")
    if event.seconds_left is not None:
        parts.append(f"{read_duration(event.seconds_left)} left")
    return "   ".join(parts)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, (int, float)):
        return True
    return str(cell).replace(",", "").replace("%", "").replace("–", "0").replace(".", "", 1).lstrip("-").isdigit()
