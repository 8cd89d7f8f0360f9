"""Put the vectors of a comparison where they are found by name: they come with the project.

    python -m deftx benchmark nusax --data DIR --out OUT --seeds 1 --methods source-only variance
    python scripts/bundle_vectors.py OUT

Language vectors of the source language and the five targets of NusaX, and the sentiment vector, which started from the source
language's. So their scores are those of the comparison's table, first seed.
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
    """Check that every vector is there and whole, then copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path, help="folder of the comparison")
    parser.add_argument("--row", default="variance", help="which of its rows (%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "vectors")
    given = parser.parse_args()
    chosen = {name: Vector("language", name, given.row, SEED) for name in (NUSAX.source, *NUSAX.targets)}
    chosen[TASK] = Vector("task", NUSAX.source, given.row, SEED, source=True)
    folders = {name: given.evidence / "vectors" / vector.name for name, vector in chosen.items()}
    for folder in folders.values():
        SparseVector.load(folder)  # raises where it is missing or damaged, before anything is replaced
    for name, folder in folders.items():
        target = given.out / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in (TENSORS, INFO, CARD):
            shutil.copyfile(folder / file, target / file)
    print(f"{len(folders)} vectors are in {given.out}.")


if __name__ == "__main__":
    main()
