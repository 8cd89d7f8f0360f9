"""Singular values and vectors of a weight update W, by way of the Gram matrix of its smaller side.

The eigenvalues of WᵀW are the squared singular values of W and its eigenvectors are V. Summed in float64 over blocks of
rows, WᵀW costs one pass over W and n² numbers, so that a (250002, 768) embedding never exists in float64. Squaring
halves the digits: a singular value is exact to about √(n·2⁻⁵²)·σ1, 4e-7·σ1 for n = 768.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.core.errors import DeftxError, TrainingError

BLOCK = 2**20  # entries that are looked at, or widened to float64 (8 MiB), at a time
NOT_FINITE = (
    "The update holds values that are not finite (NaN or infinity), so it has no singular values. "
    "The training diverged: lower the learning rate and train again."
)
STRIPE = 256  # columns of WᵀW that are summed together; of what lies above its diagonal, only a little is


@dataclass(frozen=True)
class Decomposition:
    """The part of W = UΣVᵀ that denoising needs: it is worked out once and serves every rank.

    ``shape`` (m, n) is that of W without the rows and columns that are entirely zero; ``rows`` (m,) and ``columns``
    (n,) are the indices of those that are left. ``values`` (min(m, n),) descend. ``vectors`` (min(m, n), min(m, n))
    has the singular vectors of the smaller side as columns: V if m >= n, else U. Both are float64, on W's device.
    """

    values: Tensor
    vectors: Tensor
    rows: Tensor
    columns: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """The shape that rank strategies are given: (m, n) of what is left."""
        return len(self.rows), len(self.columns)


def touched(weight: Tensor) -> Tensor:
    """Return the (m, n) weight without the rows and columns that are entirely zero, such as those of unseen tokens."""
    rows, columns = _touched_indices(weight)
    if (len(rows), len(columns)) == weight.shape:
        return weight
    return weight[rows][:, columns]


@torch.no_grad()
def singular_values(weight: Tensor) -> Tensor:
    """Return all singular values of the (m, n) weight: (min(m, n),), descending, float64, zeros included.

    They lie within 1e-5·σ1 of the exact ones. Raises DeftxError for anything but a real matrix, TrainingError for NaN.
    """
    rows, columns = _touched_indices(weight)
    eigenvalues = torch.linalg.eigvalsh(_gram(weight, rows, columns)).flip(0)  # eigvalsh ascends
    values = weight.new_zeros(min(weight.shape), dtype=torch.float64)  # what was dropped has σ = 0
    values[: len(eigenvalues)] = eigenvalues.clamp_min(0).sqrt()  # σ = √λ
    return values


@torch.no_grad()
def decompose(weight: Tensor) -> Decomposition:
    """Return the singular values and the singular vectors of the smaller side of the (m, n) weight.

    Raises DeftxError for anything but a real matrix, TrainingError for NaN.
    """
    rows, columns = _touched_indices(weight)
    eigenvalues, vectors = torch.linalg.eigh(_gram(weight, rows, columns))  # WᵀW = VΣ²Vᵀ
    return Decomposition(eigenvalues.flip(0).clamp_min(0).sqrt(), vectors.flip(1), rows, columns)


def tall_blocks(
    weight: Tensor, rows: Tensor, columns: Tensor, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Walk along the longer side of what is left of W, a few rows (or columns, if W is wide) at a time.

    Yields (block, long, short): a block, in ``dtype``, of (b, min(m, n)) entries, taken from W if m >= n and from Wᵀ if not,
    and the indices along W's longer and shorter side that it came from.
    """
    wide = len(rows) < len(columns)
    source = weight.T if wide else weight
    long, short = (columns, rows) if wide else (rows, columns)
    everything = len(short) == source.shape[1]
    for part in long.split(max(1, BLOCK // max(1, len(short)))):
        block = source.index_select(0, part)
        yield (block if everything else block.index_select(1, short)).to(dtype), part, short


def check_finite(weight: Tensor) -> None:
    """Raise DeftxError for anything but a real matrix (m, n), TrainingError if it holds NaN or infinity."""
    _check_matrix(weight)
    if not all(part.isfinite().all() for part in weight.split(max(1, BLOCK // max(1, weight.shape[1])))):
        raise TrainingError(NOT_FINITE)


def _check_matrix(weight: Tensor) -> None:
    if weight.dim() != 2:
        raise DeftxError(f"Only a matrix has singular values; this has shape {tuple(weight.shape)}.")
    if weight.is_complex():
        raise DeftxError(f"The update is complex ({weight.dtype}); weights are real numbers. Give a real matrix.")


def _touched_indices(weight: Tensor) -> tuple[Tensor, Tensor]:
    _check_matrix(weight)
    rows, columns = [], weight.new_zeros(weight.shape[1], dtype=torch.bool)
    for part in weight.split(max(1, BLOCK // max(1, weight.shape[1]))):
        changed = part != 0  # NaN counts as changed, so that it is found later and not dropped
        rows.append(changed.any(dim=1))
        columns |= changed.any(dim=0)
    return torch.cat(rows).nonzero().squeeze(1), columns.nonzero().squeeze(1)


def _gram(weight: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    side = min(len(rows), len(columns))
    gram = weight.new_zeros(side, side, dtype=torch.float64)
    for block, _, _ in tall_blocks(weight, rows, columns, torch.float64):
        for start in range(0, side, STRIPE):  # WᵀW, or WWᵀ if W is wide; eigh reads its lower triangle alone
            gram[start:, start : start + STRIPE].addmm_(block[:, start:].T, block[:, start : start + STRIPE])
    if not gram.isfinite().all():
        raise TrainingError(NOT_FINITE)
    return gram
