"""The worker of a remote job on this machine: it starts the job, monitors it, and downloads its results.

It can be killed at any time: the next start finds the remote job by its note and continues monitoring.
"""

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub import HfApi, JobInfo
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import disable_progress_bars

from deftx.core.events import Event, OnEvent, event_from_json
from deftx.hub.errors import FAMILIES, explain_hub
from deftx.jobs.job import EVENTS, JobError
from deftx.jobs.remote import starting
from deftx.jobs.remote.bucket import BucketFolder
from deftx.jobs.remote.ending import collect
from deftx.jobs.remote.inside import STOP
from deftx.jobs.remote.note import Note, read_note
from deftx.jobs.remote.places import client, poll_seconds

ENDED = ("COMPLETED", "CANCELED", "ERROR", "DELETED")
STAGES = {"SCHEDULING": "is waiting for a machine", "RUNNING": "is running"}
GRACE_POLLS = 90  # polls after a stop request until the machine is shut down
RETRIED = (408, 409, 425, 429)  # status codes after which a request is repeated

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


def train_remotely(
    settings: Mapping[str, Any], folder: Path, on_event: OnEvent, should_stop: Callable[[], bool]
) -> None:
    """Run a job on Hugging Face Jobs, with the interface of a worker's function.

    Raises:
        TrainingStopped: If it was stopped on request; its checkpoint is in the job's folder.
        JobError: If it could not be started, ended without a result, or can no longer be monitored.
    """
    disable_progress_bars()
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line per request would fill the log
    note = read_note(folder)
    if note is None or not note.finished:
        _train(settings, folder, note, on_event, should_stop)
    if settings.get("push_to"):  # pushed from this machine, because the remote one has no token
        from deftx.jobs.push import push_finished  # imports torch, which monitoring does not need

        push_finished(settings, folder, on_event)


def _train(
    settings: Mapping[str, Any], folder: Path, note: Note | None, on_event: OnEvent, should_stop: Callable[[], bool]
) -> None:
    api = client()
    if note is None:
        note = starting.plan(api, settings, folder)
    if not note.asked:
        starting.send(api, note, settings, folder, on_event)
    if not note.job:
        note = starting.start(api, note, folder, should_stop)
    watcher = Watcher(api, note, folder, on_event, should_stop)
    last = watcher.watch()
    collect(watcher.bucket, watcher.note, last, folder, watcher.try_call, watcher.say)


class Watcher:
    """Monitors a remote job until it has ended, and copies its events and log."""

    def __init__(
        self, api: HfApi, note: Note, folder: Path, on_event: OnEvent, should_stop: Callable[[], bool]
    ) -> None:
        """Start with the events that are already in the folder."""
        self._api, self.note, self._folder = api, note, folder
        self._on_event, self._should_stop, self._poll = on_event, should_stop, poll_seconds()
        self.bucket = BucketFolder(api, note.bucket, note.path)
        self._stopping: float | None = None  # time of the stop request
        self._cancelled, self._asked_to_stop = False, False
        self._stage, self._phase, self._seen_events = "", "tokenise", ""
        self._known = _lines(folder / EVENTS)
        self._away_since: float | None = None

    def watch(self) -> JobInfo:
        """Monitor the job and return its final status. Raise JobError if the Hub can no longer be asked."""
        mirror = _LogMirror(self._api, self.note, self._poll)
        mirror.start()
        while True:
            info = self.try_call(self._inspect)
            if info is not None:
                self._say_stage(info.status.stage)
            self._mirror_events()
            if info is not None and info.status.stage in ENDED:
                mirror.stop()
                return info
            if self._should_stop():
                self._stop(info)
            self._wait()

    def _inspect(self) -> JobInfo:
        try:
            return self._api.inspect_job(job_id=self.note.job, namespace=self.note.namespace)
        except HfHubHTTPError as error:
            if error.response.status_code != 404:
                raise
            # The next step deletes the job's folder in the bucket, so the list of jobs must not have it either.
            jobs = self._api.list_jobs(namespace=self.note.namespace, labels={starting.LABEL: self.note.mark})
            if any(job.id == self.note.job for job in jobs):
                raise
            owner = {"id": "", "name": self.note.namespace, "type": ""}
            return JobInfo(id=self.note.job, owner=owner, status={"stage": "DELETED"})

    def try_call(self, call: Callable[[], Answer]) -> Answer | None:
        """Return the result of a request, or None if the Hub could not be reached; the caller tries again later.

        Raises:
            JobError: If the Hub refused the request, or was unreachable for longer than the job's time limit.
        """
        try:
            answer = call()
        except HfHubHTTPError as error:
            if error.response.status_code < 500 and error.response.status_code not in RETRIED:
                raise JobError(self._refused(error)) from error
            self._note_absence(error)
        except (*FAMILIES, RuntimeError) as error:
            self._note_absence(error)
        else:
            self._away_since = None
            return answer
        return None

    def _say_stage(self, stage: str) -> None:
        if stage != self._stage and stage in STAGES:
            self.say(f"The job on Hugging Face ({self.note.flavor}) {STAGES[stage]}: {self.note.url}")
        self._stage = stage

    def _stop(self, info: JobInfo | None) -> None:
        """Pass a stop request on. If the job has not started, or does not stop in time, cancel it."""
        if self._stopping is None:
            self._stopping = time.monotonic()
            self.note = self.note.changed(self._folder, stopping=True)
            self.say("Asking the remote training run to save its checkpoint …")
        late = time.monotonic() - self._stopping > GRACE_POLLS * self._poll
        if not self._cancelled and (late or (info is not None and info.status.stage == "SCHEDULING")):
            self._cancelled = self._done(self._cancel)
        elif not self._asked_to_stop:
            self._asked_to_stop = self._done(lambda: self.bucket.put([(b"stop", STOP)]))

    def _cancel(self) -> None:
        try:
            self._api.cancel_job(job_id=self.note.job, namespace=self.note.namespace)
        except HfHubHTTPError as error:
            if error.response.status_code != 404:  # a job that no longer exists needs no cancelling
                raise

    def _done(self, call: Callable[[], Any]) -> bool:
        return self.try_call(lambda: (call(), True)[1]) is not None

    def _mirror_events(self) -> None:
        """Copy new events of the remote job to this job."""
        name = f"back/{EVENTS}"
        file = self.try_call(lambda: self.bucket.look(name))
        if file is None or file.xet_hash == self._seen_events:
            return
        with tempfile.TemporaryDirectory(prefix="deftx-") as scratch:
            if self.try_call(lambda: (self.bucket.fetch({name: file}, Path(scratch)), True)[1]) is None:
                return
            lines = _lines(Path(scratch) / name)
        self._seen_events = file.xet_hash
        for line in (line for line in lines if line not in self._known):
            self._known[line] = None
            try:
                event = event_from_json(line)
            except (ValueError, TypeError):
                continue
            self._phase = event.phase
            self._on_event(event)

    def say(self, text: str, warning: bool = False) -> None:
        """Add a message to the job's events."""
        self._on_event(Event(self._phase, message=text, warning=warning))

    def _note_absence(self, error: Exception) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            log.warning("The Hub does not answer: %s", explain_hub(error, "remote job", "wait"))
            self.say("The Hugging Face Hub cannot be reached. The remote job continues; the request is repeated.", True)
        if now - self._away_since > (self.note.hours + 1) * 3600:
            raise JobError(
                "The Hugging Face Hub could not be reached for longer than the job's time limit, so the job has ended. When the "
                "network is back, resume to download its results."
            ) from error

    def _refused(self, error: Exception) -> str:
        return (
            f"{explain_hub(error, 'job on Hugging Face', 'resume later')} The job may still be running, until its time "
            f"limit of {self.note.hours:g} h: {self.note.url}. When the problem is solved, resume to continue monitoring it."
        )

    def _wait(self) -> None:
        """Wait for the next poll, or until a stop is requested."""
        until = time.monotonic() + self._poll
        while time.monotonic() < until and (self._stopping is not None or not self._should_stop()):
            time.sleep(min(0.2, self._poll))


class _LogMirror:
    """A thread that copies the output of the remote machine to this worker's log."""

    def __init__(self, api: HfApi, note: Note, pause: float) -> None:
        self._api, self._note, self._pause = api, note, pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wait briefly for the last lines."""
        self._ended.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        written = 0
        while True:
            try:
                lines = self._api.fetch_job_logs(job_id=self._note.job, namespace=self._note.namespace, follow=True)
                for number, line in enumerate(lines):
                    if number >= written:
                        log.info("[remote] %s", line.rstrip())
                        written = number + 1
                return  # the job has ended
            except Exception as error:  # the job does not depend on the log
                if self._ended.wait(max(1.0, self._pause)):
                    return
                log.debug("The remote log could not be read: %s", error)


def _lines(path: Path) -> dict[str, None]:
    """Return the complete lines of a file, in order; the last line may be missing while the file is written."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict.fromkeys(text.rpartition("\n")[0].splitlines())
