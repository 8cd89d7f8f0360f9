"""The head in an LT-SFT file: what kind of vector it makes, its classes, and its tensors."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from deftx.core.errors import VectorError
from deftx.vectors.lt_sft_contents import is_plain
from deftx.vectors.vector_files import check_parameter_name

# First part of the names of a head's parameters, and the kind of vector that has this head.
HEADS = {
    "lm_head": "language", "cls": "language", "predictions": "language", "lm_predictions": "language",
    "classifier": "task", "score": "task",
}  # fmt: skip
# Heads of other tasks, by the first part of their names.
OTHER_TASKS = {
    "qa_outputs": "question answering", "start_logits": "question answering", "biaffine": "dependency parsing",
    "seq_relationship": "next sentence prediction", "discriminator_predictions": "the detection of replaced words",
}  # fmt: skip
# The whole head of a token classifier; in every family, that of a text classifier has a layer before it.
TOKEN_CLASSIFIER = {"classifier.weight", "classifier.bias"}


def kind_of(head: dict[str, Any]) -> str:
    """Return "language" or "task". Raise VectorError for the head of another task, or two heads."""
    first_parts = dict.fromkeys(name.split(".")[0] for name in head)
    unknown = [part for part in first_parts if part not in HEADS]
    if unknown:
        task = OTHER_TASKS.get(unknown[0])
        raise VectorError(
            f"its head {unknown[0]!r} is {f'for {task}' if task else 'that of another task'}. Only vectors of language models "
            "and of text classification can be used"
        )
    if head and head.keys() <= TOKEN_CLASSIFIER and "classifier.weight" in head:
        raise VectorError(
            "its head is that of a token classifier, which labels single words (named entities, parts of speech). It cannot "
            "classify texts; use a vector of a text classification task"
        )
    kinds = {HEADS[part] for part in first_parts} or {"language"}
    if len(kinds) > 1:
        raise VectorError("it contains both the head of a language model and that of a classifier")
    return kinds.pop()


def labels_of(head: dict[str, Any], labels: Sequence[str] | None) -> list[str]:
    """Return the classes of a classification head: ``labels``, or by default "0", "1", ….

    Raises VectorError if the head is no classifier, or ``labels`` has another number of classes.
    """
    # The output layer is out_proj in XLM-R's head, else the only matrix.
    matrices = [tensor for tensor in head.values() if is_plain(tensor, dims=2)]
    outputs = [tensor for name, tensor in head.items() if name.endswith("out_proj.weight")] or matrices
    if len(outputs) != 1 or not is_plain(outputs[0], dims=2):
        raise VectorError("its classification head has no single output layer")
    rows = len(outputs[0])
    if rows < 2:
        raise VectorError(
            "its head has a single output, for a number or a choice, and no classes: it cannot classify texts"
        )
    if labels is not None and len(labels) != rows:
        raise VectorError(f"it has {rows} classes, but {len(labels)} labels were given")
    return [str(row) for row in range(rows)] if labels is None else list(labels)


def head_tensor(name: str, tensor: Any) -> Tensor:
    """Return a copy of a head's tensor in float32. Raise VectorError if it is no dense floating-point tensor."""
    check_parameter_name(name)
    if not is_plain(tensor):
        raise VectorError(f"the head's {name} is not a dense floating-point tensor")
    return tensor.detach().to(torch.float32, copy=True)
