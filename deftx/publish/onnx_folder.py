"""A composed classifier as ONNX: a folder with the graph, the tokenizer and the configuration, for onnxruntime."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from deftx.classify.classifier import Classifier, describe_tokenizer, refuse_unless_texts
from deftx.core.errors import DeftxError
from deftx.core.files import expanded, new_folder, require_empty, require_free_space
from deftx.core.optional import optional_package
from deftx.models.batches import Text, by_length, encode, pad, pad_id
from deftx.vectors.card_markup import CITATION, TAGS, code, front_matter
from deftx.vectors.vector_files import CARD

GRAPH, QUANTISED = "onnx/model.onnx", "onnx/model_quantized.onnx"
PROBES = ("a short text", "a text that is a little longer than the other text, with numbers: 1 2 3", "?")
CLOSE = 1e-3  # a larger difference of a probability means that the graph computes something else
NEEDS, EXTRA = "This export needs", "exports"


@dataclass(frozen=True)
class OnnxParts:
    """The files of an ONNX folder with their sizes in bytes, and how far probabilities are from those of the classifier."""

    sizes: dict[str, int]
    difference: float


class _Logits(nn.Module):
    """A classifier as a function of tensors, without the rest that transformers returns."""

    def __init__(self, model: PreTrainedModel, names: Sequence[str], temperature: float) -> None:
        super().__init__()
        self.model, self.names, self.temperature = model, tuple(names), temperature

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the logits (texts, labels), divided by the temperature."""
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits / self.temperature


def write_onnx(classifier: Classifier, folder: str | os.PathLike, *, int8: bool = False) -> OnnxParts:
    """Write a classifier as a folder with ``onnx/model.onnx``, whose numbers of texts and of tokens are free.

    The graph is run by onnxruntime and compared with the classifier before the folder is there.

    Args:
        classifier: The classifier.
        folder: A new or empty folder.
        int8: Also write ``onnx/model_quantized.onnx``, with weights in 8 bits (dynamic quantisation).

    Returns:
        The files, and the largest difference of a probability.

    Raises:
        DeftxError: If a package is missing, the folder is not empty, or the graph gives other probabilities.
        VectorError: If the task does not classify texts.
    """
    refuse_unless_texts(classifier, "a graph of ONNX")
    for package in ("onnxscript", "onnxruntime"):
        optional_package(package, NEEDS, EXTRA)
    folder = expanded(folder)
    require_empty(folder, "ONNX model")
    require_free_space(folder, 2 * classifier.size)
    with new_folder(folder) as fresh:
        (fresh / GRAPH).parent.mkdir()
        _export(classifier, fresh / GRAPH)
        found = onnx_probabilities(fresh / GRAPH, classifier, PROBES)
        difference = float((found - classifier.classify(PROBES)).abs().max())
        if not difference < CLOSE:
            raise DeftxError(
                f"The exported graph gives other probabilities (by {difference:.3g}): nothing was written."
            )
        if int8:
            _quantise(fresh / GRAPH, fresh / QUANTISED)
        classifier.model.config.save_pretrained(fresh)
        classifier.base.tokenizer.save_pretrained(fresh)
        describe_tokenizer(fresh / "tokenizer_config.json", classifier.base.tokenizer, classifier.max_length)
        (fresh / CARD).write_text(_card(folder.resolve().name, classifier), encoding="utf-8")
        # A graph of more than 2 GB has its weights in a file beside it.
        sizes = {
            file.relative_to(fresh).as_posix(): file.stat().st_size for file in sorted((fresh / GRAPH).parent.iterdir())
        }
    return OnnxParts(sizes, difference)


def onnx_probabilities(path: Path, classifier: Classifier, texts: Sequence[Text]) -> Tensor:
    """Return the probabilities (n, labels) that onnxruntime computes with a graph that ``write_onnx`` wrote.

    Args:
        path: The graph.
        classifier: The classifier, for its tokenizer.
        texts: Sentences, or pairs.
    """
    runtime: Any = optional_package("onnxruntime", NEEDS, EXTRA)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    encoded = encode(classifier.base.tokenizer, texts, classifier.max_length)
    logits = torch.empty(len(texts), len(classifier.labels))
    for indices in by_length(encoded, 1_024):
        batch = pad([encoded[i] for i in indices], pad_id(classifier.base.tokenizer), "cpu")
        (found,) = session.run(None, {name: tensor.numpy() for name, tensor in batch.items()})
        logits[indices] = torch.from_numpy(found)
    return logits.softmax(-1)


def _export(classifier: Classifier, path: Path) -> None:
    encoded = encode(classifier.base.tokenizer, PROBES, classifier.max_length)
    batch = pad(encoded, pad_id(classifier.base.tokenizer), classifier.base.device)
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with _quiet("torch.onnx", logging.ERROR):  # it warns about packages that no classifier needs
        program = torch.onnx.export(
            _Logits(classifier.model, list(batch), classifier.temperature).eval(), tuple(batch.values()), dynamo=True,
            verbose=False, input_names=list(batch), output_names=["logits"], dynamic_shapes=(tuple(free for _ in batch),),
        )  # fmt: skip
    if program is None:
        raise DeftxError("This base cannot be exported to ONNX.")
    program.save(path)


def _quantise(graph: Path, quantised: Path) -> None:
    quantization: Any = optional_package("onnxruntime.quantization", NEEDS, EXTRA)
    with _quiet(None, logging.WARNING):
        quantization.quantize_dynamic(graph, quantised, weight_type=quantization.QuantType.QInt8)


@contextmanager
def _quiet(name: str | None, level: int) -> Iterator[None]:
    """Log only messages of at least this level by the logger of this name, by default the root logger, in the block."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(max(before, level))
    try:
        yield
    finally:
        logger.setLevel(before)


def _card(name: str, classifier: Classifier) -> str:
    entries = {"library_name": "onnx", "pipeline_tag": "text-classification", "tags": list(TAGS)}
    labels = ", ".join(map(code, classifier.labels))
    return f"""{front_matter(entries)}

# {code(name)}

A text classifier as a graph of ONNX. Its labels, in the order of the logits: {labels}. Made with DeFT-X.

```python
import numpy as np
import onnxruntime
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
session = onnxruntime.InferenceSession("{GRAPH}")
inputs = tokenizer(["a sentence in the language"], padding=True, truncation=True, return_tensors="np")
logits = session.run(None, {{one.name: inputs[one.name].astype(np.int64) for one in session.get_inputs()}})[0]
print(logits)
```

{CITATION}
"""
