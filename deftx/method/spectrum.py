"""Singular values and vectors of a weight update W, computed from the Gram matrix of its smaller side.

The eigenvalues of WᵀW are the squared singular values of W, and its eigenvectors are V. WᵀW is summed in float64 over
blocks of rows, which takes one pass over W and memory for n² numbers: a (250002, 768) embedding is never copied to float64.
Squaring halves the precision: singular values are exact to about √(n·2⁻⁵²)·σ1, which is 4e-7·σ1 for n = 768.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.core.errors import DeftxError, TrainingError

BLOCK = 2**20  # entries processed at a time; 8 MiB in float64
NOT_FINITE = (
    "The update contains values that are not finite (NaN or infinity), so it has no singular values. "
    "The training diverged: lower the learning rate and train again."
)
STRIPE = 256  # columns of WᵀW computed at a time, so that most entries above its diagonal are skipped


@dataclass(frozen=True)
class Decomposition:
    """The parts of W = UΣVᵀ that denoising needs, computed once for all ranks.

    (m, n) is the shape of W without its zero rows and columns.

    Attributes:
        values: Singular values (min(m, n),), descending, float64, on W's device.
        vectors: Singular vectors of the smaller side as columns (min(m, n), min(m, n)): V if m >= n, else U. float64.
        rows: Indices (m,) of W's nonzero rows.
        columns: Indices (n,) of W's nonzero columns.
    """

    values: Tensor
    vectors: Tensor
    rows: Tensor
    columns: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """The shape (m, n) without zero rows and columns, as rank strategies need it."""
        return len(self.rows), len(self.columns)


def touched(weight: Tensor) -> Tensor:
    """Return the (m, n) weight without its zero rows and columns, such as the embeddings of unseen tokens."""
    rows, columns = _touched_indices(weight)
    if (len(rows), len(columns)) == weight.shape:
        return weight
    return weight[rows][:, columns]


@torch.no_grad()
def singular_values(weight: Tensor) -> Tensor:
    """Return all singular values of the (m, n) weight: (min(m, n),), descending, float64, zeros included.

    Their error is below 1e-5·σ1.

    Args:
        weight: Real matrix of shape (m, n).

    Raises:
        DeftxError: If the weight is not a real matrix.
        TrainingError: If the weight contains NaN or infinity.
    """
    found, _ = touched_values(weight)
    values = weight.new_zeros(min(weight.shape), dtype=torch.float64)  # zero rows and columns have σ = 0
    values[: len(found)] = found
    return values


@torch.no_grad()
def touched_values(weight: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return the singular values of the weight without its zero rows and columns, and its shape (m, n) without them.

    The values are those of ``decompose``, which needs several times as long for the vectors. Raises as it does.
    """
    rows, columns = _touched_indices(weight)
    eigenvalues = torch.linalg.eigvalsh(_gram(weight, rows, columns)).flip(0)  # eigvalsh ascends
    return eigenvalues.clamp_min(0).sqrt(), (len(rows), len(columns))  # σ = √λ


@torch.no_grad()
def decompose(weight: Tensor) -> Decomposition:
    """Return the singular values and the singular vectors of the smaller side of the (m, n) weight.

    Args:
        weight: Real matrix of shape (m, n).

    Raises:
        DeftxError: If the weight is not a real matrix.
        TrainingError: If the weight contains NaN or infinity.
    """
    rows, columns = _touched_indices(weight)
    eigenvalues, vectors = torch.linalg.eigh(_gram(weight, rows, columns))  # WᵀW = VΣ²Vᵀ
    return Decomposition(eigenvalues.flip(0).clamp_min(0).sqrt(), vectors.flip(1), rows, columns)


def tall_blocks(
    weight: Tensor, rows: Tensor, columns: Tensor, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield blocks of rows of W without its zero rows and columns; of Wᵀ if W is wide.

    Yields:
        (block, long, short): a block (b, min(m, n)) in ``dtype``, and its indices along W's longer and shorter side.
    """
    wide = len(rows) < len(columns)
    source = weight.T if wide else weight
    long, short = (columns, rows) if wide else (rows, columns)
    everything = len(short) == source.shape[1]
    for part in long.split(max(1, BLOCK // max(1, len(short)))):
        block = source.index_select(0, part)
        yield (block if everything else block.index_select(1, short)).to(dtype), part, short


def check_finite(weight: Tensor) -> None:
    """Raise DeftxError unless the weight is a real matrix, TrainingError if it contains NaN or infinity."""
    _check_matrix(weight)
    if not all(part.isfinite().all() for part in weight.split(max(1, BLOCK // max(1, weight.shape[1])))):
        raise TrainingError(NOT_FINITE)


def _check_matrix(weight: Tensor) -> None:
    if weight.dim() != 2:
        raise DeftxError(f"Only a matrix has singular values; this tensor has shape {tuple(weight.shape)}.")
    if weight.is_complex():
        raise DeftxError(f"The update is complex ({weight.dtype}); a real matrix is needed.")


def _touched_indices(weight: Tensor) -> tuple[Tensor, Tensor]:
    _check_matrix(weight)
    rows, columns = [], weight.new_zeros(weight.shape[1], dtype=torch.bool)
    for part in weight.split(max(1, BLOCK // max(1, weight.shape[1]))):
        changed = part != 0  # NaN counts as changed, so that a later check finds it
        rows.append(changed.any(dim=1))
        columns |= changed.any(dim=0)
    return torch.cat(rows).nonzero().squeeze(1), columns.nonzero().squeeze(1)


def _gram(weight: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    side = min(len(rows), len(columns))
    gram = weight.new_zeros(side, side, dtype=torch.float64)
    for block, _, _ in tall_blocks(weight, rows, columns, torch.float64):
        for start in range(0, side, STRIPE):  # WᵀW, or WWᵀ if W is wide; eigh reads only its lower triangle
            gram[start:, start : start + STRIPE].addmm_(block[:, start:].T, block[:, start : start + STRIPE])
    if not gram.isfinite().all():
        raise TrainingError(NOT_FINITE)
    return gram
