"""Composing a classifier: θ_TL = θ0 + (s_T·φ_T + s_L·φ_L), with the task's head on top (section 3.2)."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from deftx.core.errors import DeftxError, VectorError
from deftx.core.events import Listener, ignore
from deftx.core.files import new_folder, require_empty
from deftx.models.bases import Base, head_parameters, sparse_trainable
from deftx.models.batches import Text, cut_texts, encode
from deftx.training.task import class_logits
from deftx.vectors.apply import apply_changes
from deftx.vectors.merging import PAPER, MergeReport, merge
from deftx.vectors.vector import SparseVector

VectorLike = SparseVector | str | os.PathLike


@dataclass(frozen=True)
class Classifier:
    """A composed model with the labels of its task; the base that it came from is untouched."""

    base: Base
    model: nn.Module
    labels: list[str]
    max_length: int  # tokens; longer texts are cut
    report: MergeReport | None = None  # what the merge method did, where the classifier was composed

    @property
    def size(self) -> int:
        """Bytes of all weights."""
        return sum(p.numel() * p.element_size() for p in self.model.parameters())

    def classify(self, texts: Sequence[Text], on_share: Callable[[float], None] | None = None) -> Tensor:
        """Return the probabilities (n, labels) of sentences, or of (premise, hypothesis) pairs.

        ``on_share`` is told now and then which share is done; what it raises ends the work.

        Raises:
            DeftxError: there is a sentence among pairs, or a pair among sentences.
        """
        if isinstance(texts, str):
            raise DeftxError("classify takes a list of texts; put the one text into a list.")
        if len({isinstance(text, str) for text in texts}) > 1:
            raise DeftxError("The texts mix sentences and pairs; classify them apart.")
        encoded = encode(self.base.tokenizer, texts, self.max_length)
        return class_logits(self.model, encoded, self.base.tokenizer.pad_token_id, on_share).softmax(-1)

    def cut(self, texts: Sequence[Text]) -> list[int]:
        """Return the indices of the texts of which the classifier reads the first ``max_length`` tokens alone."""
        tokenizer = self.base.tokenizer
        return cut_texts(tokenizer, texts, encode(tokenizer, texts, self.max_length), self.max_length)

    def predict(self, texts: Sequence[Text]) -> list[str]:
        """Return the most probable label of each text."""
        return [self.labels[place] for place in self.classify(texts).argmax(-1).tolist()]

    def save_pretrained(self, folder: str | os.PathLike) -> None:
        """Write a plain transformers folder: it loads without deftx and gives the same probabilities.

        Raises:
            DeftxError: the folder is not empty; nothing is overwritten.
        """
        folder = Path(folder).expanduser()
        require_empty(folder, "classifier")
        with new_folder(folder) as fresh:
            self.model.save_pretrained(fresh)
            self.base.tokenizer.save_pretrained(fresh)
            _describe_tokenizer(fresh / "tokenizer_config.json", self.base.tokenizer, self.max_length)


def compose(
    base: Base,
    *,
    task: VectorLike,
    language: VectorLike | None = None,
    strength_task: float = 1.0,
    strength_language: float = 1.0,
    languages: Sequence[tuple[VectorLike, float]] = (),
    method: str = PAPER,
    parameters: Mapping[str, float] | None = None,
) -> Classifier:
    """Compose a classifier from a task vector and, where there are any, language vectors; strengths are 1 in the paper.

    ``languages`` are further language vectors with their strengths. ``method`` is one of ``merging.METHODS``: "sum" is
    the paper; ``parameters`` are that method's, where they differ from its defaults.

    Raises:
        VectorError: a vector is damaged, of the wrong kind, or made for another base.
        DeftxError: a strength is not a number, or the method or a parameter of it cannot be used.
    """
    wanted = [(language, strength_language), *languages] if language is not None else languages
    vectors = [(load_for(base, task, "task"), strength_task)]
    vectors += [(load_for(base, vector, "language"), strength) for vector, strength in wanted]
    changes, report = merge(vectors, method, parameters)
    classifier = classifier_of(base, vectors[0][0])
    apply_changes(sparse_trainable(classifier.model), changes, {})
    return replace(classifier, report=report)


def classifier_of(base: Base, task: SparseVector) -> Classifier:
    """Return θ0 with the head of a task on top, on a copy of its own: no vector has been added yet."""
    model = base.classifier_without_head(task.labels)
    _put_head(model, task)
    wanted = (task.info.get("recipe") or {}).get("max_length", 128)
    length = base.fitting_length(wanted, Listener(ignore, lambda: False))
    return Classifier(base, model.eval(), task.labels, length)


def load_for(base: Base, vector: VectorLike, kind: str) -> SparseVector:
    """Load a vector of a kind ("task" or "language") for a base; VectorError for any other."""
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    vector.check_base(base)
    if vector.kind != kind:
        raise VectorError(f"{vector.name} is a {vector.kind} vector; a {kind} vector is needed there.")
    return vector


@torch.no_grad()
def _put_head(model: nn.Module, task: SparseVector) -> None:
    head = head_parameters(model)
    if {n: tuple(p.shape) for n, p in head.items()} != {n: tuple(t.shape) for n, t in task.head.items()}:
        raise VectorError(
            f"The head of task vector {task.name} does not fit this base: it has {', '.join(sorted(task.head))}; "
            f"the classifier needs {', '.join(sorted(head))} for {len(task.labels)} labels."
        )
    for name, parameter in head.items():
        parameter.copy_(task.head[name])


def _describe_tokenizer(path: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
    """Let plain transformers read texts as this classifier does, and ``truncation=True`` cut them at ``max_length``."""
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": max_length}
    if tokenizer.is_fast:  # a model's own class would be built anew from its vocabulary, without the file's other steps
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": tokenizer.model_input_names}
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
