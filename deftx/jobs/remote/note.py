"""What must not be forgotten of a training elsewhere: written before anything is started, so that a restart finds it."""

import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from deftx.core.files import write_json
from deftx.jobs.job import RESULT, Job, JobError, read_json

NOTE = "remote.json"  # in the job's folder


@dataclass(frozen=True)
class Note:
    """A remote job and its folder in a bucket.

    ``mark`` is a label of the remote job, drawn before it is started: should its id be lost on the way, it is found by
    that. ``asked``: the Hub was, or was about to be, asked to start it. ``job`` is its id, empty until the Hub said it.
    ``stopping``: it was asked to stop. ``finished``: its vector is here.
    """

    mark: str
    namespace: str
    bucket: str
    path: str
    flavor: str
    hours: float
    asked: bool = False
    job: str = ""
    url: str = ""
    stopping: bool = False
    finished: bool = False

    def changed(self, folder: Path, **what: Any) -> "Note":
        """Write the note with changes into the job's folder, and return it."""
        return replace(self, **what).write(folder)

    def write(self, folder: Path) -> "Note":
        """Write the note; when this returns, it is on the disk."""
        write_json(folder / NOTE, asdict(self))
        return self


def new_note(job_id: str, namespace: str, bucket: str, flavor: str, hours: float) -> Note:
    """Draw a mark and a folder for a remote job; nothing is written."""
    mark = f"deftx-{job_id}-{secrets.token_hex(6)}"
    return Note(mark, namespace, bucket, mark, flavor, hours)


def read_note(folder: Path) -> Note | None:
    """Read the note of a job; None where there is none.

    Raises:
        JobError: it is damaged; a second remote job must not be started for that.
    """
    if not (folder / NOTE).exists():
        return None
    content = read_json(folder / NOTE)
    try:
        return Note(**(content or {}))
    except TypeError as error:
        known = ", ".join(field.name for field in fields(Note))
        raise JobError(
            f"{NOTE} in the folder of this job is damaged (it should hold {known}). Look among your jobs on Hugging Face "
            "for one that still runs, then delete the file and resume."
        ) from error


def is_open(job: Job) -> bool:
    """Say whether a machine elsewhere may still work on a job, whether or not a process here watches it."""
    if not job.is_remote or (job.folder / RESULT).exists():
        return False
    try:
        note = read_note(job.folder)
    except JobError:
        return False
    return note is not None and note.asked and not note.finished


def forget(folder: Path) -> None:
    """Remove the note: the next start begins a remote job of its own."""
    (folder / NOTE).unlink(missing_ok=True)
