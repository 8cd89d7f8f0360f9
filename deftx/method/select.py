"""Exact selection of the k largest entries over all parameters (Algorithm 1, line 14), with little memory.

The bits of |x|, read as an integer (the "key"), have the same order as |x|. A radix selection finds the k-th largest key by
counting, 16 bits per pass and block by block. Nothing is sorted, and the parameters are not concatenated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.sampling import seed_for

BLOCK = 2**20  # entries processed at a time
DIGIT = 16  # bits per counting pass


@dataclass(frozen=True)
class Word:
    """How to read the bits of a floating-point type as an integer."""

    floating: torch.dtype
    integer: torch.dtype
    magnitude: int  # mask of all bits except the sign
    shifts: tuple[int, ...]  # bit position of each digit, the highest digit first
    infinity: int  # the highest digit of infinity; that of NaN is equal or larger


@dataclass(frozen=True)
class Difference:
    """The difference A − B of two matrices of the same shape and dtype, computed block by block to save memory.

    If ``rows`` is given, the difference consists of these rows only.
    """

    minuend: Tensor
    subtrahend: Tensor
    rows: Tensor | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of both matrices."""
        return self.minuend.dtype

    @property
    def device(self) -> torch.device:
        """The device of both matrices."""
        return self.minuend.device

    def numel(self) -> int:
        """Return the number of entries."""
        return self.minuend.numel() if self.rows is None else len(self.rows) * self.minuend.shape[1]

    def blocks(self) -> Iterator[Tensor]:
        """Yield blocks of entries in row-major order."""
        if self.rows is None:
            walk = (tensor.reshape(-1).split(BLOCK) for tensor in (self.minuend, self.subtrahend))
            return (a - b for a, b in zip(*walk, strict=True))
        parts = self.rows.split(max(1, BLOCK // self.minuend.shape[1]))
        return ((self.minuend[part] - self.subtrahend[part]).view(-1) for part in parts)

    def places(self, positions: Tensor) -> Tensor:
        """Convert flat positions in the difference to flat row-major positions in A and B."""
        if self.rows is None:
            return positions
        columns = self.minuend.shape[1]
        return self.rows[positions // columns].mul_(columns).add_(positions % columns)


SINGLE = Word(torch.float32, torch.int32, 2**31 - 1, (16, 0), 0x7F80)
DOUBLE = Word(torch.float64, torch.int64, 2**63 - 1, (48, 32, 16, 0), 0x7FF0)


@torch.no_grad()
def select_top_k(deltas: Mapping[str, Tensor], k: int) -> dict[str, Tensor]:
    """Return the positions of the k entries with the largest magnitude over all tensors.

    Of equal entries, those that come first in the mapping, at the lowest positions, are selected. Zeros are never
    selected.

    Args:
        deltas: Floating-point tensors of any shape, by name.
        k: The number of entries to select.

    Returns:
        For each name, ascending flat row-major positions (int64, on the tensor's device); k in total.

    Raises:
        RecipeError: If fewer than k entries are nonzero.
        TrainingError: If a tensor contains NaN or infinity.
    """
    selected, found = _select_up_to(deltas, k)
    if found < k:
        raise _too_few(k, found)
    return selected


@torch.no_grad()
def select_with_fill(
    denoised: Mapping[str, Tensor], raw: Mapping[str, Tensor], k: int
) -> tuple[dict[str, Tensor], int]:
    """Select k entries by |δ̂|; if δ̂ has fewer than k nonzero entries, add the largest remaining |δ|.

    ``denoised`` (δ̂) and ``raw`` (δ) have the same names and shapes. Returns the positions, as ``select_top_k`` does, and
    how many of them come from δ. Raises RecipeError if both together have fewer than k nonzero entries.
    """
    selected, found = _select_up_to(denoised, k)
    if found == k:
        return selected, 0
    rest = {name: delta.masked_fill(denoised[name] != 0, 0) for name, delta in raw.items()}
    filled, more = _select_up_to(rest, k - found)
    if found + more < k:
        raise _too_few(k, found + more)
    return {name: torch.cat([selected[name], filled[name]]).sort().values for name in selected}, more


@torch.no_grad()
def select_at_random(deltas: Mapping[str, Tensor], k: int, seed: int) -> dict[str, Tensor]:
    """Select k entries uniformly at random, zeros included. Return positions as ``select_top_k`` does."""
    drawn = {}
    for name, delta in deltas.items():
        generator = torch.Generator().manual_seed(seed_for(seed, "random mask", name))
        uniform = torch.rand(delta.shape, generator=generator)
        drawn[name] = (1 - uniform).to(delta.device)  # never 0, since zeros are not selected
    return select_top_k(drawn, k)


@torch.no_grad()
def largest(values: Tensor | Difference, n: int) -> Tensor:
    """Return the ascending flat positions (n,) of the n entries with the largest magnitude, zeros included.

    Of equal entries, those at the lowest positions are taken. ``n`` is at least 1 and at most the number of entries.
    Raises TrainingError for NaN or infinity.
    """
    matrix = {"of one matrix": values}
    return _take(matrix, *_nth_key(matrix, n))["of one matrix"]


def _select_up_to(deltas: Mapping[str, Tensor], k: int) -> tuple[dict[str, Tensor], int]:
    """Select the k largest entries, or all nonzero ones if there are fewer. Return their positions and number."""
    if k < 1:
        raise RecipeError(f"k = {k} selects no entries; choose 1 or more.")
    total = sum(delta.numel() for delta in deltas.values())
    key, ties = _nth_key(deltas, min(k, total)) if total else (0, 0)
    if key == 0:  # the k-th largest entry is zero: select all nonzero entries
        key, ties = 1, total
    selected = _take(deltas, key, ties)
    return selected, sum(positions.numel() for positions in selected.values())


def _nth_key(tensors: Mapping[str, Tensor | Difference], n: int) -> tuple[int, int]:
    """Return the n-th largest key over all tensors, and how many of the n entries have exactly this key."""
    word = _word(tensors)
    key, wanted = 0, n
    for shift in word.shifts:
        counts = torch.zeros(2**DIGIT, dtype=torch.int64)
        for name, values in tensors.items():
            counts += _count_digits(name, values, word, shift, key)
        at_least = counts.flip(0).cumsum(0).flip(0)  # entries with this digit or a higher one
        digit = int((at_least >= wanted).sum()) - 1  # at_least descends: this is the highest digit that reaches n
        wanted -= int(at_least[digit] - counts[digit])
        key = (key << DIGIT) | digit
    return key, wanted


def _count_digits(name: str, values: Tensor | Difference, word: Word, shift: int, known: int) -> Tensor:
    """Return how often each value of the digit at ``shift`` occurs among the keys that start with the ``known`` digits."""
    first = shift == word.shifts[0]
    counts = torch.zeros(2**DIGIT, dtype=torch.int64, device=values.device)
    for _, keys in _key_blocks(values, word):
        if not first:
            keys = keys[(keys >> (shift + DIGIT)) == known]
        counts += torch.bincount((keys >> shift) & (2**DIGIT - 1), minlength=2**DIGIT)
    if first and counts[word.infinity :].any():
        raise TrainingError(
            f"The update {name} contains values that are not finite (NaN or infinity), so its entries cannot be ranked. "
            "The training diverged: lower the learning rate and train again."
        )
    return counts.cpu()


def _take(tensors: Mapping[str, Tensor | Difference], key: int, ties: int) -> dict[str, Tensor]:
    """Return the positions of all entries above ``key`` and of the first ``ties`` entries equal to it."""
    word = _word(tensors)
    taken = {}
    for name, values in tensors.items():
        found = [torch.zeros(0, dtype=torch.int64, device=values.device)]
        for start, keys in _key_blocks(values, word):
            candidates = (keys >= key).nonzero().squeeze(1)
            tied = keys[candidates] == key
            candidates = candidates[~tied | (tied.cumsum(0) <= ties)]
            ties = max(0, ties - int(tied.sum()))
            found.append(candidates + start)
        taken[name] = torch.cat(found)
    return taken


def _word(tensors: Mapping[str, Tensor | Difference]) -> Word:
    if strange := [name for name, values in tensors.items() if values.dtype.is_complex]:
        raise TrainingError(f"The update {strange[0]} is complex; a real tensor is needed.")
    return DOUBLE if any(values.dtype == torch.float64 for values in tensors.values()) else SINGLE


def _key_blocks(values: Tensor | Difference, word: Word) -> Iterator[tuple[int, Tensor]]:
    """Yield blocks of a tensor's keys in row-major order, as (position of the first entry, keys)."""
    blocks = values.blocks() if isinstance(values, Difference) else values.reshape(-1).split(BLOCK)
    start = 0
    for block in blocks:
        yield start, block.to(word.floating).view(word.integer) & word.magnitude
        start += len(block)


def _too_few(k: int, found: int) -> RecipeError:
    return RecipeError(
        f"k = {k:,} entries cannot be selected: only {found:,} changed in the dense phase. "
        f"Choose k up to {found:,}, or train the dense phase for longer."
    )
