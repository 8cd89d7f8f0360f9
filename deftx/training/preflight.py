"""Checks before a training run starts: settings, data, base, disk and memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from deftx.core.errors import DeftxError, RecipeError, TrainingError, unknown_name
from deftx.core.sizes import read_size
from deftx.training.base_facts import BaseFacts
from deftx.training.distributed import for_processes
from deftx.training.estimates import Amount, Estimate, TextSize
from deftx.training.recipes import PRESETS, Recipe, recipe_for
from deftx.training.run_folder import refuse_if_full


@dataclass(frozen=True)
class Refusal:
    """A reason not to start: the setting or field to change, and a message."""

    field: str
    reason: str


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


class SettingsRefused(DeftxError):
    """Settings that cannot be used, each with a reason."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__(" ".join(refusal.reason for refusal in refusals))
        self.refusals = refusals


def check_settings(kind: str, preset: str, settings: Mapping[str, Any], pairs: bool = False) -> Recipe:
    """Return the recipe. Raise SettingsRefused with every invalid setting, or with "settings" if only their combination is."""
    if preset not in PRESETS:
        raise SettingsRefused([Refusal("preset", str(unknown_name("The preset", preset, PRESETS)))])
    try:
        return recipe_for(kind, preset, pairs=pairs).changed(dict(settings))
    except RecipeError as error:
        alone = [_alone(kind, preset, name, value, pairs) for name, value in settings.items()]
        raise SettingsRefused([one for one in alone if one] or [Refusal("settings", str(error))]) from error


def _alone(kind: str, preset: str, name: str, value: Any, pairs: bool) -> Refusal | None:
    try:
        recipe_for(kind, preset, pairs=pairs).changed({name: value})
    except RecipeError as error:
        return Refusal(name, str(error))
    return None


def check_size(recipe: Recipe, facts: BaseFacts) -> list[Refusal]:
    """Return a refusal if k is larger than the number of the base's weights."""
    try:
        recipe.count(facts.model.trainable)
    except RecipeError as error:
        return [Refusal("k", str(error))]
    return []


def check_processes(processes: Any, recipe: Recipe, gpus: int) -> list[Refusal]:
    """Return a refusal if there are more processes than GPUs, or a batch cannot be split evenly among them."""
    if isinstance(processes, bool) or not isinstance(processes, int) or processes < 1:
        return [Refusal("processes", f"{processes!r} is not a number of GPUs; expected an integer, 1 or more.")]
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
