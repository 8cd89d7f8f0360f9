"""Feed a reader malformed input, thousands of times: each is read or refused in one clear message, and nothing changes.

    python scripts/fuzz.py --count 10000 --seed 1 [READER …]

Each input is drawn from "seed:number" alone: `--only NUMBER` makes the same one again and shows what becomes of it.
"""

import argparse
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"  # ids are looked at, never asked for
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
import transformers

from scripts.fuzzing.property import Verdict, judge
from scripts.fuzzing.readers import READERS, Reader
from scripts.fuzzing.samples import Samples

MEMORY = 2**31  # bytes that all readers together may take beyond what the program has at the start
SHOWN = 10  # faults


def try_one(reader: Reader, samples: Samples, place: Path, seed: int, number: int) -> Verdict:
    """Draw one input, have it read, and clear it away."""
    draw = random.Random(f"{seed}:{number}")
    folder = place / "in"
    folder.mkdir()
    try:
        return judge(reader.prepare(draw, samples, folder), place)
    finally:
        shutil.rmtree(folder)


def fuzz(reader: Reader, samples: Samples, place: Path, seed: int, numbers: range) -> tuple[Counter, list[str], float]:
    """Try inputs one after the other; return how many were read, refused or faulty, the faults, and the longest seconds."""
    counted, faults, longest = Counter(), [], 0.0
    for number in numbers:
        verdict = try_one(reader, samples, place, seed, number)
        counted["fault" if verdict.fault else "refused" if verdict.refusal else "read"] += 1
        longest = max(longest, verdict.seconds)
        if verdict.fault:
            faults.append(f"{reader.name} --seed {seed} --only {number}: {verdict.fault}")
            for left in set(place.iterdir()) - {place / "in"}:
                shutil.rmtree(left, ignore_errors=True)
    return counted, faults, longest


def main() -> int:
    """Run the readers that are named, or all of them; return 1 if there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}; all unless named")
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each reader (10,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one input, to see what becomes of it")
    chosen = parser.parse_args()
    if unknown := set(chosen.readers) - set(READERS):
        parser.error(f"unknown: {', '.join(unknown)}")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    numbers = range(chosen.count) if chosen.only is None else range(chosen.only, chosen.only + 1)
    failed = False
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as place:
        samples = Samples(Path(made))
        _bound_memory()
        for name in chosen.readers or READERS:
            started, before = time.monotonic(), _peak()
            counted, faults, longest = fuzz(READERS[name], samples, Path(place), chosen.seed, numbers)
            print(
                f"| {name} | {counted.total():,} | {counted['read']:,} | {counted['refused']:,} | {counted['fault']:,} "
                f"| {longest:.2f} | {_peak() - before:,.0f} | {time.monotonic() - started:,.0f} |", flush=True,
            )  # fmt: skip
            print(*faults[:SHOWN], sep="\n", file=sys.stderr, flush=True)
            failed = failed or bool(faults)
            if chosen.only is not None:
                print(try_one(READERS[name], samples, Path(place), chosen.seed, chosen.only))
    return int(failed)


def _bound_memory() -> None:
    """Let a reader that takes too much memory fail instead of the machine."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _peak() -> float:
    """Return the most memory that the program has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
