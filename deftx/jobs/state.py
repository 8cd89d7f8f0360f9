"""What a job is doing, derived from its result and from its process being alive, never from its row alone."""

import time
from dataclasses import dataclass, replace

from deftx.core.events import read_duration
from deftx.jobs.job import HEARTBEAT, LOCK, RESULT, Job, read_json
from deftx.jobs.process import ProcessId, is_locked, lives

SILENT_AFTER = 60.0  # seconds without a heartbeat (one is due every 2 s) after which a living process looks stuck


@dataclass(frozen=True)
class State:
    """A state by name, what it means, and what the person can do."""

    name: str
    meaning: str
    advice: str
    active: bool = False  # a process works on it
    resumable: bool = False  # it can be put back into the queue and goes on from its checkpoint


STATES = {
    state.name: state
    for state in (
        State("waiting", "Waiting for its turn.", "It starts by itself; its place in the queue can be changed."),
        State("running", "Running.", "The page can be closed: the job goes on without it.", active=True),
        State("stopping", "Stopping: a checkpoint is being saved.", "This takes up to a minute.", active=True),
        State("finished", "Finished.", "The vector is ready to be used."),
        State(
            "failed", "It could not go on.", "Change what the message names, or resume to try again.", resumable=True
        ),
        State("stopped", "Stopped as asked.", "Resume goes on from the last checkpoint.", resumable=True),
        State(
            "interrupted",
            "Its process ended without a word: it was killed, or the computer was switched off or ran out of memory.",
            "Resume goes on from the last checkpoint. If it ends at the same point again, choose a smaller batch_size.",
            resumable=True,
        ),
    )
}

_LOST = replace(STATES["failed"], meaning="The folder of this job is gone.", advice="Discard the job.", resumable=False)


def worker_of(job: Job) -> ProcessId | None:
    """Return the process that works on the job now, or None.

    The row can be behind: a server that dies right after starting a worker has not written its number down. Such a
    worker holds the lock of the folder and its heartbeat says who it is.
    """
    if lives(job.process):
        return job.process
    if not is_locked(job.folder / LOCK):
        return None
    heart = read_json(job.folder / HEARTBEAT) or {}
    return ProcessId(int(heart.get("pid", 0)), float(heart.get("created", 0.0)))


def state_of(job: Job) -> State:
    """Derive the state; cheap enough for every poll of a page."""
    # The process first: one that is found dead can no longer write the result that is read after it.
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
    return STATES["waiting"] if job.process is None else STATES["interrupted"]


def _running(job: Job) -> State:
    try:
        silent = time.time() - (job.folder / HEARTBEAT).stat().st_mtime
    except OSError:  # it has not come to its first heartbeat
        return STATES["running"]
    if silent < SILENT_AFTER:
        return STATES["running"]
    meaning = f"Its process lives, but has given no sign for {read_duration(silent)}."
    return replace(STATES["running"], meaning=meaning, advice="Wait if the computer was asleep; else stop and resume.")
