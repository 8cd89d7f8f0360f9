"""Four ranks from one dense phase (``--delta``), against four full runs.

    python benchmarks/delta.py [--quick]

Whole trainings on the bundled base and its sample text; as long in the dense phase as in the sparse one. Every pair of
vectors must be the same, bit for bit.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sides import ROOT, arguments, measure, median, report

from deftx import BUNDLED_BASE
from deftx.models.bases import load_base
from deftx.training.language import learn_language
from deftx.training.recipes import recipe_for

RANKS = ("variance:0.9", "uniform:100", "uniform:200", "optimal")


def train_all(given: argparse.Namespace, shared: bool) -> dict:
    """Train one vector a rank and time all of them together."""
    base, steps = load_base(BUNDLED_BASE), 2 if given.quick else given.steps
    times, digests = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, rank in enumerate(RANKS):
            # One length for both phases and no evaluation between: what is left is what the paper's settings weigh too.
            recipe = recipe_for("language", "quick", rank=rank, min_steps=steps, max_steps=steps, evaluate_every=steps)
            delta = Path(folder) / "delta" if shared else None
            start = time.perf_counter()
            vector = learn_language(ROOT / "assets" / "samples" / "indonesian.txt", base, recipe,
                                    out=Path(folder) / str(number), delta=delta)  # fmt: skip
            times.append(time.perf_counter() - start)
            digests.append(vector.digest())
    return {"seconds": sum(times), "digests": digests}


SIDES = {"apart": lambda given: train_all(given, shared=False), "shared": lambda given: train_all(given, shared=True)}


def main() -> None:
    """Measure both sides; exit status 1 when their vectors differ."""
    parser = arguments(__doc__, SIDES, rounds=1)
    parser.add_argument("--steps", type=int, default=60, help="steps of each phase")
    given = parser.parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    same = found["apart"][0]["digests"] == found["shared"][0]["digests"]
    print(f"four vectors: {'the same from both' if same else 'they DIFFER'}")
    ours, other = (median(found[side], "seconds") for side in ("shared", "apart"))
    report("four ranks", ours, other, "s", "1.54")
    print(f"shared costs {ours / other:.2f} of four full runs (target 0.65 at most)")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
