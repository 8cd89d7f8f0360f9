"""Divide the training of many languages among workers of which a third are killed, with a trainer that only waits.

    python benchmarks/many_workers.py [--languages 500] [--workers 32] [--seconds 1 5]

Each worker is a process with ``deftx.evidence.shared_work`` and one piece at a time. Killed workers (SIGKILL) are not replaced.
Printed are the seconds, the shortest possible ones, and how often a language was trained: started more than once is the price
of a kill, finished more than once, or half, would be a fault.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deftx.core.files import write_json  # noqa: E402 (the project's root is put in the path above)
from deftx.evidence.claims import Claims  # noqa: E402
from deftx.evidence.shared_work import Shard, Work  # noqa: E402

HEARTBEAT, PATIENCE = 0.5, 6.0  # seconds; a hundredth of the real ones would be too short on a busy machine


def main() -> None:
    """Start the workers, kill a third of them, and check what is there."""
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(simulate(Path(folder), given.languages, given.workers, given.seconds, given.seed), indent=1))


def simulate(out: Path, languages: int, workers: int, seconds: tuple[float, float], seed: int = 0) -> dict:
    """Return the figures of one run."""
    draw = random.Random(seed)
    needed = {f"language-{number:03}": draw.uniform(*seconds) for number in range(languages)}
    context = multiprocessing.get_context("fork")
    shards = [Shard(index, workers) for index in range(1, workers + 1)]
    began = time.monotonic()
    processes = [context.Process(target=work_until_done, args=(out, needed, shard)) for shard in shards]
    for process in processes:
        process.start()
    killed = kill_some(processes, workers // 3, sum(needed.values()) / workers, draw)
    for process in processes:
        process.join()
    took = time.monotonic() - began
    finished = Counter(line for file in (out / "log").glob("*.finished") for line in file.read_text().split())
    started = Counter(line for file in (out / "log").glob("*.started") for line in file.read_text().split())
    whole = [name for name in needed if json.loads((out / f"{name}.json").read_text())["name"] == name]
    return {
        "languages": languages, "workers": workers, "killed": killed, "seconds": round(took, 1),
        "seconds_if_none_were_killed": round(sum(needed.values()) / workers, 1),
        "whole": len(whole), "lost": languages - len(whole), "finished_twice": sum(n > 1 for n in finished.values()),
        "started_twice": sum(n > 1 for n in started.values()), "failed_workers": sum(p.exitcode not in (0, -9) for p in processes),
        "files_left_over": len([file for file in out.iterdir() if file.suffix != ".json" and file.is_file()]),
    }  # fmt: skip


def work_until_done(out: Path, needed: dict[str, float], shard: Shard) -> None:
    """One worker: claim a language, wait in place of training, write its result; until all are done."""
    claims = Claims(out / "claims", HEARTBEAT, PATIENCE)
    work = Work(
        shard.order(list(needed)),
        str,
        lambda name: (out / f"{name}.json").is_file(),
        lambda name: True,
        claims,
        wait=0.5,
    )
    with claims.kept_alive():
        for name in work.claimed():
            if name is None:
                time.sleep(0.1)
                continue
            note(out, "started", name)
            time.sleep(needed[name])
            write_json(out / f"{name}.json", {"name": name, "filling": "x" * 100_000})
            note(out, "finished", name)
            claims.release(name)


def note(out: Path, what: str, name: str) -> None:
    """Append a line to this worker's log."""
    (out / "log").mkdir(exist_ok=True)
    with (out / "log" / f"{os.getpid()}.{what}").open("a") as file:
        file.write(f"{name}\n")


def kill_some(processes: list, count: int, seconds: float, draw: random.Random) -> int:
    """Kill processes one after the other at random times within these seconds, and return how many still ran."""
    moments, killed = sorted(draw.uniform(0, seconds * 0.9) for _ in range(count)), 0
    began = time.monotonic()
    for moment, process in zip(moments, draw.sample(processes, count), strict=True):
        time.sleep(max(0.0, moment - (time.monotonic() - began)))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
    return killed


def arguments() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", type=int, default=500)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--seconds", type=float, nargs=2, default=(1.0, 5.0), help="shortest and longest training")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
