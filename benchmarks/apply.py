"""Benchmark: apply a language and a task vector to a model and restore it, compared with adding dense changes.

    python benchmarks/apply.py [--quick]

The vectors have 7.7 M and 14.2 M entries. The other side adds two dense tensors of changes per parameter and copies saved
parameters back. Both must restore every bit.
"""

import argparse
import sys

import torch
from sides import arguments, measure, median, report, seconds, shapes, spread_over
from torch import Tensor

from deftx.vectors.apply import apply_vectors, restore
from deftx.vectors.vector import SparseVector

LANGUAGE, TASK = 7_667_712, 14_155_776


def vectors(given: argparse.Namespace) -> list[tuple[SparseVector, float]]:
    """Return two random vectors."""
    found = []
    for seed, k in enumerate((700, 1300) if given.quick else (LANGUAGE, TASK)):
        positions = dict(spread_over(shapes(given.quick), k, seed))
        generator = torch.Generator().manual_seed(seed)
        values = {n: torch.randn(len(p), generator=generator) * 1e-3 for n, p in positions.items()}
        found.append((SparseVector(positions, values, {}, {}, {}), 1.0))
    return found


def model(given: argparse.Namespace) -> dict[str, Tensor]:
    """Return random parameters."""
    generator = torch.Generator().manual_seed(9)
    drawn = {name: torch.randn(shape, generator=generator) for name, shape in shapes(given.quick).items()}
    return {name: parameter.to(given.device) for name, parameter in drawn.items()}


def ours(given: argparse.Namespace) -> dict:
    """Apply sparse vectors."""
    parameters, both = model(given), vectors(given)
    start = {name: p.clone() for name, p in parameters.items()}
    times = seconds(lambda: restore(parameters, apply_vectors(parameters, both)), 3, given.device)
    same = all(p.equal(start[name]) for name, p in parameters.items())
    apply_vectors(parameters, both)
    return {"seconds": times, "same": same, "sum": checksum(parameters)}


def dense(given: argparse.Namespace) -> dict:
    """Apply dense tensors."""
    parameters, both = model(given), vectors(given)
    start = {name: p.clone() for name, p in parameters.items()}

    def put_on() -> None:
        for name, parameter in parameters.items():
            change = torch.zeros(parameter.numel(), device=given.device)
            for vector, _ in both:
                if name in vector.positions:
                    positions, values = vector.positions[name].to(given.device), vector.values[name].to(given.device)
                    change.index_add_(0, positions, values)
            parameter.view(-1).add_(change)

    def on_and_off() -> None:
        put_on()
        for name, parameter in parameters.items():
            parameter.copy_(start[name])

    times = seconds(on_and_off, 3, given.device)
    same = all(p.equal(start[name]) for name, p in parameters.items())
    put_on()
    return {"seconds": times, "same": same, "sum": checksum(parameters)}


def checksum(parameters: dict[str, Tensor]) -> list[float]:
    """Return a checksum of the parameters."""
    return [float(p.double().square().sum()) for p in parameters.values()]


SIDES = {"dense": dense, "ours": ours}


def main() -> None:
    """Measure both sides; the exit status is 1 if a bit is not restored, or the sides differ."""
    given = arguments(__doc__, SIDES).parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    ours, other = found["ours"], found["dense"]
    good = ours[0]["same"] and torch.allclose(*(torch.tensor(s[0]["sum"]).double() for s in (ours, other)), rtol=1e-9)
    print("restored bit for bit; with the vectors, both sides agree" if good else "the sides DIFFER")
    report("put on and take off", median(ours, "seconds"), median(other, "seconds"), "s", "1 s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
