"""How far a training run has come, from its files alone."""

from dataclasses import dataclass
from pathlib import Path

from deftx.core.errors import TrainingError
from deftx.training.checkpoints import PhaseFolder, read_about
from deftx.training.learned import DELTA_FILE, MASK_FILE

STAGES = ("dense", "denoise", "sparse")


@dataclass(frozen=True, order=True)
class Position:
    """The stage that comes next or goes on, its saved optimiser steps, and the step of its last evaluation."""

    stage: int = 0  # an index into STAGES
    step: int = 0
    evaluated: int = 0

    @property
    def phase(self) -> str:
        """The name of the stage, which is also a phase of events."""
        return STAGES[self.stage]


def position_of(run: Path, kept: Path | None = None) -> Position:
    """Return the position of the training run with checkpoints in ``run`` and δ in ``kept`` (default: in ``run``).

    A damaged checkpoint counts as none.
    """
    if (run / MASK_FILE).is_file():
        return _in_phase("sparse", run)
    if ((kept or run / "delta") / DELTA_FILE).is_file():
        return Position(STAGES.index("denoise"))
    return _in_phase("dense", run)


def _in_phase(phase: str, run: Path) -> Position:
    checkpoint = PhaseFolder(run / phase).checkpoint
    if not checkpoint.is_file():
        return Position(STAGES.index(phase))
    try:
        about = read_about(checkpoint)
    except TrainingError:
        return Position(STAGES.index(phase))
    return Position(STAGES.index(phase), about["step"], about["evaluated"])
