"""Copy the vectors of a benchmark run to the bundled vectors.

    python -m deftx benchmark nusax --data DIR --out OUT --seeds 1 --methods variance --set values=float16 \
        --set-language k=250000 max_steps=330 evaluate_every=110 --set-task k=400000 max_steps=300 evaluate_every=150
    python scripts/bundle_vectors.py OUT

They are the language vectors of the source language and the five targets of NusaX, and a sentiment vector of SMSA.
Their scores are those of the first seed in the benchmark's table. The bundled vector of the source language is from
before the preset had a sparse learning rate, and has 110 steps: ``sparse_learning_rate=none max_steps=110`` gives it.
The bundled sentiment vector is not that of the benchmark: it has also learned from rows of NusaX in Indonesian and
Javanese, and docs/results.md has its command. ``--keep`` of benchmarks/calibration.py then adds its temperature.
"""

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deftx.evidence.grid import Vector  # noqa: E402 (the project's root is put in the path above)
from deftx.evidence.settings import SETTINGS  # noqa: E402
from deftx.vectors.vector import SparseVector  # noqa: E402
from deftx.vectors.vector_files import CARD, INFO, TENSORS  # noqa: E402

NUSAX = SETTINGS["nusax"]
TASK, SEED = "sentiment", 42


def main() -> None:
    """Check all vectors, then copy them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path, help="folder of the benchmark run")
    parser.add_argument("--row", default="variance", help="row of the table (%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "vectors")
    given = parser.parse_args()
    chosen = {name: Vector("language", name, given.row, SEED) for name in (NUSAX.source, *NUSAX.targets)}
    chosen[TASK] = Vector("task", NUSAX.source, given.row, SEED, source=True)
    folders = {name: given.evidence / "vectors" / vector.name for name, vector in chosen.items()}
    for folder in folders.values():
        SparseVector.load(folder)  # raises if it is missing or damaged, before anything is replaced
    for name, folder in folders.items():
        target = given.out / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in (TENSORS, INFO, CARD):
            shutil.copyfile(folder / file, target / file)
    print(f"{len(folders)} vectors are in {given.out}.")


if __name__ == "__main__":
    main()
