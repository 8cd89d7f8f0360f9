"""Denoising of one weight update: a low-rank part and the largest entries of what it leaves (equations 3 to 5)."""

import torch
from torch import Tensor

from deftx.core.errors import RecipeError
from deftx.method.select import Difference, largest
from deftx.method.spectrum import Decomposition, check_finite, decompose, tall_blocks


@torch.no_grad()
def low_rank(weight: Tensor, rank: int, decomposition: Decomposition | None = None) -> Tensor:
    """Return L = U_r Σ_r V_rᵀ, the best approximation of rank r of the (m, n) weight (equation 3).

    Same shape, dtype and device as the weight; rows and columns that are zero in it stay zero. A rank that loses
    nothing returns the weight itself, not a copy. ``decomposition`` is that of the weight, where it is known already.
    Raises RecipeError for a negative rank, DeftxError for anything but a real matrix, TrainingError for NaN or infinity.
    """
    if rank < 0:
        raise RecipeError(f"A rank is 0 or more; {rank} was given.")
    if decomposition is None:
        check_finite(weight)
    if rank >= min(weight.shape):
        return weight
    approximation = torch.zeros(weight.shape, dtype=weight.dtype, device=weight.device)
    if rank == 0:
        return approximation
    decomposition = decomposition or decompose(weight)
    if rank >= min(decomposition.shape):
        return weight
    _project(weight, approximation, rank, decomposition)
    return approximation


@torch.no_grad()
def denoise(weight: Tensor, rank: int, keep: float = 0.05, decomposition: Decomposition | None = None) -> Tensor:
    """Return Ŵ = L + S of the (m, n) weight, in its shape, dtype and device (equations 3 to 5).

    S = m ⊙ (W − L) keeps the n = round(keep·mn) largest |W − L|, ties going to the lowest row-major position. So Ŵ is
    W, bit for bit, on those entries and L elsewhere. ``keep`` 0 gives L. A rank that loses nothing returns the weight
    itself, not a copy. Raises RecipeError for a negative rank or a ``keep`` outside 0 to 1, else what ``low_rank`` does.
    """
    if not 0 <= keep <= 1:
        raise RecipeError(f"keep = {keep} is out of range: it is a share of the entries, from 0 to 1.")
    denoised = low_rank(weight, rank, decomposition)  # L
    if denoised is weight:
        return weight
    if n := round(keep * weight.numel()):
        _put_back(weight, denoised, n, None if decomposition is None else decomposition.rows)
    return denoised


def _put_back(weight: Tensor, low: Tensor, n: int, rows: Tensor | None) -> None:
    """Set L to W where |W − L| is largest; ``rows``, where they are known, are all that can differ."""
    residual = Difference(weight, low, rows if rows is not None and len(rows) < len(weight) else None)  # W − L
    if n := min(n, residual.numel()):
        kept = residual.places(largest(residual, n))  # m: the Top-n indices of |W − L|, equation 4
        low.view(-1)[kept] = weight.reshape(-1)[kept]  # L + m ⊙ (W − L), without its rounding


def _project(weight: Tensor, approximation: Tensor, rank: int, decomposition: Decomposition) -> None:
    """Fill in L = W V_r V_rᵀ, for which no U is needed; for a wide W, Lᵀ = Wᵀ U_r U_rᵀ.

    A rank above one half leaves fewer vectors out than it takes: then L = W − W V_rest V_restᵀ.
    """
    rows, columns = decomposition.rows, decomposition.columns
    most = 2 * rank > len(decomposition.values)
    # Projecting doubles no error, as squaring does in the Gram matrix: float32 is exact enough for a float32 W.
    dtype = torch.promote_types(weight.dtype, torch.float32)
    vectors = decomposition.vectors[:, rank:] if most else decomposition.vectors[:, :rank]  # V_rest or V_r
    basis = vectors.to(dtype)
    target = approximation.T if len(rows) < len(columns) else approximation
    for block, long, short in tall_blocks(weight, rows, columns, dtype):
        projected = (block @ basis) @ basis.T
        projected = (block - projected if most else projected).to(weight.dtype)
        if len(short) == target.shape[1]:
            target.index_copy_(0, long, projected)
        else:
            target[long[:, None], short] = projected
