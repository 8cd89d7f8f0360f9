"""How fast a device trains: from trainings that it has done, else from a short trial of matrix products."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from deftx.training.devices import has_bfloat16

TRIALS = 6  # the best of them counts: whatever else runs meanwhile only slows a trial down
TRIAL_SIZE = (1024, 768, 1024)  # rows, inner, columns of the product: what a layer of a base works on
TRIAL_SECONDS = 0.03  # how long one trial goes on multiplying
# A training reaches between these shares of what matrix products alone reach (docs/benchmarks.md: 0.8 at XLM-R's size;
# a small base spends most of its time between the products).
REACHED = (0.9, 0.2)
STEP_SECONDS = (0.002, 0.03)  # what an optimiser step takes at the least, however small the base is
BESIDE = (10.0, 90.0)  # seconds for starting, reading, denoising and writing, where no training has shown them
SPREAD = 1.25  # trainings of one kind differ by about this factor from each other
REMEMBERED = 5  # the latest trainings that count


@dataclass(frozen=True)
class Pace:
    """What one finished training kept up: operations a second within its phases, and the seconds beside them."""

    operations: float
    beside: float


@dataclass(frozen=True)
class Speed:
    """Operations a second and seconds beside the steps, each (fastest, slowest); ``trainings`` it rests on, 0: a trial."""

    operations: tuple[float, float]
    step: tuple[float, float]  # seconds that a step takes at the least
    beside: tuple[float, float]
    trainings: int

    def seconds(self, operations: float, steps: int) -> tuple[float, float]:
        """Give the time of a training as (at the least, at the most), in seconds."""
        return tuple(
            max(operations / rate, steps * step) + beside
            for rate, step, beside in zip(self.operations, self.step, self.beside, strict=True)
        )


def speed_from(paces: Sequence[Pace]) -> Speed:
    """Make a speed of the paces of trainings of one base on one device, the latest first; there must be one at least."""
    paces = paces[:REMEMBERED]
    rates, beside = [pace.operations for pace in paces], median(pace.beside for pace in paces)
    middle = median(rates)
    fastest, slowest = max(max(rates), middle * SPREAD), min(min(rates), middle / SPREAD)
    return Speed((fastest, slowest), (0.0, 0.0), (beside / SPREAD, beside * SPREAD), len(paces))


def trial_speed(device: str | torch.device) -> Speed:
    """Multiply matrices for a fifth of a second and say between which bounds a training's speed will lie."""
    device = torch.device(device)
    best = max(_products(device) for _ in range(TRIALS))
    return Speed(tuple(best * share for share in REACHED), STEP_SECONDS, BESIDE, 0)


def _products(device: torch.device) -> float:
    """Operations a second of matrix products, in the precision that "auto" chooses."""
    rows, inner, columns = TRIAL_SIZE
    kind = torch.bfloat16 if has_bfloat16(device) else torch.float32
    left, right = (torch.ones(shape, device=device, dtype=kind) for shape in ((rows, inner), (inner, columns)))
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < TRIAL_SECONDS:
        (left @ right)[0, 0].item()  # waits for the device
        done += 1
    return done * 2 * rows * inner * columns / passed
