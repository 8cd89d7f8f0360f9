"""Benchmark: four ranks from one dense phase (``--delta``), compared with four full runs.

    python benchmarks/delta.py [--quick]

Complete training runs on the bundled base and sample text, with equally many steps in both phases. The vectors of both sides
must be equal, bit for bit.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sides import QUICK, ROOT, arguments, measure, median, report

from deftx import BUNDLED_BASE
from deftx.models.bases import load_base
from deftx.training.language import learn_language
from deftx.training.recipes import recipe_for

RANKS = ("variance:0.9", "uniform:100", "uniform:200", "optimal")


def train_all(given: argparse.Namespace, shared: bool) -> dict:
    """Train a vector per rank and measure the total time."""
    base, steps = load_base(BUNDLED_BASE), 2 if given.quick else given.steps
    ranks = RANKS[::3] if given.quick else RANKS  # two are enough to see that the vectors are equal
    times, digests = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, rank in enumerate(ranks):
            # The same number of steps in both phases and no evaluation in between, like the paper's settings.
            recipe = recipe_for("language", "quick", rank=rank, min_steps=steps, max_steps=steps, evaluate_every=steps,
                                **(QUICK if given.quick else {}))  # fmt: skip
            delta = Path(folder) / "delta" if shared else None
            start = time.perf_counter()
            vector = learn_language(ROOT / "assets" / "samples" / "indonesian.txt", base, recipe,
                                    out=Path(folder) / str(number), delta=delta)  # fmt: skip
            times.append(time.perf_counter() - start)
            digests.append(vector.digest())
    return {"seconds": sum(times), "digests": digests}


SIDES = {"apart": lambda given: train_all(given, shared=False), "shared": lambda given: train_all(given, shared=True)}


def main() -> None:
    """Measure both sides; the exit status is 1 if their vectors differ."""
    parser = arguments(__doc__, SIDES, rounds=1)
    parser.add_argument("--steps", type=int, default=60, help="steps of each phase")
    given = parser.parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    same, count = found["apart"][0]["digests"] == found["shared"][0]["digests"], len(found["shared"][0]["digests"])
    print(f"{count} vectors: {'equal on both sides' if same else 'they DIFFER'}")
    ours, other = (median(found[side], "seconds") for side in ("shared", "apart"))
    report(f"{count} ranks", ours, other, "s", "1.54")
    print(f"shared costs {ours / other:.2f} of {count} full runs (target 0.65 at most)")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
