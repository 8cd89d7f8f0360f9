"""The stored state of a remote job. It is written before the job is started, so that a restart finds the job."""

import secrets
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from deftx.core.files import write_json
from deftx.jobs.job import RESULT, Job, JobError, read_json

NOTE = "remote.json"  # in the job's folder


@dataclass(frozen=True)
class Note:
    """A remote job and its folder in a bucket.

    ``mark`` is a random label of the remote job, by which it can be found if its id is lost. ``asked`` is true before the
    request to start it is sent. ``job`` is its id, empty until the Hub has returned it. ``stopping`` is true after a stop
    request. ``finished`` is true after its vector was downloaded.
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
        """Change fields, write the note into the job's folder, and return it."""
        return replace(self, **what).write(folder)

    def write(self, folder: Path) -> "Note":
        """Write the note durably."""
        write_json(folder / NOTE, asdict(self))
        return self


def new_note(job_id: str, namespace: str, bucket: str, flavor: str, hours: float) -> Note:
    """Return a note with a new mark and folder for a remote job, without writing it."""
    mark = f"deftx-{job_id}-{secrets.token_hex(6)}"
    return Note(mark, namespace, bucket, mark, flavor, hours)


def read_note(folder: Path) -> Note | None:
    """Return the note of a job, or None if there is none.

    Raises:
        JobError: If it is damaged; in that case no second remote job must be started.
    """
    if not (folder / NOTE).exists():
        return None
    content = read_json(folder / NOTE)
    try:
        return Note(**(content or {}))
    except TypeError as error:
        known = ", ".join(field.name for field in fields(Note))
        raise JobError(
            f"{NOTE} in the folder of this job is damaged (expected fields: {known}). Check your jobs on Hugging Face for one "
            "that is still running, then delete the file and resume."
        ) from error


def is_open(job: Job) -> bool:
    """Return whether a remote machine may still be running a job, monitored or not.

    After a failure it may, until an hour after its time limit, as for a Hub that cannot be reached.
    """
    if not job.is_remote:
        return False
    try:
        note, written = read_note(job.folder), (job.folder / NOTE).stat().st_mtime
    except (JobError, OSError):
        return False
    if note is None or not note.asked or note.finished:
        return False
    return not (job.folder / RESULT).exists() or time.time() - written < (note.hours + 1) * 3600


def forget(folder: Path) -> None:
    """Delete the note, so that the next start begins a new remote job."""
    (folder / NOTE).unlink(missing_ok=True)
