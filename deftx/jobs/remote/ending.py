"""The end of a remote job: downloading its delivery, deleting its folder in the bucket, and reporting how it ended."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import JobInfo

from deftx.core.errors import TrainingError, TrainingStopped
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.jobs.job import JobError
from deftx.jobs.remote import delivery
from deftx.jobs.remote.bucket import BucketFolder
from deftx.jobs.remote.note import Note, forget
from deftx.jobs.remote.places import poll_seconds

PATIENCE_POLLS = 12  # attempts to find the last files, since a mounted bucket uploads them with a delay
ARRIVING = ".arriving"  # in the job's folder


class RemoteFailure(JobError, TrainingError):
    """A remote training run failed; its checkpoints are kept."""


def collect(
    bucket: BucketFolder, note: Note, last: JobInfo, folder: Path, patient: Callable[[Any], Any],
    say: Callable[[str, bool], None],
) -> None:  # fmt: skip
    """Download the job's delivery and end in the same way; ``say(text, warning)`` reports messages.

    Raises:
        TrainingStopped: If it was stopped on request.
        RemoteFailure: If it failed; the message is that of the training run, or says what happened to its machine.
    """
    found = _wait_for_delivery(bucket, last, folder, patient)
    result = _take(bucket, found, folder, patient) if found is not None else {}
    outcome = result.get("outcome", "")
    if outcome == "finished":
        note.changed(folder, finished=True)
    try:
        bucket.remove()
    except (*FAMILIES, RuntimeError) as error:  # does not affect the result
        reason = explain_hub(error, f"bucket {bucket.bucket}", "remove it on the Hub")
        say(f"The folder {bucket.path} in the bucket {bucket.bucket} could not be deleted. {reason}", True)
    if outcome == "finished":
        return
    # Last, so that a restart before this does not start another remote job.
    forget(folder)
    if note.stopping and outcome != "failed":
        raise TrainingStopped(
            "The remote training run was stopped. Its checkpoint was downloaded; the same command resumes it."
        )
    raise RemoteFailure(_why(note, last, result, found is not None))


def _wait_for_delivery(bucket: BucketFolder, last: JobInfo, folder: Path, patient: Callable[[Any], Any]) -> Any:
    """Return the final delivery, waiting for it if the job ended by itself, else the latest one."""
    looks = PATIENCE_POLLS if last.status.stage in ("COMPLETED", "ERROR") else 2
    found = None
    while looks > 0:
        with tempfile.TemporaryDirectory(prefix="deftx-") as scratch:
            answer = patient(lambda place=Path(scratch): (delivery.find(bucket, place),))
        if answer is not None:  # attempts count only if the Hub was reached
            looks, found = looks - 1, answer[0]
            if found is not None and found.final:
                return found
        if looks:
            time.sleep(poll_seconds())
    return found


def _take(
    bucket: BucketFolder, found: delivery.Delivery, folder: Path, patient: Callable[[Any], Any]
) -> dict[str, Any]:
    scratch = folder / ARRIVING  # on the disk of the job, so that files can be moved
    looks = PATIENCE_POLLS
    while looks > 0:
        shutil.rmtree(scratch, ignore_errors=True)
        answer = patient(lambda: (delivery.fetch(bucket, found, scratch),))
        if answer is not None and answer[0] is not None:
            result = delivery.unpack(answer[0], folder)
            shutil.rmtree(scratch, ignore_errors=True)
            return result
        looks -= answer is not None
        time.sleep(poll_seconds())
    raise RemoteFailure(
        f"Files of the training run in the bucket {bucket.bucket} are damaged: they differ from what was written. Resume to "
        "try the download again."
    )


def _why(note: Note, last: JobInfo, result: dict[str, Any], came_back: bool) -> str:
    onward = "Resume to continue from its last checkpoint." if came_back else "Resume to start it from the beginning."
    if result.get("outcome") == "failed":
        return str(result.get("message") or "The training failed.")
    if result.get("outcome") == "stopped":
        return (
            f"It reached its time limit of {note.hours:g} h on {note.flavor} and saved its checkpoint. Resume to continue from "
            "there, with the same number of hours."
        )
    said = " ".join(str(last.status.message or "").split())[:300]
    reasons = {
        "CANCELED": "It was cancelled on Hugging Face",
        "DELETED": "It was deleted on Hugging Face",
        "ERROR": "Its machine on Hugging Face ended with an error",
        "COMPLETED": "It ended on Hugging Face without leaving a result in the bucket",
    }
    reason = reasons.get(last.status.stage, "It ended on Hugging Face")
    return f"{reason}{f' ({said})' if said else ''}. The last lines of its log are below; the complete log: {note.url}. {onward}"
