"""Sending a job to Hugging Face Jobs, so that however this machine ends meanwhile, there is never a second one."""

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, JobInfo, Volume
from huggingface_hub.errors import HfHubHTTPError

from deftx.core.errors import HubError, TrainingStopped
from deftx.core.events import Event, OnEvent
from deftx.core.sizes import read_size
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.jobs import limits
from deftx.jobs.job import SETTINGS, JobError, read_json
from deftx.jobs.remote import flavors
from deftx.jobs.remote.bucket import BucketFolder, open_bucket
from deftx.jobs.remote.inside import SAVE_EVERY, SENT
from deftx.jobs.remote.note import Note, forget, new_note
from deftx.jobs.remote.package import pack
from deftx.jobs.remote.places import BUCKET, IMAGE, NAMESPACE, POLL
from deftx.training.request import TrainingRequest

MOUNT = "/job"
LABEL = "deftx"
MARGIN = 600.0  # seconds of the time limit that are left to bring the best so far back
IN_IMAGE = "/home/user/app"  # where the studio's own image has the package (Dockerfile)


def plan(api: HfApi, settings: Mapping[str, Any], folder: Path) -> Note:
    """Decide whose job it will be, on which machine, and where its files lie; write the note, and change nothing else.

    Raises:
        JobError: no account, no such machine, or no answer. SettingsRefused: the settings name no machine or no hours.
    """
    about = _about(folder)
    request = TrainingRequest.from_job(str(about.get("kind") or ""), settings)
    flavors.find(flavors.ask(api), request.flavor)
    namespace = os.environ.get(NAMESPACE) or _asked(lambda: api.whoami()["name"], "account of this token")
    bucket = os.environ.get(BUCKET) or f"{namespace}/deftx-jobs"
    return new_note(str(about.get("id") or "job"), namespace, bucket, request.flavor, request.hours).write(folder)


def send(api: HfApi, note: Note, settings: Mapping[str, Any], folder: Path, on_event: OnEvent) -> None:
    """Put all that the job needs into its folder of the bucket; JobError where that fails."""
    device = flavors.find(flavors.ask(api), note.flavor).device
    package = pack(settings, folder, device)
    about = {**_about(folder), "settings": package.settings}
    on_event(_message(f"Sending {read_size(package.bytes)} to the bucket {note.bucket} …"))
    content = json.dumps(about, ensure_ascii=False).encode()
    files = [*((path, f"{SENT}/{name}") for path, name in package.files), (content, f"{SENT}/{SETTINGS}")]

    def put() -> None:
        open_bucket(api, note.bucket)
        place = BucketFolder(api, note.bucket, note.path)
        place.remove()  # what an earlier try may have left
        place.put(files)

    _asked(put, f"bucket {note.bucket}")


def start(api: HfApi, note: Note, folder: Path, should_stop: Callable[[], bool]) -> Note:
    """Start the remote job, or find the one that was started; the note with its id is on the disk when this returns.

    Raises:
        TrainingStopped: it was asked to stop before anything was started.
        JobError: the Hub refuses, and there is none; or it cannot be told, and the next start looks again.
    """
    found = _find(api, note) if note.asked else None
    if found is None and should_stop():
        _take_back(api, note, folder)
        raise TrainingStopped("The training was stopped before a machine was asked for.")
    if found is None:
        note = note.changed(folder, asked=True)
        try:
            found = _run(api, note)
        except HfHubHTTPError as error:
            if error.response.status_code >= 500:
                raise JobError(_unknown(error)) from error
            _take_back(api, note, folder)
            raise JobError(refusal(error)) from error
        except FAMILIES as error:
            raise JobError(_unknown(error)) from error
    return note.changed(folder, job=found.id, url=found.url)


def refusal(error: Exception) -> str:
    """Say why the Hub does not run a job."""
    response = getattr(error, "response", None)
    if response is not None and response.status_code == 402:
        return (
            "Hugging Face Jobs are paid from the account's credit, and there is not enough of it. Add some on the Hub "
            "(Settings, Billing), then resume; nothing was started."
        )
    if response is not None and response.status_code == 403:
        return (
            "The token in HF_TOKEN may not run jobs for this account. Make one that may (Settings, Access Tokens on the "
            "Hub: write, or fine-grained with the right to start jobs and to write to buckets), then resume."
        )
    return explain_hub(error, "Hugging Face Jobs", "train on this machine")


def _run(api: HfApi, note: Note) -> JobInfo:
    seconds = round(note.hours * 3600)
    passed_on = {name: os.environ[name] for name in (POLL, SAVE_EVERY) if os.environ.get(name)}
    return api.run_job(
        image=os.environ[IMAGE],
        command=["python", "-m", "deftx.jobs.remote.inside", MOUNT],
        # No token goes along: the bucket is mounted for the job by the Hub itself.
        env={"PYTHONPATH": IN_IMAGE, limits.SECONDS: str(max(seconds - MARGIN, seconds / 2)), **passed_on},
        flavor=note.flavor,
        timeout=seconds,
        labels={LABEL: note.mark, "name": note.mark},
        volumes=[Volume(type="bucket", source=note.bucket, mount_path=MOUNT, path=note.path, read_only=False)],
        namespace=note.namespace,
    )


def _take_back(api: HfApi, note: Note, folder: Path) -> None:
    """Remove what was sent for a job that was not started."""
    with suppress(*FAMILIES, RuntimeError):  # what stays there is the owner's to remove
        BucketFolder(api, note.bucket, note.path).remove()
    forget(folder)


def _find(api: HfApi, note: Note) -> JobInfo | None:
    what = f"jobs of {note.namespace}"
    found = _asked(lambda: list(api.list_jobs(namespace=note.namespace, labels={LABEL: note.mark})), what)
    return found[0] if found else None


def _asked(call: Any, what: str) -> Any:
    try:
        return call()
    except HubError:
        raise
    except (*FAMILIES, RuntimeError) as error:  # hf_xet has errors of its own for the network
        raise JobError(explain_hub(error, what, "train on this machine")) from error


def _unknown(error: Exception) -> str:
    return (
        f"{explain_hub(error, 'Hugging Face Jobs', 'train on this machine')} Whether the job was started is not known: resume, "
        "and it is looked for before another one is started."
    )


def _message(text: str, warning: bool = False) -> Event:
    return Event("tokenise", message=text, warning=warning, time=time.time())


def _about(folder: Path) -> dict[str, Any]:
    return read_json(folder / SETTINGS) or {}
