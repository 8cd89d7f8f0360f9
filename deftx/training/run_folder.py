"""The folder of a training run: its settings, the machine it started on, and the disk space that it needs."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers

from deftx.core.errors import RecipeError, TrainingError
from deftx.core.events import Event, Listener
from deftx.core.files import free_space, write_json
from deftx.core.sizes import read_size
from deftx.training import distributed
from deftx.training.recipes import Recipe

VALUE, CHECKPOINT, POSITION = 4, 12, 8  # bytes per entry: float32; float32 with AdamW's two moments; int64
PHASE = 2 * CHECKPOINT + VALUE  # the old checkpoint, the new one, and the best values
NOT_RETRAINED = ("dense-delta", "no-retrain")  # the ablations without a sparse phase


def claim_folder(folder: Path, settings: dict, listener: Listener) -> None:
    """Write the settings and the machine of a run, or check that an unfinished run in this folder has the same settings.

    Raises:
        RecipeError: If it has other settings; the message names them.
    """
    settings, machine = json.loads(json.dumps(settings)), machine_settings()
    note, about = folder / "settings.json", folder / "machine.json"
    if note.is_file():
        refuse_other(folder, "unfinished training", json.loads(note.read_text(encoding="utf-8")), settings)
    if about.is_file():
        _warn_of_another(json.loads(about.read_text(encoding="utf-8")), machine, listener)
    if distributed.is_main():
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in ((about, machine), (note, settings)):
            if not path.is_file():
                write_json(path, content)


def refuse_other(folder: Path, what: str, before: dict, now: dict) -> None:
    """Raise RecipeError, naming the differences, if the settings in the folder are not those of this run."""
    if differ := _differences(before, json.loads(json.dumps(now))):
        raise RecipeError(f"{folder} contains the {what} with other settings ({differ}). Choose another folder.")


def machine_settings() -> dict[str, Any]:
    """Return the facts about this machine that rounding depends on."""
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
        "processes": distributed.count(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def bytes_needed(trainable: int, head: int, recipe: Recipe) -> int:
    """Return the largest size of a run's folder in bytes, δ included, given the number of weights in M and in the head.

    A checkpoint needs 12 bytes per entry, and the old one exists while it is replaced; the best values and δ need 4 bytes
    per entry each. For XLM-R base, with all of M and the head, that is twice 3.3 GB, and 1.1 GB.
    """
    return max(PHASE * (trainable + head), VALUE * (trainable + head) + _sparse_size(trainable, head, recipe))


def check_disk(trainable: int, head: int, recipe: Recipe, folder: Path, delta: Path, dense_is_done: bool) -> None:
    """Check that the disk has space for the checkpoints in ``folder`` and for the file ``delta``.

    Raises:
        TrainingError: If it has not; the message says how much is needed and how much is free.
    """
    present = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f != delta) if folder.is_dir() else 0
    needed = (_sparse_size if dense_is_done else bytes_needed)(trainable, head, recipe)
    refuse_if_full(folder, needed - present)
    if not dense_is_done:
        refuse_if_full(delta.parent, VALUE * (trainable + head))


def _sparse_size(trainable: int, head: int, recipe: Recipe) -> int:
    if recipe.ablate in NOT_RETRAINED:
        return 0
    k = recipe.count(trainable)
    return POSITION * k + PHASE * (k + head)


def refuse_if_full(folder: Path, needed: int) -> None:
    """Raise TrainingError if the disk of ``folder`` has less free space than ``needed`` bytes."""
    free = free_space(folder)
    if needed > free:
        raise TrainingError(
            f"The training needs {read_size(needed)} of disk space in {folder} for its checkpoints, but only "
            f"{read_size(free)} are free. Free some space, or choose a folder on another disk or a smaller base."
        )


def _differences(before: dict, now: dict) -> str:
    # A setting that ``before`` lacks did not exist in that version, which is the same as one that is off.
    differ = [key for key in {**before, **now} if before.get(key) != now.get(key) and (key in before or now[key])]
    return "; ".join(f"{key}: {before.get(key)} before, {now.get(key)} now" for key in differ[:3])


def _warn_of_another(before: dict, now: dict, listener: Listener) -> None:
    if differ := _differences(before, now):
        message = f"This training run was started with other versions or hardware ({differ}); because of rounding, the vector and its mask may differ."
        listener.on_event(Event("tokenise", message=message, warning=True))
