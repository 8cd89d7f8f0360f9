"""Benchmark: write and load a language and a task vector; file sizes compared with the entropy bound and a plain format.

    python benchmarks/files.py [--quick]

The other side is a safetensors file of int64 positions and float32 values. The lower bound on the size is
k·(H(k/N)/(k/N) + 32)/8 bytes, where H is the binary entropy, without head and JSON.
"""

import argparse
import math
import sys
import tempfile
from pathlib import Path

from apply import LANGUAGE, TASK, vectors
from safetensors.torch import load_file, save_file
from sides import arguments, measure, median, report, seconds, shapes

from deftx.vectors.vector import SparseVector
from deftx.vectors.vector_files import TENSORS


def ours(given: argparse.Namespace) -> dict:
    """Write both vectors and load them."""
    sizes = shapes(given.quick)
    about = {"base": {"name": "random", "fingerprint": "0" * 64}}
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / kind for kind in ("language", "task")]
        written = []
        for place, (vector, _) in zip(folders, vectors(given), strict=True):
            info = {"kind": place.name, **about, **({"labels": ["a", "b"]} if place.name == "task" else {})}
            whole = {name: tuple(sizes[name]) for name in vector.positions}
            SparseVector(vector.positions, vector.values, {}, whole, info).save(place)
            written.append((place / TENSORS).stat().st_size)
        times = seconds(lambda: [SparseVector.load(place) for place in folders], 3)
        loaded = [SparseVector.load(place) for place in folders]
    good = all(
        a.positions[n].equal(b.positions[n]) and a.values[n].equal(b.values[n])
        for a, (b, _) in zip(loaded, vectors(given), strict=True) for n in b.positions
    )  # fmt: skip
    total = sum(size.numel() for size in sizes.values())
    return {"seconds": times, "bytes": written, "bounds": [bound(v.count, total) for v in loaded], "good": good}


def plain(given: argparse.Namespace) -> dict:
    """Write both with int64 positions and load them."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{n}.safetensors" for n in range(2)]
        for file, (vector, _) in zip(files, vectors(given), strict=True):
            tensors = {f"p.{n}": p for n, p in vector.positions.items()} | {
                f"v.{n}": v for n, v in vector.values.items()
            }
            save_file(tensors, file)
        written = [file.stat().st_size for file in files]
        times = seconds(lambda: [{n: t.clone() for n, t in load_file(file).items()} for file in files], 3)
    return {"seconds": times, "bytes": written}


def bound(k: int, entries: int) -> float:
    """Return the lower bound in bytes for k float32 values at any k of ``entries`` positions."""
    share = k / entries
    entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    return k * (entropy / share + 32) / 8


SIDES = {"plain": plain, "ours": ours}


def main() -> None:
    """Measure both sides; the exit status is 1 if a loaded vector differs from the written one."""
    given = arguments(__doc__, SIDES).parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    ours, other = found["ours"], found["plain"]
    print(f"vectors of {'700 and 1,300' if given.quick else f'{LANGUAGE:,} and {TASK:,}'} entries:", end=" ")
    print("equal after loading" if ours[0]["good"] else "DIFFERENT after loading")
    report("load both", median(ours, "seconds"), median(other, "seconds"), "s", "1 s")
    for size, least, whole in zip(ours[0]["bytes"], ours[0]["bounds"], other[0]["bytes"], strict=True):
        print(f"file: {size / 1e6:.2f} MB, {size / least:.3f} of the bound (target 1.15); plain {whole / 1e6:.2f} MB")
    sys.exit(0 if ours[0]["good"] else 1)


if __name__ == "__main__":
    main()
