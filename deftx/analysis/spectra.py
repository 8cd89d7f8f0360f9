"""The spectra of a vector or of a kept δ, and the ranks that each strategy would choose."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.core.files import expanded
from deftx.method.noise import noise_rank
from deftx.method.ranks import choose_rank, energy_kept, noise_edge
from deftx.method.spectrum import decompose
from deftx.training.checkpoints import read_tensors
from deftx.training.learned import DELTA_FILE
from deftx.vectors.vector import SparseVector


@dataclass(frozen=True)
class Spectrum:
    """The singular values of a matrix without its zero rows and columns, and the rank that was chosen for it."""

    shape: tuple[int, int]  # without zero rows and columns
    values: Tensor  # (min(shape),), descending
    chosen: int | None = None

    def to_dict(self, strategies: Sequence[str]) -> dict[str, Any]:
        """Return shape, singular values, noise edge, and for each strategy the rank, its energy and the rank of noise."""
        ranks = {strategy: choose_rank(self.values, self.shape, strategy) for strategy in strategies}
        return {
            "shape": list(self.shape),
            "singular_values": self.values.tolist(),
            "noise_edge": noise_edge(self.values, self.shape),
            "ranks": ranks,
            "energy_kept": {strategy: energy_kept(self.values, self.shape, rank) for strategy, rank in ranks.items()},
            "noise_ranks": {strategy: noise_rank(self.shape, strategy) for strategy in strategies},
            "chosen": self.chosen,
        }


@dataclass(frozen=True)
class Spectra:
    """Spectra by parameter, with a description of their source."""

    of: str
    matrices: dict[str, Spectrum]
    strategy: str | None = None  # the strategy that chose the ranks; None if no ranks have been chosen


def spectra_of(name_or_path: str | os.PathLike) -> Spectra:
    """Return the spectra of δ that are stored in a vector, or those of the δ in a ``--delta`` folder.

    For a vector without stored spectra (made by lt-sft, or imported), return those of φ.

    Raises:
        VectorError: If it is neither a vector nor a kept δ.
    """
    kept = expanded(name_or_path) / DELTA_FILE
    if kept.is_file():
        try:
            tensors, _ = read_tensors(kept)
        except Exception as error:  # any exception of the parser means that the file is invalid
            raise VectorError(f"{kept} cannot be read ({error}); run the dense phase again.") from error
        deltas = {n.removeprefix("delta."): t for n, t in tensors.items() if n.startswith("delta.") and t.dim() == 2}
        return Spectra(f"δ in {name_or_path}", {name: _computed(delta) for name, delta in deltas.items()})
    vector = SparseVector.load(name_or_path)
    stored, shapes = vector.info.get("singular_values"), vector.info.get("spectrum_shapes")
    if stored and shapes:
        ranks = vector.info["rank"]["ranks"]
        matrices = {n: Spectrum(tuple(shapes[n]), torch.tensor(v), ranks.get(n)) for n, v in stored.items()}
        return Spectra(f"δ of {vector.name}", matrices, vector.info["rank"].get("strategy"))
    matrices = {n: _computed(vector.dense(n)) for n in vector.positions if len(vector.shapes[n]) == 2}
    return Spectra(f"φ of {vector.name} (no spectrum of δ is stored)", matrices)


def _computed(weight: Tensor) -> Spectrum:
    parts = decompose(weight)
    return Spectrum(parts.shape, parts.values)
