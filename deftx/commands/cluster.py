"""``--on slurm``: a command as an array of jobs, each with its ``--shard``; submitit submits and requeues them.

submitit keeps a pickle of each job, a list of words, in the folder of its logs, and reads it on the same disk.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deftx.commands import output
from deftx.core.errors import RecipeError, TrainingError, unknown_name
from deftx.core.files import expanded
from deftx.core.optional import optional_package

HOURS = 24.0  # default time limit of a job
REQUEUES = 100  # times that a job may reach its time limit
SIGNAL_SECONDS = 120  # before the time limit: a stop takes some seconds
FOLDER = "cluster"  # in the folder of the results: logs, and what submitit keeps


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--on`` and the options that go with it."""
    parser.add_argument("--on", metavar="PLACE",
                        help="slurm: submit an array of jobs; local: the same as processes here, to try it (this process)")  # fmt: skip
    parser.add_argument("--array", type=int, metavar="N", help="with --on: number of jobs (1)")
    parser.add_argument("--hours", type=float, metavar="H",
                        help=f"with --on: time limit of a job, which is then requeued ({HOURS:g})")  # fmt: skip
    # One value per option, because nargs="+" would also take what follows.
    parser.add_argument("--slurm", action="append", default=[], metavar="KEY=VALUE",
                        help="with --on slurm: e.g. partition=gpu, gpus_per_node=1, mem=32GB; can be repeated")  # fmt: skip


def submit_if_asked(arguments: argparse.Namespace) -> bool:
    """Submit the command as jobs if it has ``--on``, print their ids, and return whether it did.

    Raises:
        DeftxError: If options cannot be combined, submitit is missing, or the cluster refuses the jobs.
    """
    if arguments.on is None:
        for name in ("array", "hours", "slurm"):
            if getattr(arguments, name):
                raise RecipeError(f"--{name} applies only to jobs; add --on slurm.")
        return False
    _check(arguments)
    count = 1 if arguments.array is None else arguments.array
    commands = [command_of(arguments.words, index, count) for index in range(1, count + 1)]
    place = Place(arguments.on, expanded(arguments.out).resolve() / FOLDER,
                  HOURS if arguments.hours is None else arguments.hours, settings_of(arguments.slurm))  # fmt: skip
    jobs = submit([CommandJob(command) for command in commands], place, f"deftx-{arguments.command}")
    ids = [job.job_id for job in jobs]
    text = f"Submitted {len(ids)} jobs: {', '.join(ids)}. Their logs are in {place.folder}."
    output.result({"jobs": ids, "logs": str(place.folder)}, arguments.json, text)
    return True


@dataclass(frozen=True)
class Place:
    """Where jobs run: a name of ``PLACES``, the folder of their logs, their time limit, and settings of Slurm."""

    name: str
    folder: Path
    hours: float
    settings: dict[str, Any] = field(default_factory=dict)


def submit(jobs: Sequence["CommandJob"], place: Place, name: str) -> list[Any]:
    """Submit jobs in one array and return submitit's jobs.

    Raises:
        RecipeError: If a setting of Slurm is not known.
        TrainingError: If the cluster refuses them, or there is none here.
    """
    submitit: Any = optional_package("submitit", "Jobs of a cluster need", "slurm")
    try:
        executor = PLACES[place.name](submitit, place, name)
        with executor.batch():
            return [executor.submit(job) for job in jobs]
    except (RuntimeError, OSError) as error:  # submitit's errors are RuntimeErrors
        raise TrainingError(f"The jobs could not be submitted: {error}") from error


class CommandJob:
    """A command that submitit runs: it is stopped before the time limit, requeued, and continues from its checkpoints."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)

    def __call__(self) -> None:
        """Run the command to its end. Raise TrainingError if it fails."""
        # In a session of its own, because Slurm sends its signals to the whole group of this process.
        self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)
        _wait(self._process.pid)
        if code := self._process.wait():
            raise TrainingError(f"The command ended with {code}; its messages are in this job's logs.")

    def checkpoint(self) -> Any:
        """Stop the command, which keeps its checkpoints, and return what is run when the job is requeued."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        _wait(self._process.pid)
        submitit: Any = optional_package("submitit", "Jobs of a cluster need", "slurm")
        return submitit.helpers.DelayedSubmission(CommandJob(self.command))


def _wait(process: int) -> None:
    # Not Popen.wait, which cannot be called again by a signal handler that interrupts it.
    with suppress(ChildProcessError):
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def command_of(words: Sequence[str], index: int, count: int) -> list[str]:
    """Return the command of one job: the words of this command without its options for jobs, and with its shard."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    _, (command, *rest) = parser.parse_known_args(list(words))
    return [sys.executable, "-m", "deftx", command, "--shard", f"{index}/{count}", *rest]


def settings_of(texts: Sequence[str]) -> dict[str, Any]:
    """Parse the values of ``--slurm``: whole numbers are numbers. Raise RecipeError if "=" is missing."""
    for text in texts:
        if "=" not in text:
            raise RecipeError(f"{text!r} is not a setting of Slurm; write it like partition=gpu.")
    pairs = (text.split("=", 1) for text in texts)
    return {name: int(value) if value.isdecimal() else value for name, value in pairs}


def _check(arguments: argparse.Namespace) -> None:
    if arguments.on not in PLACES:
        raise unknown_name("The place", arguments.on, PLACES)
    if arguments.shard:
        raise RecipeError("--shard is chosen for each job; omit it with --on.")
    if getattr(arguments, "plan", False):
        raise RecipeError("--plan starts nothing; omit --on.")
    if arguments.array is not None and arguments.array < 1:
        raise RecipeError("--array must be 1 or more.")
    if arguments.hours is not None and arguments.hours * 3600 <= SIGNAL_SECONDS:
        raise RecipeError("--hours must be more than two minutes (0.04), the time for a stop.")
    if arguments.slurm and arguments.on != "slurm":
        raise RecipeError("--slurm applies only to --on slurm.")


def _slurm(submitit: Any, place: Place, name: str) -> Any:
    known = set(submitit.SlurmExecutor._valid_parameters())
    for setting in place.settings:
        if setting not in known:
            raise unknown_name("The setting of Slurm", setting, known)
    executor = submitit.SlurmExecutor(place.folder / "%j", max_num_timeout=REQUEUES)
    own = {"job_name": name, "time": round(place.hours * 60), "signal_delay_s": SIGNAL_SECONDS}
    executor.update_parameters(**{**own, "additional_parameters": {"requeue": True}, **place.settings})
    return executor


def _local(submitit: Any, place: Place, name: str) -> Any:
    executor = submitit.LocalExecutor(place.folder / "%j", max_num_timeout=REQUEUES)
    executor.update_parameters(timeout_min=place.hours * 60, signal_delay_s=SIGNAL_SECONDS)
    return executor


PLACES: dict[str, Callable[[Any, Place, str], Any]] = {"slurm": _slurm, "local": _local}
