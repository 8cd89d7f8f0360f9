"""Labelling sessions on disk: a folder each, with the session and an append-only file of what people said.

``judgements.jsonl`` gets a line for each answer, import or undo, flushed to the disk before the next sentence is shown. A line
that an interruption cut off is passed over, and no earlier one is ever changed.
"""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from deftx.core.errors import printable
from deftx.core.files import sync_folder, write_json
from deftx.labelling.session import Judgement, LabellingError, Session
from deftx.labelling.word_session import WordSession

FOLDER, SESSION, JUDGEMENTS = "labelling", "session.json", "judgements.jsonl"
VERSION = 1
LONGEST_NAME = 60  # characters of a person's name
_ID = re.compile(r"[0-9a-f]{16}")

Judged = dict[int, Judgement]  # by place, in the order of judging

_APPENDING = threading.Lock()

S = TypeVar("S", Session, WordSession)


class Folder(Generic[S]):
    """Sessions of one kind below a folder; every method can be called from any thread."""

    def __init__(self, folder: Path, read: Callable[[Any], S]) -> None:
        """Use a folder, which is created with the first session; ``read`` makes a session of what its ``to_dict`` returned."""
        self.folder, self._read = folder, read

    def add(self, session: S) -> None:
        """Store a new session.

        Raises:
            LabellingError: If the disk refuses it.
        """
        with _storing():
            place = self.folder / session.id
            place.mkdir(mode=0o700, parents=True)
            write_json(place / SESSION, {"version": VERSION, **session.to_dict()})

    def list(self) -> list[S]:
        """Return the sessions, the newest first; what cannot be read is left out."""
        found = []
        for place in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                found.append(self.open(place.name))
            except LabellingError:
                continue  # being added or removed, or changed by hand
        return sorted(found, key=lambda session: session.created, reverse=True)

    def open(self, session_id: str) -> S:
        """Return a session by its id.

        Raises:
            LabellingError: If there is none, so paths are not accepted.
        """
        content = _read_json(self._place(session_id) / SESSION)
        if not isinstance(content, dict) or content.pop("version", None) != VERSION:
            raise LabellingError("There is no such labelling session. Start a new one.")
        return self._read(content)

    def changed(self, session_id: str) -> float:
        """Return when a session was last written to, in seconds since 1970."""
        place = self._place(session_id)
        return max((file.stat().st_mtime for file in place.iterdir()), default=0.0)

    def remove(self, session_id: str) -> None:
        """Delete a session with all answers.

        Raises:
            LabellingError: If there is none.
        """
        self.open(session_id)
        shutil.rmtree(self._place(session_id), ignore_errors=True)

    def _place(self, session_id: str) -> Path:
        if not isinstance(session_id, str) or not _ID.fullmatch(session_id):
            raise LabellingError("There is no such labelling session. Start a new one.")
        return self.folder / session_id

    def _lines(self, session_id: str) -> Iterator[Any]:
        file = self._place(session_id) / JUDGEMENTS
        for line in file.read_bytes().split(b"\n") if file.is_file() else ():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue  # empty, or cut off by an interruption

    def _append(self, session_id: str, lines: Sequence[dict[str, Any]]) -> None:
        file = self._place(session_id) / JUDGEMENTS
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        with _storing(), _APPENDING, open(file, "a+b") as stream:
            new = stream.tell() == 0
            if not new:  # a line that was cut off must not swallow the next one
                stream.seek(-1, os.SEEK_END)
                text = text if stream.read(1) == b"\n" else "\n" + text
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
            if new:
                sync_folder(file.parent)


class Sessions(Folder[Session]):
    """The labelling sessions below a folder; every method can be called from any thread."""

    def __init__(self, home: Path) -> None:
        """Use the folder "labelling" of ``home``; it is created with the first session."""
        super().__init__(home / FOLDER, Session.from_dict)

    def record(self, session_id: str, person: str, judgements: Sequence[Judgement]) -> None:
        """Store what a person said, one or more answers; a later answer to the same sentence replaces the earlier one.

        Raises:
            LabellingError: If an answer does not fit the session, or the disk refuses it.
        """
        session, person = self.open(session_id), person_name(person)
        lines = [{"person": person, **asdict(one.check(session))} for one in judgements]
        self._append(session_id, lines)

    def undo(self, session_id: str, person: str) -> None:
        """Take back the last answer of a person; without one, nothing happens.

        Raises:
            LabellingError: If there is no such session, or the disk refuses it.
        """
        if self.judged(session_id).get(person_name(person)):
            self._append(session_id, [{"person": person_name(person), "undo": True}])

    def judged(self, session_id: str) -> dict[str, Judged]:
        """Return the answers that stand, by person.

        Raises:
            LabellingError: If there is no such session.
        """
        session, people = self.open(session_id), {}
        for line in self._lines(session_id):
            _apply(people, line, session)
        return {person: judged for person, judged in people.items() if judged}


def person_name(name: str) -> str:
    """Return a person's name as it is stored: one printable line of limited length; it may be empty."""
    return printable(" ".join(str(name).split()))[:LONGEST_NAME].strip()


def _apply(people: dict[str, Judged], line: Any, session: Session) -> None:
    try:
        judged = people.setdefault(str(line["person"]), {})
        if line.get("undo"):
            judged.popitem()
            return
        found = Judgement(line["place"], line["mark"], line["label"]).check(session)
    except (AttributeError, KeyError, TypeError, LabellingError):
        return  # changed by hand
    judged.pop(found.place, None)
    judged[found.place] = found


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabellingError(
            f"The answer cannot be stored: {error.strerror}. Free some space and repeat it."
        ) from error
