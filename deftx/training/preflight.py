"""Checks before a training run starts: settings, data, base, disk and memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.sizes import read_size
from deftx.training.base_facts import BaseFacts
from deftx.training.distributed import for_processes
from deftx.training.estimates import Amount, Estimate, TextSize
from deftx.training.recipes import Recipe
from deftx.training.request import Refusal
from deftx.training.run_folder import refuse_if_full


@dataclass(frozen=True)
class Machine:
    """The memory of the device that trains, in bytes: in total, and free now."""

    memory: int
    free_memory: int
    name: str = "this computer"

    @classmethod
    def of(cls, device: str) -> "Machine":
        """Return the memory of a device of this machine."""
        if torch.device(device).type == "cuda":
            free, total = torch.cuda.mem_get_info(device)
            return cls(total, free, "the GPU")
        memory = psutil.virtual_memory()
        return cls(memory.total, memory.available)


def check_size(recipe: Recipe, facts: BaseFacts) -> list[Refusal]:
    """Return a refusal if k is larger than the number of the base's weights."""
    try:
        recipe.count(facts.model.trainable)
    except RecipeError as error:
        return [Refusal("k", str(error))]
    return []


def check_processes(processes: int, recipe: Recipe, gpus: int) -> list[Refusal]:
    """Return a refusal if there are more processes than GPUs, or a batch cannot be split evenly among them."""
    if processes > max(1, gpus):
        return [Refusal("processes", f"{processes} GPUs are requested, but this machine has {gpus}. Choose fewer.")]
    try:
        for_processes(recipe, processes)
    except RecipeError as error:
        return [Refusal("batch_size", str(error))]
    return []


def check_free_space(found: Estimate, folder: Path, machine: Machine) -> list[Refusal]:
    """Return a refusal if the disk of ``folder`` or the memory of the machine is too small."""
    refused = []
    try:
        refuse_if_full(folder, found.disk + found.vector)
    except TrainingError as error:
        refused.append(Refusal("disk", str(error)))
    if found.memory > machine.memory:
        refused.append(
            Refusal(
                "memory",
                f"The training needs about {read_size(found.memory)} of memory, but {machine.name} has only "
                f"{read_size(machine.memory)}. Choose a larger accumulation, a smaller batch_size or max_length, "
                "or a smaller base.",
            )
        )
    return refused


def notes(recipe: Recipe, facts: BaseFacts, size: Any, amount: Amount, found: Estimate, machine: Machine) -> list[str]:
    """Return remarks that do not prevent a start, for example on settings that will be changed."""
    remarks = []
    if isinstance(size, TextSize) and size.distinct < 2:
        remarks.append("The text has one distinct line: training and evaluation would use the same text.")
    elif amount.examples < recipe.batch_size:
        remarks.append(
            f"There is less text than one batch ({amount.examples:,} of {recipe.batch_size:,} examples): every step uses "
            "all of it. More text will help more than any setting."
        )
    if recipe.max_length > facts.longest:
        remarks.append(f"This base reads at most {facts.longest:,} tokens at a time; max_length is reduced to that.")
    if not facts.here:
        remarks.append(
            "The weights of this base are not on this machine; they are downloaded from the Hub at the start."
        )
    if machine.free_memory < found.memory <= machine.memory:
        remarks.append(
            f"The training needs about {read_size(found.memory)} of memory, and {read_size(machine.free_memory)} are free "
            "now. Close other programs before it starts."
        )
    return remarks


def trim_note(recipe: Recipe, whole: BaseFacts, trimmed: BaseFacts) -> str:
    """Return what trimming the base to the text saves."""
    pieces = [facts.model.rows for facts in (trimmed, whole)]
    millions = [facts.model.encoder / 1e6 for facts in (trimmed, whole)]
    memory = [read_size(facts.model.memory(recipe)) for facts in (trimmed, whole)]
    return (
        f"The base is trimmed to the text: {pieces[0]:,} of {pieces[1]:,} pieces, {millions[0]:.0f} of {millions[1]:.0f} million "
        f"weights, about {memory[0]} of memory instead of {memory[1]}. The vector fits the whole base."
    )
