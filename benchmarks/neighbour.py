"""Benchmark: training next to a process that keeps a core busy, with different wait policies of OpenMP.

    python benchmarks/neighbour.py [--steps 150] [--rounds 2] [--quick]

The real command on the bundled base and sample, alone and next to an endless loop: with two threads that spin while waiting (the
default of OpenMP), with two that sleep (OMP_WAIT_POLICY=PASSIVE, as app.py sets it), and with one thread. All must learn the same
vector, except the single thread, which adds in another order. Times are those of the whole command.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sides import QUICK, ROOT

from deftx.vectors.vector import SparseVector

WAYS = {
    "two threads that spin": {"OMP_NUM_THREADS": "2"},
    "two threads that sleep": {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
NEIGHBOURS = (0, 1)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep a number of cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def train(out: Path, settings: dict[str, int], way: dict[str, str]) -> float:
    """Train a language vector and return the time in seconds."""
    corpus = ROOT / "assets" / "samples" / "indonesian.txt"
    command = [sys.executable, "-m", "deftx", "language", str(corpus), "--out", str(out), "--device", "cpu", "--set",
               *(f"{name}={value}" for name, value in settings.items())]  # fmt: skip
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("OMP_")}, "PYTHONPATH": str(ROOT), **way}
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return time.monotonic() - began


def main() -> None:
    """Measure all variants alternately, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a few steps, once: only check that it runs")
    given = parser.parse_args()
    steps, rounds = (2, 1) if given.quick else (given.steps, given.rounds)
    settings = {**dict.fromkeys(("min_steps", "max_steps", "evaluate_every"), steps), **(QUICK if given.quick else {})}
    ways = dict(list(WAYS.items())[1:2]) if given.quick else WAYS  # alone and beside: two training runs
    found: dict[tuple[str, int], list[float]] = {}
    digests: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as place:
        for turn in range(rounds):
            for neighbours in NEIGHBOURS:
                for name, way in ways.items():
                    out = Path(place) / f"{turn}-{neighbours}-{name}"
                    with busy(neighbours):
                        found.setdefault((name, neighbours), []).append(train(out, settings, way))
                    digests.setdefault(way["OMP_NUM_THREADS"], set()).add(SparseVector.load(out).digest())
    print("| | alone | next to a busy process |\n|---|---|---|")
    for name in ways:
        alone, beside = (statistics.median(found[name, neighbours]) for neighbours in NEIGHBOURS)
        print(f"| {name} | {alone:.0f} s | {beside:.0f} s |")
    if any(len(of_one_kind) > 1 for of_one_kind in digests.values()):
        sys.exit("The vectors differ.")


if __name__ == "__main__":
    main()
