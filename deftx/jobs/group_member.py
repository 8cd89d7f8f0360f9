"""One rank of a distributed job: ``python -m deftx.jobs.group_member FOLDER``, started by ``accelerate launch``.

It trains like a worker, but the lock, heartbeat and result belong to the worker. The first rank writes the events; each
rank writes its own result.
"""

import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from deftx.core.events import ignore
from deftx.jobs.ending import StopRequest, ending_of
from deftx.jobs.group import RANKS_LOCK, write_result
from deftx.jobs.job import EVENTS, LOCK, JobError
from deftx.jobs.process import take_lock, wait_until_unlocked
from deftx.jobs.worker import WORK, EventLog, read_job, train

log = logging.getLogger(__name__)


def main(folder: Path, work: Mapping[str, str] = WORK) -> int:
    """Train this rank's part of the job in ``folder`` and return the exit code."""
    index = int(os.environ["RANK"])
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s [{index}] %(message)s")
    stop = StopRequest()
    threading.Thread(target=_end_with_the_worker, args=(folder / LOCK,), name="end", daemon=True).start()
    lock = take_lock(folder / RANKS_LOCK, shared=True)
    if lock is None:
        raise JobError("Another run of this job is starting its processes.")
    with lock:  # held until this process ends; no other run of the job starts before
        on_event = EventLog(folder / EVENTS).write if index == 0 else ignore
        result, code = ending_of(lambda: train(read_job(folder, work), work, folder, on_event, stop.requested), stop)
        log.info("%s: %s", result.outcome, result.message)
        write_result(folder, index, result, code)
    return code


def _end_with_the_worker(lock: Path) -> None:
    wait_until_unlocked(lock)
    log.error("The worker of this job has ended; this process ends too.")
    os._exit(1)  # immediately; unsaved work is lost


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deftx.jobs.group_member FOLDER")
    sys.exit(main(Path(sys.argv[1])))
