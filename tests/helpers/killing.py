"""Runs a command of deftx over and over in processes that are killed, until it has been killed often enough.

Started as ``python tests/helpers/killing.py SPECIFICATION`` with one thread. It imports the library once; every process is
forked from there and calls the real command line, so that twenty deaths cost seconds and not minutes. What happened is
printed as JSON.

Two ways to die: at random moments, for which phases are timed in a run that is left alone; and right before a random
one of all operations on files below the vector's folder (a file opened, moved, removed, a folder made), so that also
what lasts a thousandth of a second is hit.
"""

import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import torch

import deftx.training.language
import deftx.training.schedule
import deftx.training.task
from deftx.cli import main
from deftx.commands import output
from deftx.models.bases import load_base

PHASES = ("dense", "denoise", "select", "sparse", "evaluate")  # "evaluate" is followed by the writing of the vector
FILE_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")


def start(command: list[str], die_at: int | None = None) -> tuple[int, int]:
    """Fork a process that runs a command; return its id and the pipe on which it says what phase it is in."""
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        return child, reader
    status = 99
    try:
        os.close(reader)
        log = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _tell_phases(writer)
        _count_file_operations(command[command.index("--out") + 1], writer, die_at)
        status = main(command)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _tell_phases(writer: int) -> None:
    show = output.ProgressLine.__call__

    def tell(self: output.ProgressLine, event: object) -> None:
        os.write(writer, f"{event.phase}\n".encode())
        show(self, event)

    output.ProgressLine.__call__ = tell


def _count_file_operations(out: str, writer: int, die_at: int | None) -> None:
    seen = 0

    def hook(name: str, arguments: tuple) -> None:
        nonlocal seen
        if name in FILE_OPERATIONS and str(arguments[0]).startswith(out):
            seen += 1
            os.write(writer, b"file\n")
            if seen == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def watch(child: int, reader: int, kill_in: str = "", after: float = 0.0) -> dict:
    """Follow a process to its end, or kill it ``after`` seconds from when it enters a phase."""
    phase, began, files, text = "start", {"start": time.monotonic()}, 0, b""
    deadline = None
    while True:
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([reader], [], [], patience)
        if not ready:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        if not (part := os.read(reader, 65536)):
            break
        *lines, text = (text + part).split(b"\n")
        for line in map(bytes.decode, lines):
            files += line == "file"
            if line in PHASES and line != phase and not (line == "evaluate" and phase == "start"):
                phase = line
                began[phase] = time.monotonic()
                if deadline is None and PHASES.index(phase) >= PHASES.index(kill_in or "evaluate") and kill_in:
                    deadline, kill_in = began[phase] + after, ""
    os.close(reader)
    status = os.waitpid(child, 0)[1]
    return {"phase": phase, "began": began, "end": time.monotonic(), "files": files, "status": status}


def lengths(run: dict) -> dict[str, float]:
    """Return the seconds that each phase of a run took."""
    times = [*run["began"].items(), ("end", run["end"])]
    return {name: after - began for (name, began), (_, after) in pairwise(times)}


def finish(command: list[str]) -> dict:
    """Let a command run to its end, which must be a good one."""
    run = watch(*start(command))
    assert run["status"] == 0, Path(os.environ["KILL_LOG"]).read_text()[-3000:]
    return run


def is_done(out: Path) -> bool:
    """Say whether the vector is there and its run has been cleared away."""
    return (out / "vector.json").is_file() and not (out / "run").exists()


def at_random_moments(whole: dict, kills: int, draw: random.Random) -> Iterator[dict]:
    """Draw moments of all phases, in the order in which the phases come; the first of each phase is an early one."""
    took, seen = lengths(whole), set()
    for phase in sorted([*PHASES * 2, *draw.choices(PHASES, (6, 3, 1, 6, 4), k=kills)][:kills], key=PHASES.index):
        # A phase may be much shorter than when it was timed: early, it is met all the same.
        yield {"kill_in": phase, "after": draw.uniform(0, took[phase] * (1 if phase in seen else 0.1))}
        seen.add(phase)


def at_file_operations(whole: dict, kills: int, draw: random.Random) -> Iterator[dict]:
    """Draw file operations, counted from each start, so that those at the end are reached as well."""
    for _ in range(kills):
        yield {"die_at": draw.randint(1, max(2, whole["files"] // 3))}


def kill(command: list[str], out: Path, deaths: Iterator[dict]) -> tuple[Counter, int]:
    """Let a command die all these deaths; return where it did, and how often it had finished before."""
    died, finished = Counter(), 0
    for death in deaths:
        while not os.WIFSIGNALED((run := watch(*start(command, death.get("die_at")), **_moment(death)))["status"]):
            finished += 1
            assert finished < 200, "hardly ever killed in time"
            shutil.rmtree(out)
            death = {**death, "after": death.get("after", 0.0) / 2}  # sooner, as the machine is faster now
        died[run["phase"]] += 1
        if is_done(out):
            shutil.rmtree(out)  # it died after its work was done
    return died, finished


def _moment(death: dict) -> dict:
    return {key: value for key, value in death.items() if key != "die_at"}


def report(specification: dict) -> dict:
    """Run the command undisturbed and killed, and say where it died."""
    deftx.training.schedule.CHECKPOINT_SECONDS = specification["checkpoint_seconds"]
    draw = random.Random(specification["seed"])
    command, out = specification["command"], Path(specification["out"])
    load_base(command[command.index("--base") + 1]).classifier(["a", "b"], 0)  # imports what every process would
    whole = finish([*command, "--out", str(out / "whole")])
    ways = {"moments": at_random_moments, "files": at_file_operations}
    killed = [*command, "--out", str(out / "killed")]
    died, finished = kill(killed, out / "killed", ways[specification["way"]](whole, specification["kills"], draw))
    finish(killed)
    return {"died": died, "finished": finished, "took": lengths(whole), "files": whole["files"]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(report(json.loads(sys.argv[1]))))
