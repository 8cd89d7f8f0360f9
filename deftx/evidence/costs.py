"""Time and memory of training runs, kept in the vectors' folders. The file of costs is written last: a vector with it is done."""

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from deftx.core.files import write_json

COST = "cost.json"  # time and memory, in a vector's folder


class Timed:
    """Measures the seconds of a training run's dense phase and of the rest, from its events."""

    def __init__(self) -> None:
        self.dense = self.rest = 0.0
        self._last = time.monotonic()

    def __call__(self, event: Any) -> None:
        """Add the time since the last event to the phase of this event."""
        now = time.monotonic()
        if event.phase in ("tokenise", "dense"):
            self.dense += now - self._last
        else:
            self.rest += now - self._last
        self._last = now


def train_with_cost(folder: Path, train: Callable[[Timed], None], device: str, dense: float = 0.0) -> float:
    """Train a vector into ``folder``, write its cost there, and return the seconds of its dense phase.

    ``dense`` are the seconds of a dense phase that an earlier vector of the same group has trained.
    """
    if (folder / "vector.json").is_file():  # interrupted before its cost was written
        shutil.rmtree(folder)
    timed = Timed()
    train(timed)
    dense = max(dense, timed.dense)  # only one vector of a group trains the dense phase
    gpu = torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else 0
    unit = 1 if sys.platform == "darwin" else 1024  # bytes that ru_maxrss counts in
    peak = max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, gpu) / 1e9
    write_json(folder / COST, {"dense": dense, "rest": timed.rest, "peak_gb": peak})
    return dense


def read_cost(folder: Path) -> dict[str, float]:
    """Return the seconds of the dense phase and of the rest, and the peak memory in GB, of a finished vector."""
    return json.loads((folder / COST).read_text(encoding="utf-8"))


def is_trained(folder: Path) -> bool:
    """Return whether a vector and its cost have been written."""
    return (folder / COST).is_file() and (folder / "vector.json").is_file()
