"""One job as several processes, which ``accelerate launch`` starts: each trains on its share of every batch.

The worker stays the job's one process: it holds the lock, gives the heartbeat and says how the job ended. It starts the
others, the ranks, passes a stop on to them, and puts together what they left. A rank ends as soon as the worker is gone,
however that went: it waits for the worker's lock.
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
from deftx.jobs.ending import Ending, Result, StopRequest, stopped_code
from deftx.jobs.job import JobError, read_json
from deftx.jobs.process import take_lock
from deftx.jobs.state import STATES

RANKS_LOCK = "ranks.lock"  # in the job's folder: shared by the ranks that live
MOST = 64  # processes: more than any machine has GPUs
# All that a person's own settings of accelerate could say otherwise is said.
LAUNCH = (sys.executable, "-P", "-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1",
          "--gpu_ids", "all", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip
RANK = "deftx.jobs.group_member"

_LOOK_EVERY = 0.1  # seconds
_ASK_EVERY = 1.0  # seconds between two signals: one that came before a rank listened has ended it, or was lost
_LAST_WORDS = 10.0  # seconds that the other ranks have to end, once one has said how it ended
_PREDECESSORS_END = 30.0  # seconds that the ranks of an earlier run may take to go

log = logging.getLogger(__name__)


def count_of(settings: Mapping[str, Any]) -> int:
    """Return how many processes a job's settings ask for; JobError where that is no such number."""
    count = settings.get("processes") or 1
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise JobError(f"processes is {count!r}: expected a whole number from 1 to {MOST}.")
    return count


def run(folder: Path, count: int, stop: StopRequest, should_stop: Callable[[], bool], module: str = RANK) -> Ending:
    """Train the job in ``folder`` with ``count`` ranks and say how it ended; ``should_stop`` is asked all the time.

    ``module`` is what each rank runs, with the folder as its argument.

    Raises:
        JobError: ranks of an earlier run do not end.
    """
    for word in folder.glob(_word("*")):
        word.unlink()
    before = take_lock(folder / RANKS_LOCK, patience=_PREDECESSORS_END)
    if before is None:
        raise JobError("Processes of an earlier run of this training do not end; end them, then resume.")
    before.close()
    # In the worker's own process group, which is killed as one; the launcher gives each rank a session of its own.
    command = [*LAUNCH, "--num_processes", str(count), "-m", module, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, env=_environment(count)) as launcher:
        try:
            asked = _wait(launcher, folder, should_stop)
        except BaseException:
            _kill(launcher)
            raise
    log.info("The launcher of %d processes ended with %d.", count, launcher.returncode)
    return verdict(read_words(folder), asked, stopped_code(stop))


def leave_word(folder: Path, index: int, result: Result, code: int) -> None:
    """Leave behind how the rank of this index ended."""
    write_json(folder / _word(index), {**asdict(result), "code": code})


def read_words(folder: Path) -> dict[int, tuple[Result, int]]:
    """Return what ranks left behind, by index; a rank that was killed has left nothing."""
    found = {}
    for path in folder.glob(_word("*")):
        content = read_json(path)
        if content is not None:
            code = content.pop("code")
            found[int(path.stem.removeprefix("rank-"))] = Result(**content), code
    return found


def verdict(words: Mapping[int, tuple[Result, int]], asked: bool, stopped: int) -> Ending:
    """Say how a job ended whose ranks left these words; ``asked``: it was to stop, ``stopped``: its exit code then.

    Where a rank died without a word, and the others only missed it, there is no result: the job was interrupted.
    """
    if 0 in words and words[0][0].outcome == "finished":
        return words[0]
    # The first failure is the cause: those that follow come of it.
    failed = [word for word in words.values() if word[0].outcome == "failed" and word[0].exception != PeerLost.__name__]
    if failed:
        return min(failed, key=lambda word: word[0].time)
    if asked:
        return Result("stopped", STATES["stopped"].meaning, "TrainingStopped"), stopped
    log.error("A process of this training died without a word; the others were ended.")
    return None, 1


def _wait(launcher: subprocess.Popen, folder: Path, should_stop: Callable[[], bool]) -> bool:
    """Wait for the launcher, passing a stop on; end what does not end by itself. Return whether a stop was asked for."""
    asked, ask_next, over_since = False, 0.0, None
    while launcher.poll() is None:
        now = time.monotonic()
        if should_stop() and now >= ask_next:
            asked, ask_next = True, now + _ASK_EVERY
            _ask(launcher)
        if over_since is None and _is_over(read_words(folder)):
            over_since = now
        if over_since is not None and now - over_since > _LAST_WORDS:
            log.warning("Some processes do not end by themselves and are killed.")
            _kill(launcher)
        time.sleep(_LOOK_EVERY)
    return asked


def _is_over(words: Mapping[int, tuple[Result, int]]) -> bool:
    # What the others have finished, the first may still have to write and to hand on.
    return 0 in words or any(result.outcome == "failed" for result, _ in words.values())


def _ask(launcher: subprocess.Popen) -> None:
    # Not the launcher: it would give the ranks 30 s from its own first signal on, whatever they are about to save.
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


def _word(index: int | str) -> str:
    return f"rank-{index}.json"


def _environment(count: int) -> dict[str, str]:
    # The launcher would leave each process one thread; they share the processor's cores.
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    # As -P does: whatever lies in the folder from which the server was started is not imported.
    return {"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONSAFEPATH": "1"}
