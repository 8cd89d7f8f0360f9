"""Checkpoints of a phase on disk: the best values so far, and the state from which training resumes.

Files are replaced atomically, so that an interruption leaves either the old or the new file.
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from deftx.core.errors import TrainingError
from deftx.core.files import replacing
from deftx.training.trainable import Entries

CHECKPOINT_VARIABLE = "DEFTX_CHECKPOINT_SECONDS"  # to set a longer interval for slow disks


def checkpoint_seconds(default: float, environment: Mapping[str, str] = os.environ) -> float:
    """Return the seconds between two checkpoints: DEFTX_CHECKPOINT_SECONDS if set, else ``default``.

    Raises:
        TrainingError: If the variable is not a number of seconds.
    """
    text = environment.get(CHECKPOINT_VARIABLE, "").strip()
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise TrainingError(f"{CHECKPOINT_VARIABLE} is {text!r}; set it to a number of seconds, or unset it.")
    return seconds


@dataclass
class PhaseProgress:
    """The progress of a phase, with its losses and scores."""

    step: int = 0  # optimiser steps done
    best_step: int | None = None
    best_score: float | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)  # (step, mean training loss since the last entry)
    evaluations: list[tuple[int, float]] = field(default_factory=list)  # (step, validation score)
    seconds: float = 0.0  # training time, resumed runs included
    loss_sum: float | Tensor = 0.0  # sum over the steps since the last entry of ``losses``
    evaluated: int = 0  # the step of the last evaluation

    def note_loss(self) -> float:
        """Add an entry to the loss history and return it."""
        since = self.losses[-1][0] if self.losses else 0
        loss, self.loss_sum = float(self.loss_sum) / (self.step - since), 0.0
        self.losses.append((self.step, loss))
        return loss

    def to_dict(self) -> dict:
        """Return the fields as plain numbers, for the checkpoint."""
        self.loss_sum = float(self.loss_sum)
        return asdict(self)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: dict) -> None:
    """Write tensors and JSON metadata to one safetensors file, atomically. Raise OSError, e.g. if the disk is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    on_cpu = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as draft:
            save_file(on_cpu, draft, metadata={"about": json.dumps(about)})
    except SafetensorError as error:  # its text contains the system's error: "… (os error 28)"
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Read a file that ``write_tensors`` wrote.

    Raises:
        TrainingError: If the file is damaged.
    """
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}, _about(file)  # noqa: SIM118 (not a dict)


def read_about(path: Path) -> dict:
    """Read the metadata that ``write_tensors`` wrote, without the tensors. Raise TrainingError if the file is damaged."""
    with _opened(path) as file:
        return _about(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(
            f"{path} is damaged ({error}). Delete it to restart this phase from the beginning."
        ) from error


def _about(file: Any) -> dict:
    return json.loads(file.metadata()["about"])


class PhaseFolder:
    """The files of one phase: ``checkpoint.safetensors`` and ``best.safetensors``."""

    def __init__(self, folder: Path) -> None:
        self.checkpoint = folder / "checkpoint.safetensors"
        self.best = folder / "best.safetensors"

    def save(self, entries: Entries, optimizer: torch.optim.Optimizer, progress: PhaseProgress) -> None:
        """Save the trained values, the optimiser's moments and the progress."""
        tensors = {f"value.{name}": value for name, value in entries.values().items()}
        for name, leaf in entries.compact.items():
            for key, moment in optimizer.state.get(leaf, {}).items():
                tensors[f"{key}.{name}"] = moment
        write_tensors(self.checkpoint, tensors, progress.to_dict())

    def restore(self, entries: Entries, optimizer: torch.optim.Optimizer) -> PhaseProgress:
        """Load the saved state into entries and optimiser; return the progress, or a new one if nothing is saved."""
        if not self.checkpoint.is_file():
            return PhaseProgress()
        tensors, about = read_tensors(self.checkpoint)
        entries.load({name: tensors[f"value.{name}"] for name in entries.compact})
        for name, leaf in entries.compact.items():
            if f"step.{name}" in tensors:
                saved = {key: tensors[f"{key}.{name}"] for key in ("step", "exp_avg", "exp_avg_sq")}
                # Copies, because the tensors' memory is mapped from the file.
                optimizer.state[leaf] = {k: v.to(leaf.device, copy=True) for k, v in saved.items()}
        return PhaseProgress(**about)

    def save_best(self, entries: Entries, progress: PhaseProgress) -> None:
        """Save the values of the best evaluation so far."""
        write_tensors(self.best, entries.values(), {"step": progress.best_step, "score": progress.best_score})

    def load_best(self, entries: Entries) -> None:
        """Set the entries to the best values, if any are saved."""
        if self.best.is_file():
            entries.load(read_tensors(self.best)[0])
