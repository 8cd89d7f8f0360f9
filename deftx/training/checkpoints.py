"""Where a phase keeps itself on disk: the best values so far, and all that is needed to go on after a stop.

Every file is written beside its place and moved there in one step, so a kill leaves the old file or the new one.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from deftx.core.errors import TrainingError
from deftx.core.files import replacing
from deftx.training.trainable import Entries

CHECKPOINT_VARIABLE = "DEFTX_CHECKPOINT_SECONDS"  # for a disk on which writing takes long, say


def checkpoint_seconds(otherwise: float, environment: Mapping[str, str] = os.environ) -> float:
    """Return the seconds between two checkpoints: what DEFTX_CHECKPOINT_SECONDS says, else ``otherwise``.

    Raises:
        TrainingError: the variable holds no number of seconds.
    """
    text = environment.get(CHECKPOINT_VARIABLE, "").strip()
    try:
        seconds = float(text) if text else otherwise
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise TrainingError(f"{CHECKPOINT_VARIABLE} is {text!r}; write a number of seconds, or leave it out.")
    return seconds


@dataclass
class PhaseProgress:
    """How far a phase is, and what it has seen."""

    step: int = 0  # optimiser steps done
    best_step: int | None = None
    best_score: float | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)  # (step, mean training loss since the last entry)
    evaluations: list[tuple[int, float]] = field(default_factory=list)  # (step, validation score)
    seconds: float = 0.0  # time spent training, over all starts
    loss_sum: float | Tensor = 0.0  # of the steps since the last entry of ``losses``
    evaluated: int = 0  # the step after which the validation set was last looked at

    def note_loss(self) -> float:
        """Close one entry of the loss history and return it."""
        since = self.losses[-1][0] if self.losses else 0
        loss, self.loss_sum = float(self.loss_sum) / (self.step - since), 0.0
        self.losses.append((self.step, loss))
        return loss

    def to_dict(self) -> dict:
        """Return plain numbers, for the checkpoint."""
        self.loss_sum = float(self.loss_sum)
        return asdict(self)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: dict) -> None:
    """Write tensors and a JSON note to one safetensors file, atomically; raises OSError, for a full disk say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    on_cpu = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as draft:
            save_file(on_cpu, draft, metadata={"about": json.dumps(about)})
    except SafetensorError as error:  # it hides the system's error in its words: "… (os error 28)"
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Read back what ``write_tensors`` wrote.

    Raises:
        TrainingError: the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118 (not a dict)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path} is damaged ({error}). Delete it: its phase then starts anew.") from error


class PhaseFolder:
    """The files of one phase: ``checkpoint.safetensors`` and ``best.safetensors``."""

    def __init__(self, folder: Path) -> None:
        self.checkpoint = folder / "checkpoint.safetensors"
        self.best = folder / "best.safetensors"

    def save(self, entries: Entries, optimizer: torch.optim.Optimizer, progress: PhaseProgress) -> None:
        """Keep the trained values, the optimiser's moments and the progress."""
        tensors = {f"value.{name}": value for name, value in entries.values().items()}
        for name, leaf in entries.compact.items():
            for key, moment in optimizer.state.get(leaf, {}).items():
                tensors[f"{key}.{name}"] = moment
        write_tensors(self.checkpoint, tensors, progress.to_dict())

    def restore(self, entries: Entries, optimizer: torch.optim.Optimizer) -> PhaseProgress:
        """Bring entries and optimiser to the saved state; without one, report the beginning."""
        if not self.checkpoint.is_file():
            return PhaseProgress()
        tensors, about = read_tensors(self.checkpoint)
        entries.load({name: tensors[f"value.{name}"] for name in entries.compact})
        for name, leaf in entries.compact.items():
            saved = {key: tensors.get(f"{key}.{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
            if saved["step"] is not None:
                # Copies, because safetensors lends memory that is mapped from the file.
                optimizer.state[leaf] = {k: v.to(leaf.device, copy=True) for k, v in saved.items()}
        return PhaseProgress(**about)

    def save_best(self, entries: Entries, progress: PhaseProgress) -> None:
        """Keep the values of the best evaluation so far."""
        write_tensors(self.best, entries.values(), {"step": progress.best_step, "score": progress.best_score})

    def load_best(self, entries: Entries) -> None:
        """Set the entries to the best values, where an evaluation has chosen any."""
        if self.best.is_file():
            entries.load(read_tensors(self.best)[0])
