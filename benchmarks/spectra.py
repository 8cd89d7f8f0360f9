"""Benchmark: open the spectra of a vector and move the strategy's slider, compared with an implementation without cache.

    python benchmarks/spectra.py [--quick]

Random spectra (a decaying signal plus noise) in the shapes of M's 75 matrices are stored in a vector with 100,000 entries. For
each of 20 strategies, the page's handlers return ranks, energy, tables and plots. The other side reads the vector again for
every strategy. Both must return the same ranks. Times are CPU times.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from sides import arguments, measure, median, report, shapes, spread_over

from deftx.jobs import Store
from deftx.method.noise import unit_noise
from deftx.vectors import vector_files
from deftx.vectors.vector import SparseVector
from ui.current import acting_in
from ui.spectra import spectra_tab
from ui.spectra.spectra_facts import SpectraFacts
from ui.studio import Studio

ENTRIES = 100_000
SHARES = [0.5 + 0.025 * step for step in range(20)]
KEY = "bundled:drawn"


def draw(folder: Path, quick: bool) -> None:
    """Write a vector with spectra of every matrix of M."""
    every = shapes(quick)
    matrices = {name: tuple(shape) for name, shape in every.items() if len(shape) == 2}
    values = {}
    for name, shape in matrices.items():
        noise = unit_noise(shape)
        values[name] = (
            1e-5 * (noise.square() + (3 * noise[0] * 0.97 ** torch.arange(len(noise))).square()).sqrt()
        ).tolist()
    positions = dict(spread_over(every, min(ENTRIES, sum(map(torch.Size.numel, every.values())) // 10), 1))
    info = {
        "kind": "language", "language": "xx", "labels": None, "method": "deft-x", "ablate": None, "filled": 0,
        "base": {"name": "drawn", "revision": None, "fingerprint": "0" * 64},
        "rank": {"strategy": "variance:0.9", "ranks": dict.fromkeys(matrices, 1)}, "k": sum(map(len, positions.values())),
        "recipe": {}, "seed": 42, "corpus": {}, "scores": {}, "singular_values": values,
        "spectrum_shapes": {name: list(shape) for name, shape in matrices.items()},
    }  # fmt: skip
    SparseVector(
        positions=positions, values={n: torch.ones(len(p)) for n, p in positions.items()}, head={},
        shapes={name: tuple(every[name]) for name in positions}, info=info,
    ).save(folder)  # fmt: skip


def cpu_seconds(work: Callable[[], object]) -> float:
    """Measure the CPU time of some work, which other load on the machine does not affect."""
    start = time.process_time()
    work()
    return time.process_time() - start


def use(given: argparse.Namespace, forgetful: bool) -> dict:
    """Open the vector in a studio, then move the slider; a forgetful studio caches nothing between moves."""
    with tempfile.TemporaryDirectory() as place:
        draw(Path(place) / "vectors" / "drawn", given.quick)
        vector_files.BUNDLED_VECTORS = Path(place) / "vectors"
        studio = Studio("drawn", Store(Path(place) / "home"))
        matrix = next(iter(shapes(given.quick)))

        def look(share: float) -> None:
            if forgetful:
                studio.spectra = SpectraFacts(studio.store)
            spectra_tab.look(KEY, "variance", share, 0, "rank", matrix)

        def come() -> None:
            spectra_tab.choose(KEY, None)
            look(0.9)

        with acting_in(studio):
            opened, again = cpu_seconds(come), cpu_seconds(come)
            start = time.perf_counter()
            moved = [cpu_seconds(lambda share=share: look(share)) for share in SHARES]
            wall = (time.perf_counter() - start) / len(SHARES)
        found = studio.spectra.outcome(studio.spectra.find(KEY), f"variance:{SHARES[-1]:g}")
    ranks = [one.rank for one in found.matrices.values()]
    return {"opened": opened, "again": again, "moved": moved, "wall": wall, "ranks": ranks}


SIDES = {"anew": lambda given: use(given, True), "ours": lambda given: use(given, False)}


def main() -> None:
    """Measure both sides; the exit status is 1 if their ranks differ."""
    given = arguments(__doc__, SIDES, rounds=3).parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    ours, anew = found["ours"], found["anew"]
    print(f"{len(ours[0]['ranks'])} matrices, opened: {median(ours, 'opened'):.3f} s the first time, "
          f"{median(ours, 'again'):.3f} s again (target 2 s)")  # fmt: skip
    print(f"slider, slowest of {len(SHARES) * given.rounds}: {max(max(one['moved']) for one in ours):.3f} s; "
          f"wall time {median(ours, 'wall'):.3f} s")  # fmt: skip
    report("slider, median", median(ours, "moved"), median(anew, "moved"), "s", "0.3 s")
    if any(one["ranks"] != anew[0]["ranks"] for one in ours):
        sys.exit("The two sides give different ranks.")


if __name__ == "__main__":
    main()
