"""Shutdown of a container: every worker saves a checkpoint, and its job returns to the queue for the next start."""

import logging
import time
from dataclasses import dataclass

from deftx.core.logs import about
from deftx.jobs.job import STOP, Job, JobError
from deftx.jobs.process import ProcessId, ask_to_stop, kill
from deftx.jobs.progress import progress_of
from deftx.jobs.state import state_of, worker_of
from deftx.jobs.store import Store

PATIENCE = 7.0  # seconds; a container is killed after 10

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stopped:
    """The number of jobs that saved a checkpoint, and of jobs that were killed."""

    saved: int = 0
    killed: int = 0


def stop_workers(store: Store, patience: float = PATIENCE) -> Stopped:
    """Stop all workers within ``patience`` seconds and requeue their jobs at the front, in the same order.

    Jobs that a person stopped stay stopped. No scheduler may use the store at the same time.
    """
    deadline = time.monotonic() + patience
    asked: dict[str, Job] = {}  # by id: the next call of a sliced job runs in another process
    told: set[ProcessId] = set()
    while working := _working(store):
        for worker, job in working.items():
            if worker not in told:  # also one that the scheduler has started just before it was stopped
                told.add(worker)
                _ask(worker, job)
            if job.is_sliced:
                (job.folder / STOP).touch()  # at every look, because a call that begins removes it
            asked[job.id] = job
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    late = _working(store)
    for worker in late:
        kill(worker, patience=1.0)
    killed = {job.id for job in late.values()}
    for job in sorted(asked.values(), key=lambda job: job.position, reverse=True):
        _put_back(store, job.id, job.id in killed)
    return Stopped(len(asked.keys() - killed), len(killed))


def _ask(worker: ProcessId, job: Job) -> None:
    if job.is_remote and not job.stop_requested:
        # A stop request would stop the remote job, which can continue without this machine.
        log.info(
            "Job %s continues remotely; it is monitored again after the next start.",
            job.id,
            extra=about("job_left", job.id),
        )
        kill(worker, patience=1.0)
        return
    log.info("Job %s is asked to save a checkpoint and to stop.", job.id, extra=about("job_asked", job.id))
    ask_to_stop(worker)


def _working(store: Store) -> dict[ProcessId, Job]:
    found = ((worker_of(job), job) for job in (*store.list(), *store.trash()))
    return {worker: job for worker, job in found if worker is not None}


def _put_back(store: Store, job_id: str, was_killed: bool) -> None:
    found = next((job for job in store.list() if job.id == job_id), None)
    if found is None or found.stop_requested or state_of(found).name not in ("stopped", "interrupted"):
        return  # in the trash, stopped by a person, finished or failed
    try:
        # ``reached`` stays unchanged, because this is not a crash of the job.
        store.requeue(job_id, front=True, reached=found.reached)
    except JobError:
        log.exception("Job %s could not be requeued.", job_id, extra=about("job_not_kept", job_id))
        return
    step = progress_of(found).step
    if found.is_remote:
        return
    if was_killed:
        log.warning("Job %s did not stop in time and was killed; it resumes from its last checkpoint at the next start.",
                    job_id, extra=about("job_killed", job_id))  # fmt: skip
    else:
        log.info("Job %s saved its checkpoint after step %s and resumes from there at the next start.",
                 job_id, step, extra=about("job_saved", job_id))  # fmt: skip
