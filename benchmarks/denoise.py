"""Benchmark: denoise every matrix of δ, compared with torch.linalg.svd matrix by matrix.

    python benchmarks/denoise.py [--touched 0.15] [--rank variance:0.9] [--quick]

The other side: svd in float32, the same rank rule, L = UΣVᵀ, and the largest residuals by topk. ``--touched`` is the share of
nonzero rows of the embedding. Singular values must agree to 1e-5 of the largest.
"""

import argparse
import sys
from collections.abc import Iterator

import torch
from sides import arguments, forget_peak, measure, median, memory, now, report, shapes
from torch import Tensor

from deftx.core.events import Listener, ignore
from deftx.method.ranks import choose_rank
from deftx.training.learned import Learned
from deftx.training.pipeline import denoise_all
from deftx.training.recipes import LanguageRecipe

KEEP = 0.05


def matrices(given: argparse.Namespace) -> dict[str, Tensor]:
    """Return a random δ: a low-rank part plus noise, with realistic sizes."""
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, (m, n) in ((n, s) for n, s in shapes(given.quick).items() if len(s) == 2):
        rank = max(1, min(m, n) // 8)
        signal = torch.randn(m, rank, generator=generator) @ torch.randn(rank, n, generator=generator)
        delta = signal.add_(torch.randn(m, n, generator=generator), alpha=rank**0.5 / 2).mul_(1e-5)
        if "word_embeddings" in name:
            delta[torch.rand(m, generator=generator) >= given.touched] = 0
        found[name] = delta.to(given.device)
    return found


def ours(given: argparse.Namespace) -> dict:
    """Denoise as in training."""
    delta, learned = matrices(given), Learned({}, {}, {})
    forget_peak(given.device)
    before, start = memory("VmRSS", given.device), now(given.device)
    denoise_all(delta, LanguageRecipe(rank=given.rank, keep=KEEP), learned, Listener(ignore, lambda: False))
    took = now(given.device) - start
    first = {name: values[0] for name, values in learned.singular_values.items()}
    return {"seconds": took, "extra": memory("VmHWM", given.device) - before, "first": first}


def with_svd(given: argparse.Namespace) -> dict:
    """Denoise by equations 2 to 5, matrix by matrix."""
    delta = matrices(given)
    forget_peak(given.device)
    before, start = memory("VmRSS", given.device), now(given.device)
    first = dict(each_with_svd(delta, given.rank))
    return {"seconds": now(given.device) - start, "extra": memory("VmHWM", given.device) - before, "first": first}


def each_with_svd(delta: dict[str, Tensor], strategy: str) -> Iterator[tuple[str, float]]:
    """Denoise each matrix and yield its largest singular value."""
    denoised = {}
    for name, weight in delta.items():
        u, s, vt = torch.linalg.svd(weight, full_matrices=False)
        rank = choose_rank(s, tuple(weight.shape), strategy)
        low = (u[:, :rank] * s[:rank]) @ vt[:rank]
        kept = (weight - low).abs_().view(-1).topk(round(KEEP * weight.numel()), sorted=False).indices
        low.view(-1)[kept] = weight.view(-1)[kept]
        denoised[name] = low
        yield name, float(s[0])


SIDES = {"svd": with_svd, "ours": ours}


def main() -> None:
    """Measure both sides; the exit status is 1 if their singular values differ."""
    parser = arguments(__doc__, SIDES, rounds=1)
    parser.add_argument("--touched", type=float, default=1.0)
    parser.add_argument("--rank", default="variance:0.9")
    given = parser.parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    ours, other = found["ours"], found["svd"]
    apart = max(abs(ours[0]["first"][name] / value - 1) for name, value in other[0]["first"].items())
    print(
        f"{len(ours[0]['first'])} matrices, {given.touched:.0%} of the embedding's rows touched, {given.rank}:", end=" "
    )
    print(f"largest singular values differ by at most {apart:.1e}")
    target = "1.6" if given.touched == 1 else "4 at 15 % touched"
    report("denoise", median(ours, "seconds"), median(other, "seconds"), "s", target)
    print(f"memory in addition to δ, result included: {median(ours, 'extra'):.2f} GB; other {median(other, 'extra'):.2f} GB "
          "(target 1.5)")  # fmt: skip
    sys.exit(0 if apart <= 1e-5 else 1)


if __name__ == "__main__":
    main()
