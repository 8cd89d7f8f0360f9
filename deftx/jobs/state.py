"""The state of a job, derived from its result and its process, never only from its row in the database."""

import time
from dataclasses import dataclass, replace

from deftx.core.events import read_duration
from deftx.jobs.job import HEARTBEAT, LOCK, RESULT, Job, read_json
from deftx.jobs.process import ProcessId, is_locked, lives

SILENT_AFTER = 60.0  # seconds without a heartbeat (every 2 s) after which a process seems to hang


@dataclass(frozen=True)
class State:
    """The name of a state, its meaning, and what the user can do."""

    name: str
    meaning: str
    advice: str
    active: bool = False  # whether a process is running
    resumable: bool = False  # whether it can be requeued, to continue from its checkpoint


STATES = {
    state.name: state
    for state in (
        State("waiting", "Waiting in the queue.", "It starts automatically; its place in the queue can be changed."),
        State("running", "Running.", "The page can be closed: the job continues.", active=True),
        State("stopping", "Stopping: a checkpoint is being saved.", "This takes up to a minute.", active=True),
        State("finished", "Finished.", "The vector is ready to be used."),
        State("failed", "It failed.", "Correct what the message says, or resume to try again.", resumable=True),
        State("stopped", "Stopped on request.", "Resume to continue from the last checkpoint.", resumable=True),
        State(
            "interrupted",
            "Its process ended unexpectedly: it was killed, or the computer was switched off or ran out of memory.",
            "Resume to continue from the last checkpoint. If it ends at the same point again, choose a smaller batch_size.",
            resumable=True,
        ),
    )
}

_WITHOUT_CALLS = replace(
    STATES["waiting"],
    meaning="Waiting for its page. It trains on a shared GPU in short calls, and only the open page of the person who started it makes them.",
    advice="Open the page to continue. Nothing is lost meanwhile.",
)

_IN_A_CALL = replace(
    STATES["running"],
    meaning="Running in a call to a shared GPU.",
    advice="Keep the page open: it makes the calls. If it is closed, the job waits for it.",
)

_LOST = replace(
    STATES["failed"], meaning="The folder of this job no longer exists.", advice="Discard the job.", resumable=False
)


def worker_of(job: Job) -> ProcessId | None:
    """Return the running worker process of the job, or None.

    If the server ended right after starting a worker, the row does not contain the process. Then the lock of the folder
    shows that a worker is running, and its heartbeat contains the process id.
    """
    if lives(job.process):
        return job.process
    if not is_locked(job.folder / LOCK):
        return None
    heart = read_json(job.folder / HEARTBEAT) or {}
    return ProcessId(int(heart.get("pid", 0)), float(heart.get("created", 0.0)))


def state_of(job: Job) -> State:
    """Return the state of a job. It is fast enough for every poll of a page."""
    # Check the process before the result, because a running process could write the result in between.
    worker = worker_of(job)
    result = read_json(job.folder / RESULT)
    if result is not None and result.get("outcome") in STATES:
        message = result.get("message")
        state = STATES[result["outcome"]]
        return replace(state, meaning=message) if message else state
    if worker is not None:
        return STATES["stopping"] if job.stop_requested else _running(job)
    if not job.folder.is_dir():
        return _LOST
    if job.stop_requested:
        return STATES["stopped"]
    if job.is_sliced:
        return _WITHOUT_CALLS
    return STATES["waiting"] if job.process is None else STATES["interrupted"]


def _running(job: Job) -> State:
    try:
        silent = time.time() - (job.folder / HEARTBEAT).stat().st_mtime
    except OSError:  # before its first heartbeat
        silent = 0.0
    if silent < SILENT_AFTER:
        return _IN_A_CALL if job.is_sliced else STATES["running"]
    meaning = f"Its process is running, but has not responded for {read_duration(silent)}."
    return replace(
        STATES["running"], meaning=meaning, advice="Wait if the computer was asleep; otherwise stop and resume."
    )
