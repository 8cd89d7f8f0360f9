"""Distributed training of a job: ``accelerate launch`` starts several ranks, each for a part of every batch.

The worker has the lock and the heartbeat, and writes the result. It starts the ranks, passes stop requests on to them, and
combines their results. The ranks end when the worker ends, because they wait for the worker's lock.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from deftx.core.errors import PeerLost
from deftx.core.files import write_json
from deftx.core.machine import cores
from deftx.jobs.ending import Ending, Result, StopRequest, stopped_code
from deftx.jobs.job import JobError, read_json
from deftx.jobs.process import take_lock
from deftx.jobs.state import STATES

RANKS_LOCK = "ranks.lock"  # in the job's folder: shared by all running ranks
MOST = 64  # largest number of processes
# Every option is given, so that the user's own configuration of accelerate has no effect.
LAUNCH = (sys.executable, "-P", "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1",
          "--gpu_ids", "all", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip
RANK = "deftx.jobs.group_member"

_LOOK_EVERY = 0.1  # seconds
_ASK_EVERY = 1.0  # seconds between two signals, because a rank may not be ready for the first one
_GRACE = 10.0  # seconds for the other ranks to end after one has ended
_PREDECESSORS_END = 30.0  # seconds for the ranks of an earlier run to end

log = logging.getLogger(__name__)


def count_of(settings: Mapping[str, Any]) -> int:
    """Return the number of processes in a job's settings. Raise JobError if it is invalid."""
    count = settings.get("processes") or 1
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise JobError(f"processes is {count!r}: expected an integer from 1 to {MOST}.")
    return count


def run(folder: Path, count: int, stop: StopRequest, should_stop: Callable[[], bool], module: str = RANK) -> Ending:
    """Train the job in ``folder`` with ``count`` ranks and return how it ended. ``should_stop`` is called regularly.

    Each rank runs ``module`` with the folder as its argument.

    Raises:
        JobError: If the ranks of an earlier run do not end.
    """
    for old in folder.glob(_result_name("*")):
        old.unlink()
    before = take_lock(folder / RANKS_LOCK, patience=_PREDECESSORS_END)
    if before is None:
        raise JobError("Processes of an earlier run of this job are still running. End them, then resume.")
    before.close()
    # In the worker's process group, so that they are killed together; the launcher starts each rank in a new session.
    command = [*LAUNCH, "--num_processes", str(count), "-m", module, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=_environment(count)) as launcher:
        try:
            stopping = _wait(launcher, folder, should_stop)
        except BaseException:
            _kill(launcher)
            raise
    log.info("The launcher of %d processes ended with %d.", count, launcher.returncode)
    return combined_ending(read_results(folder), stopping, stopped_code(stop))


def write_result(folder: Path, index: int, result: Result, code: int) -> None:
    """Write how the rank with this index ended."""
    write_json(folder / _result_name(index), {**asdict(result), "code": code})


def read_results(folder: Path) -> dict[int, tuple[Result, int]]:
    """Return the results of the ranks by index; a rank that was killed has none."""
    found = {}
    for path in folder.glob(_result_name("*")):
        content = read_json(path)
        if content is not None:
            code = content.pop("code")
            found[int(path.stem.removeprefix("rank-"))] = Result(**content), code
    return found


def combined_ending(results: Mapping[int, tuple[Result, int]], stopping: bool, stopped: int) -> Ending:
    """Return how a job ended, from the results of its ranks.

    ``stopping`` says whether a stop was requested; ``stopped`` is the exit code in that case. If a rank was killed and the
    others ended for that reason, there is no result: the job was interrupted.
    """
    if 0 in results and results[0][0].outcome == "finished":
        return results[0]
    # The first failure is the cause of the others.
    failed = [one for one in results.values() if one[0].outcome == "failed" and one[0].exception != PeerLost.__name__]
    if failed:
        return min(failed, key=lambda one: one[0].time)
    if stopping:
        return Result("stopped", STATES["stopped"].meaning, "TrainingStopped"), stopped
    log.error("A process of this training run was killed or crashed; the others were stopped.")
    return None, 1


def _wait(launcher: subprocess.Popen, folder: Path, should_stop: Callable[[], bool]) -> bool:
    """Wait for the launcher, pass a stop request on, and kill ranks that do not end. Return whether a stop was requested."""
    stopping, ask_next, over_since = False, 0.0, None
    while launcher.poll() is None:
        now = time.monotonic()
        if should_stop() and now >= ask_next:
            stopping, ask_next = True, now + _ASK_EVERY
            _ask(launcher)
        if over_since is None and _is_over(read_results(folder)):
            over_since = now
        if over_since is not None and now - over_since > _GRACE:
            log.warning("Some processes did not end and are killed.")
            _kill(launcher)
        time.sleep(_LOOK_EVERY)
    return stopping


def _is_over(results: Mapping[int, tuple[Result, int]]) -> bool:
    # The first rank may still write the vector when the others have finished.
    return 0 in results or any(result.outcome == "failed" for result, _ in results.values())


def _ask(launcher: subprocess.Popen) -> None:
    # Not the launcher, because it would kill the ranks after 30 s, even while they save.
    ranks = _ranks(launcher)
    for rank in ranks:
        with suppress(psutil.NoSuchProcess):
            rank.terminate()
    if not ranks:
        launcher.terminate()


def _kill(launcher: subprocess.Popen) -> None:
    for process in _ranks(launcher):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    launcher.kill()


def _ranks(launcher: subprocess.Popen) -> list[psutil.Process]:
    try:
        return psutil.Process(launcher.pid).children()
    except psutil.NoSuchProcess:
        return []


def _result_name(index: int | str) -> str:
    return f"rank-{index}.json"


def _environment(count: int) -> dict[str, str]:
    # By default, the launcher gives each process one thread; here they share all cores.
    threads = max(1, cores() // count)
    # Like -P: do not import modules from the current folder.
    return {"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONSAFEPATH": "1"}
