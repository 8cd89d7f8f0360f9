"""Benchmark: effect of storing the bundled base in 8 bits on predictions and scores.

    DEFTX_DATA=DATA python benchmarks/eight_bits.py OUT/state.safetensors

The file is the last state of ``scripts/pretrain.py``, with the weights in float32. Both bases get the same bundled vectors. It prints the
macro-F1 on each NusaX test set with the weights in 8 bits and in float32, and how many answers differ.
"""

import argparse
import os
from pathlib import Path

import torch
from sides import THREADS

from deftx import BUNDLED_BASE
from deftx.classify.composition import compose
from deftx.core.evaluation import score
from deftx.data.tables import read_table
from deftx.models.bases import Base, load_base
from deftx.training.checkpoints import read_tensors

LANGUAGES = ("ind", "mad", "bjn", "ban", "ace", "min")


def whole_base(state: Path) -> Base:
    """Return the bundled base with the float32 weights of a pretraining state."""
    base, (tensors, _) = load_base(BUNDLED_BASE), read_tensors(state)
    _ = base.fingerprint  # kept, so that the vectors count as made for these weights too
    for name, parameter in base.model.named_parameters():
        parameter.copy_(tensors[f"value.{name}"])
    return base


def main() -> None:
    """Classify the test sets with both bases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", type=Path)
    bases = load_base(BUNDLED_BASE), whole_base(parser.parse_args().state)
    means = [0.0, 0.0]
    print("| language | 8 bits | float32 | other answers |\n|---|---:|---:|---:|")
    for language in LANGUAGES:
        table = read_table(Path(os.environ["DEFTX_DATA"]) / "nusax" / language / "test.csv")
        found = [compose(base, task="sentiment", language=language) for base in bases]
        said = [[one.labels[i] for i in one.classify(table.texts).argmax(-1)] for one in found]
        scores = [100 * score("f1", table.labels, answers, found[0].labels) for answers in said]
        means = [mean + one / len(LANGUAGES) for mean, one in zip(means, scores, strict=True)]
        print(
            f"| {language} | {scores[0]:.1f} | {scores[1]:.1f} | {sum(a != b for a, b in zip(*said, strict=True))} of {len(table)} |"
        )
    print(f"| mean | {means[0]:.2f} | {means[1]:.2f} | |")


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    torch.set_num_threads(THREADS)
    main()
