"""Select the k largest entries of δ over all parameters at once, against sorting all of them.

    python benchmarks/select.py [--quick]

The other side is the published way: all magnitudes joined and torch.topk over them (its positions sorted, so that
both sides give the same). The two selections must be the same.
"""

import argparse
import sys
import time
import zlib

import torch
from sides import arguments, forget_peak, measure, median, memory, report, shapes
from torch import Tensor

sys.path.pop(0)  # this folder, whose select.py hides the standard library's

from deftx.select import select_top_k  # noqa: E402


def deltas(given: argparse.Namespace) -> dict[str, Tensor]:
    """Draw δ, biases included."""
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) * 1e-4 for name, shape in shapes(given.quick).items()}
