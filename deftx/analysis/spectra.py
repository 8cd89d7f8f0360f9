"""The spectra of a vector or of a kept δ, and the ranks that each strategy would choose."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import RecipeError, VectorError
from deftx.core.files import expanded
from deftx.method.noise import noise_rank
from deftx.method.ranks import check_strategy, choose_rank, energy_kept, noise_edge
from deftx.method.spectrum import touched_values
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
        VectorError: If it is neither a vector nor a kept δ, or if the stored spectra are incomplete.
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
        return _stored(vector, stored, shapes)
    matrices = {n: _computed(vector.dense(n)) for n in vector.positions if len(vector.shapes[n]) == 2}
    return Spectra(f"φ of {vector.name} (no spectrum of δ is stored)", matrices)


def _stored(vector: SparseVector, values: Mapping[str, list[float]], shapes: Any) -> Spectra:
    rank = vector.info.get("rank") or {}
    ranks = rank.get("ranks") or {}
    try:
        sides = {name: (int(m), int(n)) for name, (m, n) in shapes.items()}
        matrices = {n: Spectrum(sides[n], torch.tensor(v), ranks.get(n)) for n, v in values.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # this field may contain anything
        raise VectorError(
            f"The stored spectra of {vector.name} are incomplete; train the vector again, or get its file again."
        ) from error
    return Spectra(f"δ of {vector.name}", matrices, _known(rank.get("strategy")))


def _known(strategy: str | None) -> str | None:
    """Return a stored strategy, or None if it is not valid."""
    try:
        check_strategy(strategy or "")
    except RecipeError:
        return None
    return strategy


def _computed(weight: Tensor) -> Spectrum:
    values, shape = touched_values(weight)
    return Spectrum(shape, values)
