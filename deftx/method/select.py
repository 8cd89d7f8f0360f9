"""Selection of the k largest entries over all parameters at once (Algorithm 1, line 14), exactly and in little memory.

The bits of |x|, read as an integer (the "key"), are in the order of |x|. So the k-th largest key is found sixteen bits
at a time by counting (a radix selection), in blocks: nothing is sorted, and the parameters are never joined.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.sampling import seed_for

BLOCK = 2**20  # entries that are looked at together
DIGIT = 16  # bits that one counting pass settles


@dataclass(frozen=True)
class Word:
    """How the bits of a floating-point number are read as an integer."""

    floating: torch.dtype
    integer: torch.dtype
    magnitude: int  # every bit but the sign
    shifts: tuple[int, ...]  # where the digits begin, the highest digit first
    infinity: int  # the highest digit of infinity; that of NaN is not below it


@dataclass(frozen=True)
class Difference:
    """A − B of two matrices of one shape and type, worked out block by block: it never lies in memory as a whole.

    Where ``rows`` are given, they alone make it up, one below the other.
    """

    minuend: Tensor
    subtrahend: Tensor
    rows: Tensor | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The type of both."""
        return self.minuend.dtype

    @property
    def device(self) -> torch.device:
        """Where both are."""
        return self.minuend.device

    def numel(self) -> int:
        """How many entries there are."""
        return self.minuend.numel() if self.rows is None else len(self.rows) * self.minuend.shape[1]

    def blocks(self) -> Iterator[Tensor]:
        """Walk over the entries in row-major order."""
        if self.rows is None:
            walk = (tensor.reshape(-1).split(BLOCK) for tensor in (self.minuend, self.subtrahend))
            return (a - b for a, b in zip(*walk, strict=True))
        parts = self.rows.split(max(1, BLOCK // self.minuend.shape[1]))
        return ((self.minuend[part] - self.subtrahend[part]).view(-1) for part in parts)

    def places(self, positions: Tensor) -> Tensor:
        """Return where positions in the difference lie in A and B, flat and row-major."""
        if self.rows is None:
            return positions
        columns = self.minuend.shape[1]
        return self.rows[positions // columns].mul_(columns).add_(positions % columns)


SINGLE = Word(torch.float32, torch.int32, 2**31 - 1, (16, 0), 0x7F80)
DOUBLE = Word(torch.float64, torch.int64, 2**63 - 1, (48, 32, 16, 0), 0x7FF0)


@torch.no_grad()
def select_top_k(deltas: Mapping[str, Tensor], k: int) -> dict[str, Tensor]:
    """Return the positions of the k entries of ``deltas`` largest in magnitude, over all tensors at once.

    Every name gets its ascending flat row-major positions (int64, on the tensor's device; maybe none), exactly k in
    total. Ties go to the lowest position, in the order of the mapping. Zeros are never selected. Raises RecipeError
    when fewer than k entries are not zero, TrainingError for NaN or infinity.
    """
    selected, found = _select_up_to(deltas, k)
    if found < k:
        raise _too_few(k, found)
    return selected


@torch.no_grad()
def select_with_fill(
    denoised: Mapping[str, Tensor], raw: Mapping[str, Tensor], k: int
) -> tuple[dict[str, Tensor], int]:
    """Select k entries by |δ̂|; where δ̂ has too few that are not zero, the largest |δ| not yet chosen fill up.

    ``denoised`` (δ̂) and ``raw`` (δ) have the same names and shapes. Returns the positions, as ``select_top_k`` does,
    and how many of them were filled. Raises RecipeError when both together have fewer than k entries that are not zero.
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
    """Select k entries of all tensors with equal chances, those that are zero included; positions as ``select_top_k``."""
    drawn = {}
    for name, delta in deltas.items():
        generator = torch.Generator().manual_seed(seed_for(seed, "random mask", name))
        drawn[name] = (1 - torch.rand(delta.shape, generator=generator)).to(
            delta.device
        )  # above 0, where none is chosen
    return select_top_k(drawn, k)


@torch.no_grad()
def largest(values: Tensor | Difference, n: int) -> Tensor:
    """Return the ascending flat positions (n,) of the n entries largest in magnitude, zeros included.

    Ties go to the lowest position. ``n`` is from 1 to the number of entries. Raises TrainingError for NaN or infinity.
    """
    matrix = {"of one matrix": values}
    return _take(matrix, *_nth_key(matrix, n))["of one matrix"]


def _select_up_to(deltas: Mapping[str, Tensor], k: int) -> tuple[dict[str, Tensor], int]:
    """Select the k largest, or all that are not zero if those are fewer; return them and their number."""
    if k < 1:
        raise RecipeError(f"k = {k} selects nothing; choose 1 or more entries.")
    total = sum(delta.numel() for delta in deltas.values())
    key, ties = _nth_key(deltas, min(k, total)) if total else (0, 0)
    if key == 0:  # the k-th largest entry is zero: take the smallest key that is not zero, and all that tie with it
        key, ties = 1, total
    selected = _take(deltas, key, ties)
    return selected, sum(positions.numel() for positions in selected.values())


def _nth_key(tensors: Mapping[str, Tensor | Difference], n: int) -> tuple[int, int]:
    """Return the n-th largest key of all tensors, and how many entries with that very key are among the n."""
    word = _word(tensors)
    key, wanted = 0, n
    for shift in word.shifts:
        counts = torch.zeros(2**DIGIT, dtype=torch.int64)
        for name, values in tensors.items():
            counts += _count_digits(name, values, word, shift, key)
        at_least = counts.flip(0).cumsum(0).flip(0)  # entries with this digit or a higher one
        digit = int((at_least >= wanted).sum()) - 1  # at_least descends: the highest digit that still reaches n
        wanted -= int(at_least[digit] - counts[digit])
        key = (key << DIGIT) | digit
    return key, wanted


def _count_digits(name: str, values: Tensor | Difference, word: Word, shift: int, known: int) -> Tensor:
    """Count, for the keys that begin with the ``known`` digits, each value of the digit that begins at ``shift``."""
    first = shift == word.shifts[0]
    counts = torch.zeros(2**DIGIT, dtype=torch.int64, device=values.device)
    for _, keys in _key_blocks(values, word):
        if not first:
            keys = keys[(keys >> (shift + DIGIT)) == known]
        counts += torch.bincount((keys >> shift) & (2**DIGIT - 1), minlength=2**DIGIT)
    if first and counts[word.infinity :].any():
        raise TrainingError(
            f"The update {name} holds values that are not finite (NaN or infinity), so no largest entries can be told. "
            "The training diverged: lower the learning rate and train again."
        )
    return counts.cpu()


def _take(tensors: Mapping[str, Tensor | Difference], key: int, ties: int) -> dict[str, Tensor]:
    """Return the positions of all entries above ``key``, and of the first ``ties`` entries equal to it."""
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
        raise TrainingError(f"The update {strange[0]} is complex; weights are real numbers. Give a real tensor.")
    return DOUBLE if any(values.dtype == torch.float64 for values in tensors.values()) else SINGLE


def _key_blocks(values: Tensor | Difference, word: Word) -> Iterator[tuple[int, Tensor]]:
    """Walk over the keys of a tensor in row-major order: (position of the first, keys of a block)."""
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
