"""Benchmark: effect of storing a vector's values in half precision on the file size and on predictions.

    DEFTX_DATA=DATA python benchmarks/half.py [--task sentiment] [--language DIR] [--quick]

Logits on real sentences of NusaX (min, ban, jav, ace, sun), with the original vectors and with those in half precision.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from classify import sentences
from torch import Tensor

from deftx import BUNDLED_BASE, SparseVector
from deftx.classify.composition import compose
from deftx.models.bases import load_base
from deftx.vectors.vector_files import TENSORS, VALUE_TYPES


def logits(base: str, vectors: dict[str, SparseVector | Path], texts: list[str]) -> Tensor:
    """Return log-probabilities (n, labels), whose differences equal those of logits."""
    return compose(load_base(base), **vectors).classify(texts).log()


def main() -> None:
    """Store every vector in every dtype and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="sentiment")
    parser.add_argument("--language")
    parser.add_argument("--base", default=BUNDLED_BASE)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="a few bundled sentences")
    given = parser.parse_args()
    texts = sentences(given)
    named = {"task": given.task, **({"language": given.language} if given.language else {})}
    vectors = {kind: SparseVector.load(name) for kind, name in named.items()}
    exact = logits(given.base, vectors, texts)
    with tempfile.TemporaryDirectory() as folder:
        for values in VALUE_TYPES:
            stored = {kind: v.save(Path(folder) / values / kind, values=values) for kind, v in vectors.items()}
            size = sum((path / TENSORS).stat().st_size for path in stored.values())
            found = logits(given.base, stored, texts)
            apart = (found - exact).abs()
            others = int((found.argmax(-1) != exact.argmax(-1)).sum())
            print(f"{values}: {size / 1e6:.2f} MB; of {len(texts):,} sentences, logits differ by at most {apart.max():.1e}, "
                  f"{apart.mean():.1e} on average; {others} get another label")  # fmt: skip


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
