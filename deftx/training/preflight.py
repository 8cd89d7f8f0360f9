"""Checks before a training run starts: settings, data, base, disk and memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import torch

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.sizes import read_size
from deftx.training.base_facts import BaseFacts
from deftx.training.data_size import Amount, TableSize, TextSize
from deftx.training.distributed import for_processes
from deftx.training.estimates import Estimate
from deftx.training.recipes import Recipe
from deftx.training.request import Refusal
from deftx.training.run_folder import refuse_if_full

# Kinds of note, with the names of the values that each has. The page has a sentence for each kind.
NOTES: Mapping[str, tuple[str, ...]] = {
    "one_line": (),
    "few_lines": ("lines",),
    "few_rows": ("rows",),
    "longest": ("longest",),
    "download": (),
    "memory": ("needed", "free"),
    "trimmed": ("kept_pieces", "whole_pieces", "kept_memory", "whole_memory"),
    "gpus": ("count",),
}


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


@dataclass(frozen=True)
class Note:
    """A remark of a kind of NOTES, with its values."""

    kind: str
    values: Mapping[str, str | int] = field(default_factory=dict)


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


def notes(
    recipe: Recipe, facts: BaseFacts, size: TextSize | TableSize, amount: Amount, found: Estimate, machine: Machine
) -> list[Note]:
    """Return remarks that do not prevent a start, for example on settings that will be changed."""
    remarks = []
    little = amount.examples < recipe.batch_size  # less than one batch
    if isinstance(size, TextSize) and size.distinct < 2:
        remarks.append(Note("one_line"))
    elif little and isinstance(size, TextSize):
        remarks.append(Note("few_lines", {"lines": size.lines}))
    elif little:
        remarks.append(Note("few_rows", {"rows": amount.examples}))
    if recipe.max_length > facts.longest:
        remarks.append(Note("longest", {"longest": facts.longest}))
    if not facts.here:
        remarks.append(Note("download"))
    if machine.free_memory < found.memory <= machine.memory:
        remarks.append(Note("memory", {"needed": read_size(found.memory), "free": read_size(machine.free_memory)}))
    return remarks


def trim_note(recipe: Recipe, whole: BaseFacts, trimmed: BaseFacts) -> Note:
    """Return what trimming the base to the text saves."""
    sizes = {"kept": trimmed.model, "whole": whole.model}
    pieces = {f"{name}_pieces": model.rows for name, model in sizes.items()}
    memory = {f"{name}_memory": read_size(model.memory(recipe)) for name, model in sizes.items()}
    return Note("trimmed", {**pieces, **memory})
