"""The end of a remote job: what it left is brought back, its folder in the bucket removed, and said how it ended."""

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

PATIENCE_POLLS = 12  # looks for the last files: a mounted bucket gets them a while after they were written
ARRIVING = ".arriving"  # in the job's folder


class RemoteFailure(JobError, TrainingError):
    """A training that was started elsewhere could not go on; what was reached is kept."""


def collect(
    bucket: BucketFolder, note: Note, last: JobInfo, folder: Path, patient: Callable[[Any], Any],
    say: Callable[[str, bool], None],
) -> None:  # fmt: skip
    """Bring back what the job left and end as it did; ``say`` tells whoever looks at it (a text, whether it is a warning).

    Raises:
        TrainingStopped: it was asked to stop.
        RemoteFailure: it failed there; the message is that of the training, or says what became of its machine.
    """
    found = _wait_for_delivery(bucket, last, folder, patient)
    result = _take(bucket, found, folder, patient) if found is not None else {}
    outcome = result.get("outcome", "")
    if outcome == "finished":
        note.changed(folder, finished=True)
    try:
        bucket.remove()
    except (*FAMILIES, RuntimeError) as error:  # the training is here all the same
        reason = explain_hub(error, f"bucket {bucket.bucket}", "remove it on the Hub")
        say(f"What lay in the bucket {bucket.bucket} under {bucket.path} could not be removed. {reason}", True)
    if outcome == "finished":
        return
    # Last, so that no restart in between begins another remote job by itself.
    forget(folder)
    if note.stopping and outcome != "failed":
        raise TrainingStopped(
            "The training elsewhere was stopped; its checkpoint is here, and the same command resumes it."
        )
    raise RemoteFailure(_why(note, last, result, found is not None))


def _wait_for_delivery(bucket: BucketFolder, last: JobInfo, folder: Path, patient: Callable[[Any], Any]) -> Any:
    """Find what was left: the final one, for which a job that ended by itself is given some time, else the latest."""
    looks = PATIENCE_POLLS if last.status.stage in ("COMPLETED", "ERROR") else 2
    found = None
    while looks > 0:
        with tempfile.TemporaryDirectory(prefix="deftx-") as scratch:
            answer = patient(lambda place=Path(scratch): (delivery.find(bucket, place),))
        if answer is not None:  # a Hub that cannot be reached takes no look away
            looks, found = looks - 1, answer[0]
            if found is not None and found.final:
                return found
        if looks:
            time.sleep(poll_seconds())
    return found


def _take(
    bucket: BucketFolder, found: delivery.Delivery, folder: Path, patient: Callable[[Any], Any]
) -> dict[str, Any]:
    scratch = folder / ARRIVING  # on the disk of the job, so that moving is at once
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
        f"What the training left in the bucket {bucket.bucket} is damaged: files there are not what was written. Resume "
        "tries again to fetch them."
    )


def _why(note: Note, last: JobInfo, result: dict[str, Any], came_back: bool) -> str:
    onward = "Resume goes on from the checkpoint that came back." if came_back else "Resume starts it anew."
    if result.get("outcome") == "failed":
        return str(result.get("message") or "The training failed.")
    if result.get("outcome") == "stopped":
        return (
            f"It used up the {note.hours:g} h that it was given on {note.flavor}, and saved its checkpoint. Resume goes on "
            "from there, with as many hours again."
        )
    said = " ".join(str(last.status.message or "").split())[:300]
    reasons = {
        "CANCELED": "It was cancelled on Hugging Face",
        "DELETED": "It was deleted on Hugging Face",
        "ERROR": "Its machine on Hugging Face ended with an error",
        "COMPLETED": "It ended on Hugging Face without leaving a result in the bucket",
    }
    reason = reasons.get(last.status.stage, "It ended on Hugging Face")
    return (
        f"{reason}{f' ({said})' if said else ''}. The last lines of its log are below; all of it: {note.url}. {onward}"
    )
