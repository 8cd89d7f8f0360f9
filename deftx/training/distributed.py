"""Several processes that train one model together, each on its share of every batch (``accelerate launch``).

Each holds the whole model. They take the same path through Algorithm 1 step by step, so whatever one of them may learn
on its own (a stop, a file, a score) is agreed upon before any acts on it. With one process nothing here does anything.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import lcm

import torch
import torch.distributed as dist
from torch import Tensor

from deftx.core.errors import PeerLost, RecipeError
from deftx.core.events import Event, Listener, OnEvent, ignore
from deftx.training.recipes import Recipe

# One process waits while the main one decomposes and writes; whether that lives is the launcher's to know.
LONGEST_WAIT = timedelta(hours=6)

_apart = False  # whether the processes go through a part of the way one after the other


def join(device: torch.device) -> None:
    """Meet the other processes that the launcher started, if any; ``device`` is the one that this process uses."""
    if _are_several():
        from accelerate import PartialState  # one process does without it

        PartialState(cpu=device.type == "cpu", timeout=LONGEST_WAIT)


def own_device(device: str | None) -> str | None:
    """Return the device of this process where the setting names the kind alone: of several, each has a GPU of its own.

    Raises:
        RecipeError: there are more processes than GPUs.
    """
    if device != "cuda" or not _are_several():
        return device
    place = int(os.environ.get("LOCAL_RANK", 0))
    if place >= (gpus := torch.cuda.device_count()):
        raise RecipeError(f"Process {place + 1} has no GPU: this machine has {gpus}. Start as many processes as GPUs.")
    return f"cuda:{place}"


def count() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def index() -> int:
    """Return the place of this process among them, from 0; known before they have met."""
    if dist.is_initialized():
        return dist.get_rank()
    return int(os.environ.get("RANK", 0)) if _are_several() else 0


def is_main() -> bool:
    """Say whether this is the process that writes files and speaks."""
    return index() == 0


def wait() -> None:
    """Go on only when every process has come this far."""
    if count() > 1:
        with _together():
            dist.barrier()


def any_of(flag: bool) -> bool:
    """Say, in every process, whether the flag is up in any of them; within ``main_first``, only in this one."""
    if count() == 1 or _apart:
        return flag
    raised = torch.tensor(int(flag), device=_device())
    with _together():
        dist.all_reduce(raised, dist.ReduceOp.MAX)
        return bool(raised)


def from_main(number: float) -> float:
    """Return the main process's number in every process."""
    if count() == 1:
        return number
    shared = torch.tensor(number, dtype=torch.float64, device=_device())
    with _together():
        dist.broadcast(shared, 0)
        return float(shared)


def sum_up(tensors: Iterable[Tensor]) -> None:
    """Replace tensors, in place, by their sums over all processes."""
    if count() > 1:
        with _together():
            for tensor in tensors:
                dist.all_reduce(tensor)


@contextmanager
def main_first() -> Iterator[None]:
    """Let the main process through, and the others when it has come out."""
    global _apart
    if not is_main():
        wait()
    _apart = True  # the others are not there to be asked
    try:
        yield
    finally:
        _apart = False
    if is_main():
        wait()


def listener_for(on_event: OnEvent | None, should_stop: Callable[[], bool]) -> Listener:
    """Return the listener of this process: only the main one is heard, and a stop that one is asked for is for all."""
    return Listener((on_event or ignore) if is_main() else ignore, lambda: any_of(should_stop()))


def share(recipe: Recipe, listener: Listener) -> Recipe:
    """Cut the batches of a recipe into as many micro-batches as can be dealt out evenly, saying so.

    Raises:
        RecipeError: a batch cannot be cut into so many equal parts.
    """
    dealt = dealt_out(recipe, count())
    if dealt != recipe:
        message = (
            f"accumulation is {dealt.accumulation}, so that each of the {count()} processes gets an equal part of every "
            "batch."
        )
        listener.on_event(Event("tokenise", message=message))
    return dealt


def dealt_out(recipe: Recipe, processes: int) -> Recipe:
    """Return the recipe with as many micro-batches as so many processes can share evenly; RecipeError as ``share``."""
    parts = lcm(recipe.accumulation, processes)
    if parts == recipe.accumulation:
        return recipe
    if recipe.batch_size % parts:
        raise RecipeError(
            f"A batch_size of {recipe.batch_size} cannot be cut into {parts} equal parts for {processes} processes. "
            f"Choose a multiple of {parts}."
        )
    return recipe.changed({"accumulation": parts})


def _are_several() -> bool:
    return int(os.environ.get("WORLD_SIZE", 1)) > 1  # as the launcher says


@contextmanager
def _together() -> Iterator[None]:
    # gloo and NCCL say it in words of their own, all of them RuntimeErrors; what a GPU reports late is not among them.
    try:
        yield
    except (torch.OutOfMemoryError, torch.AcceleratorError):
        raise
    except RuntimeError as error:
        raise PeerLost(
            "Another of the processes that train together has ended, and this one cannot go on alone. What is saved is "
            "kept: the same training goes on from its last checkpoint."
        ) from error


def _device() -> torch.device:
    from accelerate import PartialState

    return torch.device("cpu" if dist.get_backend() == "gloo" else PartialState().device)
