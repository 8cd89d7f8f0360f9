"""Denoising of one weight update: a low-rank part plus the largest entries of the residual (equations 3 to 5)."""

import torch
from torch import Tensor

from deftx.core.errors import RecipeError
from deftx.method.select import Difference, largest
from deftx.method.spectrum import Decomposition, check_finite, decompose, tall_blocks


@torch.no_grad()
def low_rank(weight: Tensor, rank: int, decomposition: Decomposition | None = None) -> Tensor:
    """Return L = U_r Σ_r V_rᵀ, the best approximation of rank r of the (m, n) weight (equation 3).

    The result has the shape, dtype and device of the weight; its zero rows and columns stay zero. If the rank is not
    smaller than the weight's, the weight itself is returned, not a copy.

    Args:
        weight: Real matrix of shape (m, n).
        rank: The rank r, 0 or more.
        decomposition: The decomposition of the weight, if already computed.

    Raises:
        RecipeError: If the rank is negative.
        DeftxError: If the weight is not a real matrix.
        TrainingError: If the weight contains NaN or infinity.
    """
    if rank < 0:
        raise RecipeError(f"A rank must be 0 or more; {rank} was given.")
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

    S = m ⊙ (W − L) contains the round(keep·mn) entries with the largest |W − L|; of equal entries, those at the lowest
    row-major positions. So Ŵ equals W exactly at these entries, and L at all others. If the rank is not smaller than the
    weight's, the weight itself is returned, not a copy.

    Args:
        weight: Real matrix of shape (m, n).
        rank: The rank r of L, 0 or more.
        keep: Share of the residual's entries to keep, from 0 (Ŵ = L) to 1.
        decomposition: The decomposition of the weight, if already computed.

    Raises:
        RecipeError: If the rank is negative or ``keep`` is not between 0 and 1.
        DeftxError: If the weight is not a real matrix.
        TrainingError: If the weight contains NaN or infinity.
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
    """Copy W into L at the n entries with the largest |W − L|. Only ``rows`` are searched, if given."""
    residual = Difference(weight, low, rows if rows is not None and len(rows) < len(weight) else None)  # W − L
    if n := min(n, residual.numel()):
        kept = residual.places(largest(residual, n))  # m: the Top-n indices of |W − L|, equation 4
        low.view(-1)[kept] = weight.reshape(-1)[kept]  # L + m ⊙ (W − L), without rounding errors


def _project(weight: Tensor, approximation: Tensor, rank: int, decomposition: Decomposition) -> None:
    """Write L = W V_r V_rᵀ into ``approximation``, which needs no U; for a wide W, Lᵀ = Wᵀ U_r U_rᵀ.

    If r is more than half of the vectors, L = W − W V_rest V_restᵀ is cheaper.
    """
    rows, columns = decomposition.rows, decomposition.columns
    most = 2 * rank > len(decomposition.values)
    # Unlike the Gram matrix, the projection does not square W, so float32 is exact enough for a float32 W.
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
