"""Training a task vector further: its entries and its head, on more labelled rows; no other entries are selected.

Few rows cannot say which weights a task needs, but they can correct those that a vector from many rows has.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.core.errors import VectorError
from deftx.core.events import Listener
from deftx.models.parameters import head_parameters, sparse_trainable
from deftx.training import distributed
from deftx.training.learned import MASK_FILE, Continued, Learned, Learner, write_mask
from deftx.training.pipeline import course, sparse_phase
from deftx.training.recipes import METHODS, Recipe, TaskRecipe
from deftx.training.run_folder import NOT_RETRAINED, check_disk, claim_folder
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

# What the vector brings from the training run that selected its entries.
SELECTION = ("method", "rank", "keep", "ablate", "k")


def begin_with(vector: SparseVector, model: PreTrainedModel) -> Continued:
    """Add a task vector to a model and give it the vector's head.

    Raises:
        VectorError: If the head does not fit the model.
    """
    head = head_parameters(model)
    if {n: tuple(p.shape) for n, p in head.items()} != {n: tuple(t.shape) for n, t in vector.head.items()}:
        raise VectorError(f"The head of task vector {vector.name} does not fit this base.")
    with torch.no_grad():
        for name, parameter in head.items():
            parameter.copy_(vector.head[name])
    saved = apply_vectors(sparse_trainable(model), [(vector, 1.0)])
    return Continued(vector, {name: parts[0][1] for name, parts in saved.items() if parts})


def train_further(learner: Learner, continued: Continued, recipe: Recipe, folder: Path, listener: Listener) -> Learned:
    """Train the entries and the head of a vector from its values; ``learned`` has them without what it was added to."""
    vector = continued.vector
    device = next(iter(learner.trainable.values())).device
    trainable, head = (sum(p.numel() for p in part.values()) for part in (learner.trainable, learner.head))
    distributed.wait()
    with distributed.main_first():
        check_disk(trainable, head, recipe, folder, folder, dense_is_done=True)
        claim_folder(folder, {**learner.identity, **recipe.to_dict()}, listener)
    # A vector that was imported may list parameters in which it has no entry.
    positions = {name: found.to(device) for name in learner.trainable
                 if (found := vector.positions.get(name)) is not None and len(found)}  # fmt: skip
    spectra = {name: vector.info.get(name) or {} for name in ("singular_values", "spectrum_shapes")}
    ranks = (vector.info.get("rank") or {}).get("ranks") or {}
    learned = Learned(positions, {}, {}, vector.info.get("filled") or 0, ranks, **spectra)
    if distributed.is_main() and not (folder / MASK_FILE).is_file():
        write_mask(folder / MASK_FILE, learned)  # it says that the sparse phase comes next (``position_of``)
    progress = sparse_phase(learner, recipe, folder, learned, listener)
    learned.history["sparse"] = course(progress)
    learned.values = _without(learner.trainable, positions, continued.before)
    learned.head = {name: parameter.detach().clone() for name, parameter in learner.head.items()}
    return learned


def with_selection_of(vector: SparseVector, recipe: TaskRecipe) -> TaskRecipe:
    """Return the recipe with the settings by which the entries of a vector were selected.

    A vector that was imported does not say them all; nothing was denoised here for it. These entries are trained again,
    so an ablation that leaves this out does not hold for the result.
    """
    known = vector.info.get("method")
    own: Mapping[str, Any] = vector.info.get("recipe") or {"method": known if known in METHODS else "lt-sft"}
    chosen = {name: own[name] for name in SELECTION if name in own}
    if "k" not in own or own.get("ablate") in NOT_RETRAINED:
        chosen |= {"ablate": None, "k": max(vector.count, 2)}  # up to 1, k is a share
    return recipe.changed(chosen)


def _without(
    trainable: Mapping[str, nn.Parameter], positions: Mapping[str, Tensor], before: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    return {name: trainable[name].detach().view(-1)[chosen] - before[name] for name, chosen in positions.items()}
