"""Measure from how many sentences a call to the GPU of ZeroGPU pays: what they cost on a CPU, and composing in the call.

    DEFTX_DATA=DATA python benchmarks/batch.py [--sentences 300]

Sentences of NusaX, the bundled base and vectors. The seconds are those of one core (CPU time), so that other programs on the
machine hardly change them. What the platform adds to a call, such as the start of CUDA, cannot be measured without it.
"""

import argparse
import csv
import math
import os
import time
from pathlib import Path

import torch
from sides import ROOT

from deftx import BUNDLED_BASE, load_base
from deftx.classify.composition import compose
from deftx.training.model_size import Model
from ui.slices.batches import PAYS_FROM


def sentences(count: int) -> list[str]:
    """Return so many sentences."""
    if "DEFTX_DATA" not in os.environ:
        return (ROOT / "assets" / "samples" / "indonesian.txt").read_text(encoding="utf-8").splitlines()[:count]
    file = Path(os.environ["DEFTX_DATA"]) / "nusax" / "min" / "test.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)][:count]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=300)
    texts = sentences(parser.parse_args().sentences)
    torch.set_num_threads(1)
    base = load_base(BUNDLED_BASE)
    start = time.process_time()
    classifier = compose(base, task="sentiment", language="min")
    composed = time.process_time()
    classifier.classify(texts)
    each = (time.process_time() - composed) / len(texts)
    sizes = Model.of(base.model)
    least = math.ceil(PAYS_FROM / (sizes.encoder - sizes.words))
    print(f"compose: {composed - start:.2f} s of a core ({classifier.size / 1e6:.0f} MB)")
    print(f"classify: {1 / each:.1f} sentences for each second of a core ({len(texts)} sentences)")
    print(f"a call is taken from {least} sentences on, which need {least * each:.1f} s of a core")


if __name__ == "__main__":
    main()
