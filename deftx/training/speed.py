"""Training speed of a device, from finished training runs or from a short benchmark of matrix products."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from deftx.training.devices import has_bfloat16

TRIALS = 6  # the fastest counts, because other programs can only slow a trial down
TRIAL_SIZE = (1024, 768, 1024)  # rows, inner size and columns of the product, as in a layer of a base
TRIAL_SECONDS = 0.03  # duration of one trial
# Training reaches between these shares of the speed of matrix products alone (docs/benchmarks.md: 0.8 for XLM-R; a small
# base spends most of its time on other operations).
REACHED = (0.9, 0.2)
STEP_SECONDS = (0.002, 0.03)  # shortest duration of an optimiser step, for a small base
BESIDE = (10.0, 90.0)  # seconds for starting, reading, denoising and writing, if unknown
ZERO_GPU_RATE = 5e14  # operations per second in bfloat16 that makers state for the cards of ZeroGPU, approximately
SPREAD = 1.25  # training runs of one kind differ by about this factor
REMEMBERED = 5  # number of latest training runs that count


@dataclass(frozen=True)
class Pace:
    """The speed of a finished training run: operations per second in its phases, and seconds outside of them."""

    operations: float
    beside: float


@dataclass(frozen=True)
class Speed:
    """Operations per second and seconds outside of the steps, each (fastest, slowest).

    ``trainings`` is the number of training runs that it is based on, 0 for a benchmark.
    """

    operations: tuple[float, float]
    step: tuple[float, float]  # shortest duration of a step, in seconds
    beside: tuple[float, float]
    trainings: int

    def seconds(self, operations: float, steps: int) -> tuple[float, float]:
        """Return the (shortest, longest) time of a training run, in seconds."""
        fastest, slowest = (
            max(operations / rate, steps * step) + beside
            for rate, step, beside in zip(self.operations, self.step, self.beside, strict=True)
        )
        return fastest, slowest


def speed_from(paces: Sequence[Pace]) -> Speed:
    """Return the speed from one or more training runs of one base on one device, the latest first."""
    paces = paces[:REMEMBERED]
    rates, beside = [pace.operations for pace in paces], median(pace.beside for pace in paces)
    middle = median(rates)
    fastest, slowest = max(max(rates), middle * SPREAD), min(min(rates), middle / SPREAD)
    return Speed((fastest, slowest), (0.0, 0.0), (beside / SPREAD, beside * SPREAD), len(paces))


def trial_speed(device: str | torch.device) -> Speed:
    """Multiply matrices for about 0.2 s and return bounds on the speed of training."""
    device = torch.device(device)
    return rated_speed(max(_products(device) for _ in range(TRIALS)))


def rated_speed(operations: float) -> Speed:
    """Return bounds on the speed of training on a device that does so many operations per second in matrix products."""
    return Speed((operations * REACHED[0], operations * REACHED[1]), STEP_SECONDS, BESIDE, 0)


def _products(device: torch.device) -> float:
    """Return the operations per second of matrix products, in the precision that "auto" chooses."""
    rows, inner, columns = TRIAL_SIZE
    kind = torch.bfloat16 if has_bfloat16(device) else torch.float32
    left, right = (torch.ones(shape, device=device, dtype=kind) for shape in ((rows, inner), (inner, columns)))
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < TRIAL_SECONDS:
        (left @ right)[0, 0].item()  # waits for the device
        done += 1
    return done * 2 * rows * inner * columns / passed
