"""The examples of each step and the seeds of random draws, both derived from the recipe, so that nothing is saved."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

import torch


def seed_for(*purpose: int | str) -> int:
    """Return a seed derived from the purpose of a random draw, e.g. ``seed_for(42, "dense", "order", 3)``."""
    return int.from_bytes(sha256("/".join(map(str, purpose)).encode()).digest()[:7], "big")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random numbers on the CPU from a seed inside the block, and continue as before after it; no GPU is touched.

    On ZeroGPU a GPU seems to be there outside of calls, but the state of its random numbers cannot be read.
    """
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
        yield


def batch_order(
    examples: int, batch_size: int, seed: int, phase: str, lengths: list[int] | None = None
) -> Callable[[int], list[int]]:
    """Return a function from an optimiser step to its example indices; each epoch is a new permutation.

    With ``lengths``, a batch contains examples of similar length, which saves padding.
    """
    return mixed_order([range(examples)], batch_size, seed, phase, lengths)


def mixed_order(
    groups: Sequence[range], batch_size: int, seed: int, phase: str, lengths: list[int] | None = None
) -> Callable[[int], list[int]]:
    """Return the order of ``batch_order`` for several groups of examples: a batch contains examples of one group.

    An epoch passes over every group once, with the batches of all groups in random order.
    """
    steps_per_epoch = batches_of(groups, batch_size)
    last: dict[int, list[list[int]]] = {}  # the batches of the most recent epoch

    def indices(step: int) -> list[int]:
        epoch, place = divmod(step, steps_per_epoch)
        if epoch not in last:
            last.clear()
            generator = torch.Generator().manual_seed(seed_for(seed, phase, "order", epoch))
            batches = []
            for group in groups:
                order = [group[i] for i in torch.randperm(len(group), generator=generator).tolist()]
                batches += _batches(order, batch_size, lengths, generator)
            last[epoch] = batches if len(groups) == 1 else _shuffled(batches, generator)
        return last[epoch][place]

    return indices


def batches_of(groups: Sequence[range], batch_size: int) -> int:
    """Return the number of batches of an epoch; the last batch of a group may be smaller than the others."""
    return sum(-(-len(group) // batch_size) for group in groups)


def _batches(order: list[int], size: int, lengths: list[int] | None, generator: torch.Generator) -> list[list[int]]:
    if lengths is not None:  # sort within chunks of 50 batches, as transformers' group_by_length does
        chunks = (order[start : start + 50 * size] for start in range(0, len(order), 50 * size))
        order = [i for chunk in chunks for i in sorted(chunk, key=lengths.__getitem__)]
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return batches if lengths is None else _shuffled(batches, generator)


def _shuffled(batches: list[list[int]], generator: torch.Generator) -> list[list[int]]:
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def cut(items: list, parts: int) -> Iterator[list]:
    """Split a batch into at most ``parts`` micro-batches of equal size; the last one may be smaller."""
    size = -(-len(items) // parts)
    return (items[start : start + size] for start in range(0, len(items), size))
