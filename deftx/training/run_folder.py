"""The folder of a run: whose it is, on what kind of machine it began, and whether the disk holds what will be in it."""

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

VALUE, CHECKPOINT, POSITION = 4, 12, 8  # bytes an entry: float32; the same with AdamW's two averages; int64
PHASE = 2 * CHECKPOINT + VALUE  # the old checkpoint and the new one, and the best values
NOT_RETRAINED = ("dense-delta", "no-retrain")  # the ablations without a sparse phase


def claim_folder(folder: Path, settings: dict, listener: Listener) -> None:
    """Note what is trained here and on what, or make sure that an unfinished run in this folder is the same one.

    Raises:
        RecipeError: it has other settings; the message names them.
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


def refuse_other(folder: Path, what: str, there: dict, here: dict) -> None:
    """Raise RecipeError, naming the settings, where those of what is there are not those of this run."""
    if differ := _differences(there, json.loads(json.dumps(here))):
        raise RecipeError(f"{folder} holds the {what} with other settings ({differ}). Choose another folder.")


def machine_settings() -> dict[str, Any]:
    """Return what the rounding of a training depends on, beside its own settings."""
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "threads": torch.get_num_threads(),
        "processes": distributed.count(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def bytes_needed(trainable: int, head: int, recipe: Recipe) -> int:
    """Return the bytes that a run's folder holds at its fullest, δ included, from the numbers of weights in M and in the head.

    A checkpoint is 12 bytes an entry, and while it is replaced the old one is there as well; the best values are 4, and
    so is δ. In XLM-R base, all of M and the head: 3.3 GB twice, and 1.1 GB. When δ is written, the rest goes.
    """
    return max(PHASE * (trainable + head), VALUE * (trainable + head) + _sparse_size(trainable, head, recipe))


def check_disk(trainable: int, head: int, recipe: Recipe, folder: Path, delta: Path, dense_is_done: bool) -> None:
    """Make sure that the disk has room for the checkpoints in ``folder`` and for the file ``delta``.

    Raises:
        TrainingError: it has not; the message says how much is needed and how much there is.
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
    """Raise TrainingError where the disk of ``folder`` has fewer bytes free than are needed."""
    free = free_space(folder)
    if needed > free:
        raise TrainingError(
            f"The training needs {read_size(needed)} of disk space in {folder} for its checkpoints; {read_size(free)} are "
            "free. Free some space, choose a folder on another disk, or a smaller base."
        )


def _differences(there: dict, here: dict) -> str:
    differ = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    return "; ".join(f"{key}: {there.get(key)} there, {here.get(key)} now" for key in differ[:3])


def _warn_of_another(there: dict, here: dict, listener: Listener) -> None:
    if differ := _differences(there, here):
        message = f"This training began in other circumstances ({differ}): another vector may come of it, whose mask differs too."
        listener.on_event(Event("tokenise", message=message, warning=True))
