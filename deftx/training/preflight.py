"""What would be refused, and why, before a training is started: settings, data, base, disk and memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.sizes import read_size
from deftx.training.base_facts import BaseFacts
from deftx.training.distributed import dealt_out
from deftx.training.estimates import Amount, Estimate, TextSize
from deftx.training.recipes import Recipe
from deftx.training.request import Refusal
from deftx.training.run_folder import refuse_if_full


@dataclass(frozen=True)
class Machine:
    """What a training may use: bytes of memory in all and free now, on the device that computes."""

    memory: int
    free_memory: int
    name: str = "this computer"

    @classmethod
    def of(cls, device: str) -> "Machine":
        """Measure this machine."""
        if torch.device(device).type == "cuda":
            free, total = torch.cuda.mem_get_info(device)
            return cls(total, free, "the GPU")
        memory = psutil.virtual_memory()
        return cls(memory.total, memory.available)


def check_size(recipe: Recipe, facts: BaseFacts) -> list[Refusal]:
    """Refuse a k that the base has not as many weights for."""
    try:
        recipe.count(facts.model.trainable)
    except RecipeError as error:
        return [Refusal("k", str(error))]
    return []


def check_processes(processes: int, recipe: Recipe, gpus: int) -> list[Refusal]:
    """Refuse more processes than the machine has GPUs, and a batch that so many cannot share evenly."""
    if processes > max(1, gpus):
        return [Refusal("processes", f"{processes} GPUs are asked for, and this machine has {gpus}. Choose fewer.")]
    try:
        dealt_out(recipe, processes)
    except RecipeError as error:
        return [Refusal("batch_size", str(error))]
    return []


def check_free_space(found: Estimate, folder: Path, machine: Machine) -> list[Refusal]:
    """Refuse what the disk of ``folder`` or the memory of the machine cannot hold."""
    refused = []
    try:
        refuse_if_full(folder, found.disk + found.vector)
    except TrainingError as error:
        refused.append(Refusal("disk", str(error)))
    if found.memory > machine.memory:
        refused.append(
            Refusal(
                "memory",
                f"The training needs about {read_size(found.memory)} of memory; {machine.name} has "
                f"{read_size(machine.memory)} in all. Choose a larger accumulation, a smaller batch_size or max_length, "
                "or a smaller base.",
            )
        )
    return refused


def notes(recipe: Recipe, facts: BaseFacts, size: Any, amount: Amount, found: Estimate, machine: Machine) -> list[str]:
    """Say what will be done differently from what was asked for, or is worth a thought, though nothing is refused."""
    said = []
    if isinstance(size, TextSize) and size.distinct < 2:
        said.append("The text has one distinct line: it would be trained and judged on the same text.")
    elif amount.examples < recipe.batch_size:
        said.append(
            f"There is less text than one batch holds ({amount.examples:,} of {recipe.batch_size:,} examples): "
            "every step reads all of it. More text will help more than any setting."
        )
    if recipe.max_length > facts.longest:
        said.append(f"This base reads at most {facts.longest:,} tokens at a time; max_length is cut to that.")
    if not facts.here:
        said.append("The weights of this base are not on this machine: they are fetched from the Hub when it starts.")
    if machine.free_memory < found.memory <= machine.memory:
        said.append(
            f"It needs about {read_size(found.memory)} of memory and {read_size(machine.free_memory)} are free now: "
            "end other programs before it starts."
        )
    return said
