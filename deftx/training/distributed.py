"""Distributed training: several processes train one model, each on its part of every batch (``accelerate launch``).

Each process has the whole model. All processes follow the same steps of Algorithm 1, so conditions that only one may see (a
stop request, a file, a score) are synchronised first. With a single process, these functions do nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import lcm
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from deftx.core.errors import PeerLost, RecipeError
from deftx.core.events import Event, Listener, OnEvent, ignore
from deftx.training.recipes import Recipe

R = TypeVar("R", bound=Recipe)

# The other processes wait while the main one decomposes and writes; the launcher notices if it ends.
LONGEST_WAIT = timedelta(hours=6)

_apart = False  # whether the processes currently run one after the other


def join(device: torch.device) -> None:
    """Join the process group, if the launcher started several processes. ``device`` is that of this process."""
    if _are_several():
        from accelerate import PartialState  # only needed for several processes

        PartialState(cpu=device.type == "cpu", timeout=LONGEST_WAIT)


def own_device(device: str | None) -> str:
    """Return the device of this process: by default a GPU if there is one; of several processes, each gets its own GPU.

    Raises:
        RecipeError: If there are more processes than GPUs.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device != "cuda" or not _are_several():
        return device
    place = int(os.environ.get("LOCAL_RANK", 0))
    if place >= (gpus := torch.cuda.device_count()):
        raise RecipeError(
            f"Process {place + 1} has no GPU: this machine has {gpus}. Start at most as many processes as GPUs."
        )
    return f"cuda:{place}"


def count() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def index() -> int:
    """Return the rank of this process, from 0, also before ``join``."""
    if dist.is_initialized():
        return dist.get_rank()
    return int(os.environ.get("RANK", 0)) if _are_several() else 0


def is_main() -> bool:
    """Return whether this is the main process, which writes files and sends events."""
    return index() == 0


def wait() -> None:
    """Wait until every process has reached this point."""
    if count() > 1:
        with _together():
            dist.barrier()


def any_of(flag: bool) -> bool:
    """Return whether the flag is true in any process; within ``main_first``, only in this one."""
    if count() == 1 or _apart:
        return flag
    raised = torch.tensor(int(flag), device=_device())
    with _together():
        dist.all_reduce(raised, dist.ReduceOp.MAX)
        return bool(raised)


def from_main(number: float) -> float:
    """Return the main process's value in every process."""
    if count() == 1:
        return number
    shared = torch.tensor(number, dtype=torch.float64, device=_device())
    with _together():
        dist.broadcast(shared, 0)
        return float(shared)


def sum_up(tensors: Iterable[Tensor]) -> None:
    """Sum tensors over all processes, in place."""
    if count() > 1:
        with _together():
            for tensor in tensors:
                dist.all_reduce(tensor)


@contextmanager
def main_first() -> Iterator[None]:
    """Run the context in the main process first, then in the others."""
    global _apart
    if not is_main():
        wait()
    _apart = True  # no synchronisation meanwhile
    try:
        yield
    finally:
        _apart = False
    if is_main():
        wait()


def listener_for(on_event: OnEvent | None, should_stop: Callable[[], bool]) -> Listener:
    """Return the listener of this process: only the main process sends events; a stop in any process stops all."""
    return Listener((on_event or ignore) if is_main() else ignore, lambda: any_of(should_stop()))


def share(recipe: R, listener: Listener) -> R:
    """Raise the number of micro-batches so that all processes get the same number, and report it to the listener.

    Raises:
        RecipeError: If a batch cannot be split into so many equal parts.
    """
    shared = for_processes(recipe, count())
    if shared != recipe:
        message = (
            f"accumulation is {shared.accumulation}, so that each of the {count()} processes gets an equal part of every "
            "batch."
        )
        listener.on_event(Event("tokenise", message=message))
    return shared


def for_processes(recipe: R, processes: int) -> R:
    """Return the recipe with a number of micro-batches that is divisible by ``processes``. Raise RecipeError as ``share``."""
    parts = lcm(recipe.accumulation, processes)
    if parts == recipe.accumulation:
        return recipe
    if recipe.batch_size % parts:
        raise RecipeError(
            f"A batch_size of {recipe.batch_size} cannot be split into {parts} equal parts for {processes} processes. "
            f"Choose a multiple of {parts}."
        )
    return recipe.changed({"accumulation": parts})


def _are_several() -> bool:
    return int(os.environ.get("WORLD_SIZE", 1)) > 1  # set by the launcher


@contextmanager
def _together() -> Iterator[None]:
    # gloo and NCCL raise RuntimeError if another process has ended. GPU errors are also RuntimeErrors, but not meant here.
    try:
        yield
    except (torch.OutOfMemoryError, torch.AcceleratorError):
        raise
    except RuntimeError as error:
        raise PeerLost(
            "Another process of this training run has ended, and this one cannot continue alone. Saved work is kept: the "
            "same training run continues from its last checkpoint."
        ) from error


def _device() -> torch.device:
    from accelerate import PartialState

    state: Any = PartialState()  # its attributes have no types
    return torch.device("cpu" if dist.get_backend() == "gloo" else state.device)
