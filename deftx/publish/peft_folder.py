"""A composed classifier as a folder of PEFT: Super-Tuning for matrices, whole modules for what it cannot hold.

Super-Tuning holds positions and values of linear layers, the same share of each layer: shorter lists are padded with
(position 0, value 0). It changes neither biases nor embeddings, so modules in which one of these changes are stored whole
(``modules_to_save``), as is the head.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.classify.classifier import Classifier, describe_tokenizer, refuse_own_class, refuse_unless_texts
from deftx.classify.composition import classifier_of, load_for
from deftx.core.files import expanded, folder_size, new_folder, require_empty, require_free_space
from deftx.core.names import base_name
from deftx.core.optional import optional_package
from deftx.models.bases import Base
from deftx.models.parameters import head_parameters, output_layer, sparse_trainable
from deftx.publish.peft_card import write_peft_card
from deftx.vectors.apply import Changes, Scaled, apply_changes
from deftx.vectors.merging import PAPER, merge
from deftx.vectors.vector_files import CARD

BASE = "base"  # the folder of a base that is not on the Hub
Entries = tuple[Tensor, Tensor]  # ascending flat positions, and their values
NO_LAYER = "dummy-target-modules"  # PEFT's name for no layer at all; it refuses an empty list
MOST = 0.5  # with a larger share of changed weights, positions and values take more space than the whole module


@dataclass(frozen=True)
class PeftParts:
    """What a PEFT folder holds: entries and their padding, and the modules that it stores whole, each with the reason."""

    sparse_modules: int
    entries: int
    padding: int
    whole: dict[str, str]
    size: int  # bytes of the adapter
    base: Path | None  # the folder of the base, if it was written


def write_peft(
    base: Base, vectors: Sequence[Scaled], folder: str | os.PathLike, method: str = PAPER,
    parameters: Mapping[str, float] | None = None,
) -> PeftParts:  # fmt: skip
    """Write a composed classifier as a folder that ``peft.PeftModel.from_pretrained`` loads on the base.

    Nothing is dropped: the logits are those of the composed classifier. A bundled base, or one from a folder, is written beside the adapter.

    Args:
        base: The base.
        vectors: The task vector first, then language vectors, each with its strength.
        folder: A new or empty folder.
        method: The merge method.
        parameters: Parameters of the merge method.

    Returns:
        What the folder holds.

    Raises:
        DeftxError: If PEFT is not installed, the folder is not empty, or a vector does not fit.
    """
    peft = optional_package("peft", "This export needs", "exports")
    folder = expanded(folder)
    require_empty(folder, "adapter")
    for place, (vector, _) in enumerate(vectors):
        load_for(base, vector, "language" if place else "task")
    changes, _ = merge(vectors, method, parameters)
    classifier = classifier_of(base, vectors[0][0])
    refuse_unless_texts(classifier, "an adapter")
    refuse_own_class(classifier, "an adapter")
    local = base.revision is None  # not from the Hub
    require_free_space(folder, (2 if local else 1) * classifier.size)
    sparse, whole = _split(classifier.model, changes)
    model, padding = _adapted(peft, classifier, changes, sparse, whole)
    model.peft_config["default"].base_model_name_or_path = base_name(base.name)
    with new_folder(folder) as fresh:
        model.save_pretrained(fresh, save_embedding_layers=False)  # they are whole modules; the default asks the Hub
        size = folder_size(fresh)
        base.tokenizer.save_pretrained(fresh)
        describe_tokenizer(fresh / "tokenizer_config.json", base.tokenizer, classifier.max_length)
        if local:
            base.model.save_pretrained(fresh / BASE)
        where = f"{folder.resolve().name}/{BASE}" if local else base_name(base.name)
        card = write_peft_card(folder.resolve().name, where, base.revision, vectors, classifier.max_length)
        (fresh / CARD).write_text(card, encoding="utf-8")
    entries = sum(len(positions) for positions, _ in sparse.values())
    return PeftParts(len(sparse), entries, padding, whole, size, folder / BASE if local else None)


def _adapted(
    peft: Any, classifier: Classifier, changes: Changes, sparse: Mapping[str, Entries], whole: Mapping[str, str]
) -> tuple[Any, int]:
    """Return the classifier as a model of PEFT, and the number of entries that only pad."""
    # PEFT copies the modules that it stores whole, so they have their final weights before it does.
    kept = {name: parts for name, parts in changes.items() if name.rpartition(".")[0] in whole}
    apply_changes(sparse_trainable(classifier.model), kept, {})
    _divide_logits(classifier.model, classifier.temperature)
    config = peft.SupertuningConfig(
        target_modules=sorted(sparse) or NO_LAYER, modules_to_save=sorted({*whole, *_head_modules(classifier.model)}),
        sparsity=_sparsity(classifier.model, sparse), task_type="SEQ_CLS", inference_mode=True,
    )  # fmt: skip
    model = peft.get_peft_model(classifier.model, config)
    return model, _fill(model.base_model.model, sparse)


@torch.no_grad()
def _divide_logits(model: PreTrainedModel, temperature: float) -> None:
    """Divide the weights of the last layer, and with them the logits, by the temperature of the task vector."""
    if temperature != 1:
        for name in output_layer(model):
            model.get_parameter(name).div_(temperature)


def _split(model: PreTrainedModel, changes: Changes) -> tuple[dict[str, Entries], dict[str, str]]:
    """Return positions and values by linear layer, and the other changed modules with the reason why they are whole."""
    changed = [name for name, parts in changes.items() if any(len(positions) for positions, _ in parts)]
    whole: dict[str, str] = {}
    for name in changed:
        module, _, parameter = name.rpartition(".")
        if reason := _reason(model.get_submodule(module), parameter, sum(len(part[0]) for part in changes[name])):
            whole[module] = reason
    sparse = {}
    for name in changed:
        module = name.rpartition(".")[0]
        if module not in whole:
            positions, values = (torch.cat(parts) for parts in zip(*changes[name], strict=True))
            order = positions.argsort()
            sparse[module] = positions[order], values[order]
    return sparse, whole


def _reason(module: nn.Module, parameter: str, entries: int) -> str | None:
    if isinstance(module, nn.Embedding):
        return "embeddings"
    if not isinstance(module, nn.Linear):
        return "not a linear layer"
    if parameter != "weight":
        return f"its {parameter} changes"
    return "more than half of it changes" if entries > MOST * module.weight.numel() else None


def _head_modules(model: PreTrainedModel) -> set[str]:
    """Return the modules of the head: those beside the encoder as they are, those inside of it by their own names."""
    inside = f"{model.base_model_prefix}."
    return {
        name.rpartition(".")[0] if name.startswith(inside) else name.split(".")[0] for name in head_parameters(model)
    }


def _sparsity(model: PreTrainedModel, sparse: Mapping[str, Entries]) -> float:
    """Return the sparsity at which each layer has room for its entries; PEFT rounds the number of entries down."""
    sizes = {module: model.get_submodule(module).get_parameter("weight").numel() for module in sparse}
    share = max((len(positions) / sizes[module] for module, (positions, _) in sparse.items()), default=0.01)
    share = max([share, *(1 / size for size in sizes.values())])  # PEFT refuses a layer without an entry
    return 1 - share * (1 + 1e-9)


@torch.no_grad()
def _fill(model: nn.Module, sparse: Mapping[str, Entries]) -> int:
    """Write positions and values into PEFT's layers; return the number of entries that only pad."""
    padding = 0
    for module, (positions, values) in sparse.items():
        layer: Any = model.get_submodule(module)  # PEFT's, whose parts are dictionaries by adapter
        places, numbers = layer.supertuning_indices["default"], layer.supertuning_values["default"]
        padding += len(places) - len(positions)
        places.zero_()
        numbers.zero_()
        places[: len(positions)] = positions.to(places.dtype)
        numbers[: len(positions)] = values
    return padding
