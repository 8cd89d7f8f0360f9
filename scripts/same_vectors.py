"""Compare two checkouts of this project bit for bit: a language vector, a task vector, and the probabilities of both.

    python scripts/same_vectors.py OLD_CHECKOUT NEW_CHECKOUT [--steps 20]

Each checkout trains with its own command line, in its own processes, on the bundled base and the same small made-up texts,
on the CPU with one thread. The Python that runs this script runs both. The exit status is 1 if anything differs.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.numpy import load_file

WORDS = ["anak", "bumi", "cari", "dapat", "empat", "guna", "hari", "ikan", "jalan", "kayu", "laut", "nasi", "padi"]
LABELS = ("bad", "fair", "good")
SENTENCES = ["nasi dapat hari", "orang cari ikan laut malam", "rumah kayu"]
QUICK = ("batch_size=8", "max_length=32")


def sentence(draw: random.Random) -> str:
    """Return a sentence of words that every version of the project reads alike."""
    return " ".join(draw.choices(WORDS, k=draw.randint(4, 12)))


def write_texts(folder: Path) -> None:
    """Write a corpus and a labelled table."""
    draw = random.Random(7)  # noqa: S311 (text, not a secret)
    (folder / "corpus.txt").write_text("".join(f"{sentence(draw)} {n}\n" for n in range(400)), encoding="utf-8")
    rows = [f"{sentence(draw)} {n},{LABELS[n % 3]}\n" for n in range(120)]
    (folder / "rows.csv").write_text("text,label\n" + "".join(rows), encoding="utf-8")


def deftx(checkout: Path, *words: str | Path) -> str:
    """Run a command of a checkout and return what it prints."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "deftx", *map(str, words)]
    done = subprocess.run(command, cwd=checkout, env=settings, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{checkout}: {' '.join(command)} ended with {done.returncode}")
    return done.stdout


def results(checkout: Path, texts: Path, out: Path, steps: int) -> dict[str, bytes]:
    """Return the bytes of every tensor of both vectors, and of the probabilities of the composed classifier."""
    settings = ["--set", *QUICK, f"min_steps={steps}", f"max_steps={steps}", f"evaluate_every={steps // 2}"]
    settings += ["--device", "cpu"]
    deftx(checkout, "language", texts / "corpus.txt", "--out", out / "language", *settings)
    deftx(checkout, "task", texts / "rows.csv", "--out", out / "task", *settings)
    answer = deftx(checkout, "classify", "--task", out / "task", "--language", out / "language", "--json", *SENTENCES)
    found = {"probabilities": json.dumps([one["probabilities"] for one in json.loads(answer)]).encode()}
    for kind in ("language", "task"):
        (file,) = (out / kind).glob("*.safetensors")
        for name, tensor in load_file(file).items():
            found[f"{kind}: {name}"] = f"{tensor.dtype}{tensor.shape}".encode() + tensor.tobytes()
    return found


def main() -> None:
    """Train in both checkouts and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", metavar="CHECKOUT", type=Path, nargs=2)
    parser.add_argument("--steps", type=int, default=20, help="optimiser steps of each phase (20)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_texts(Path(folder))
        old, new = (
            results(checkout.resolve(), Path(folder), Path(folder) / side, given.steps)
            for side, checkout in zip(("old", "new"), given.checkouts, strict=True)
        )
    differing = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    size = sum(map(len, old.values()))
    print(
        f"{len(old)} results, {size:,} bytes: {'equal bit for bit' if not differing else 'different: ' + ', '.join(differing)}"
    )
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
