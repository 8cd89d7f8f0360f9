"""Benchmark: select the k largest entries of δ over all parameters, compared with torch.topk.

    python benchmarks/selection.py [--quick]

The other side is the published method: all magnitudes concatenated, and torch.topk (with sorted positions, so that both sides
return the same). The two selections must be equal.
"""

import argparse
import sys
import zlib
from collections.abc import Callable

import torch
from sides import arguments, forget_peak, measure, median, memory, now, report, shapes
from torch import Tensor

from deftx.method.select import select_top_k

K = 7_667_712


def deltas(given: argparse.Namespace) -> dict[str, Tensor]:
    """Return a random δ, biases included."""
    generator = torch.Generator().manual_seed(0)
    drawn = ((name, torch.randn(shape, generator=generator)) for name, shape in shapes(given.quick).items())
    return {name: delta.mul_(1e-4).to(given.device) for name, delta in drawn}


def ours(given: argparse.Namespace) -> dict:
    """Select as in training."""
    return timed(given, select_top_k)


def with_topk(given: argparse.Namespace) -> dict:
    """Concatenate all magnitudes and use torch.topk."""
    return timed(given, joined_top_k)


def joined_top_k(delta: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    """Return the positions by parameter, ascending."""
    chosen = torch.cat([d.abs().view(-1) for d in delta.values()]).topk(k, sorted=False).indices.sort().values
    edges = torch.tensor([0, *(d.numel() for d in delta.values())], device=chosen.device).cumsum(0)
    cuts = torch.searchsorted(chosen, edges)
    return {name: chosen[cuts[i] : cuts[i + 1]] - edges[i] for i, name in enumerate(delta)}


def timed(given: argparse.Namespace, select: Callable[[dict[str, Tensor], int], dict[str, Tensor]]) -> dict:
    """Measure one selection, with a checksum of its positions."""
    delta, k = deltas(given), 700 if given.quick else K
    forget_peak(given.device)
    before, start = memory("VmRSS", given.device), now(given.device)
    chosen = select(delta, k)
    took, extra = now(given.device) - start, memory("VmHWM", given.device) - before
    digest = [zlib.crc32(chosen[name].cpu().numpy()) for name in sorted(chosen)]
    return {"seconds": took, "extra": extra, "digest": digest, "entries": sum(d.numel() for d in delta.values())}


SIDES = {"topk": with_topk, "ours": ours}


def main() -> None:
    """Measure both sides; the exit status is 1 if their selections differ."""
    given = arguments(__doc__, SIDES).parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    ours, other = found["ours"], found["topk"]
    same = ours[0]["digest"] == other[0]["digest"]
    print(f"of {ours[0]['entries']:,} entries: {'the selections are equal' if same else 'the selections DIFFER'}")
    report("select", median(ours, "seconds"), median(other, "seconds"), "s", "5 s")
    print(
        f"memory in addition to δ: ours {median(ours, 'extra'):.2f} GB, other {median(other, 'extra'):.2f} GB (target 1.3)"
    )
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
