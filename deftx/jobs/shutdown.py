"""The end of a machine that goes on elsewhere: every worker saves a checkpoint, and its job waits for the next start."""

import logging
import time
from dataclasses import dataclass

from deftx.core.logs import about
from deftx.jobs.job import Job, JobError
from deftx.jobs.process import ProcessId, ask_to_stop, kill
from deftx.jobs.progress import progress_of
from deftx.jobs.state import state_of, worker_of
from deftx.jobs.store import Store

PATIENCE = 7.0  # seconds; a container has 10 in all before it is killed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stopped:
    """How many jobs saved a checkpoint when asked, and how many were killed and go on from an earlier one."""

    saved: int = 0
    killed: int = 0


def stop_workers(store: Store, patience: float = PATIENCE) -> Stopped:
    """End every worker within ``patience`` seconds and put its job at the front of the queue, in the order they had.

    What a person asked to stop stays stopped. No scheduler may look after the store any more.
    """
    deadline = time.monotonic() + patience
    asked: dict[ProcessId, Job] = {}
    while working := _working(store):
        for worker, job in working.items():
            if worker not in asked:  # also one that a scheduler had started just before it was stopped
                asked[worker] = job
                _ask(worker, job)
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    late = set(_working(store))
    for worker in late:
        kill(worker, patience=1.0)
    for worker, job in sorted(asked.items(), key=lambda pair: pair[1].position, reverse=True):
        _put_back(store, job.id, worker in late)
    return Stopped(len(asked) - len(late), len(late))


def _ask(worker: ProcessId, job: Job) -> None:
    if job.is_remote and not job.stop_requested:
        # To be asked would stop the training elsewhere, which can go on without this machine and is found again.
        log.info(
            "Job %s goes on elsewhere; it is watched again at the next start.", job.id, extra=about("job_left", job.id)
        )
        kill(worker, patience=1.0)
        return
    log.info("Job %s is asked to save a checkpoint and to end.", job.id, extra=about("job_asked", job.id))
    ask_to_stop(worker)


def _working(store: Store) -> dict[ProcessId, Job]:
    found = ((worker_of(job), job) for job in (*store.list(), *store.trash()))
    return {worker: job for worker, job in found if worker is not None}


def _put_back(store: Store, job_id: str, was_killed: bool) -> None:
    found = next((job for job in store.list() if job.id == job_id), None)
    if found is None or found.stop_requested or state_of(found).name not in ("stopped", "interrupted"):
        return  # it is in the trash, or a person stopped it, or it has just finished or failed
    try:
        # Its count of automatic restarts stays as it is: this end says nothing about the job.
        store.requeue(job_id, front=True, reached=found.reached)
    except JobError:
        log.exception("Job %s could not be put back into the queue.", job_id, extra=about("job_not_kept", job_id))
        return
    step = progress_of(found).step
    if found.is_remote:
        return
    if was_killed:
        log.warning("Job %s did not end in time and was killed; it goes on from its last checkpoint at the next start.",
                    job_id, extra=about("job_killed", job_id))  # fmt: skip
    else:
        log.info("Job %s saved its checkpoint after step %s and goes on from there at the next start.",
                 job_id, step, extra=about("job_saved", job_id))  # fmt: skip
