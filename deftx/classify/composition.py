"""Composing a classifier: θ_TL = θ0 + (s_T·φ_T + s_L·φ_L), with the task's head (section 3.2 of the paper)."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from deftx.core.errors import DeftxError, VectorError
from deftx.core.events import Listener, ignore
from deftx.core.files import new_folder, require_empty
from deftx.models.bases import Base
from deftx.models.batches import Text, cut_texts, encode, pad_id
from deftx.models.parameters import head_parameters, sparse_trainable
from deftx.training.task_objective import class_logits
from deftx.vectors.apply import Scaled, apply_changes
from deftx.vectors.merging import PAPER, MergeReport, merge
from deftx.vectors.vector import SparseVector

VectorLike = SparseVector | str | os.PathLike


@dataclass(frozen=True)
class Classifier:
    """A composed model with the labels of its task. Its base is not modified."""

    base: Base
    model: PreTrainedModel
    labels: list[str]
    max_length: int  # tokens; longer texts are truncated
    report: MergeReport | None = None  # report of the merge method
    languages: tuple[str, ...] = ()  # codes of the languages that it was made for; empty if one of them is unknown

    @property
    def size(self) -> int:
        """The size of all weights in bytes."""
        return sum(p.numel() * p.element_size() for p in self.model.parameters())

    def classify(self, texts: Sequence[Text], on_share: Callable[[float], None] | None = None) -> Tensor:
        """Return the probabilities (n, labels) of sentences, or of (premise, hypothesis) pairs.

        Args:
            texts: Sentences, or pairs.
            on_share: Called after each batch with the share that is done, from 0 to 1; it may raise to stop.

        Returns:
            float32 probabilities on the CPU, a row for each text and a column for each of ``labels``.

        Raises:
            DeftxError: If there are both sentences and pairs.
        """
        if isinstance(texts, str):
            raise DeftxError("classify takes a list of texts; put a single text into a list.")
        if len({isinstance(text, str) for text in texts}) > 1:
            raise DeftxError("The texts contain both sentences and pairs; classify them separately.")
        encoded = encode(self.base.tokenizer, texts, self.max_length)
        return class_logits(self.model, encoded, pad_id(self.base.tokenizer), on_share).softmax(-1)

    def cut(self, texts: Sequence[Text]) -> list[int]:
        """Return the indices of the texts that the classifier truncates to the first ``max_length`` tokens.

        Args:
            texts: Sentences, or (premise, hypothesis) pairs.
        """
        tokenizer = self.base.tokenizer
        return cut_texts(tokenizer, texts, encode(tokenizer, texts, self.max_length), self.max_length)

    def predict(self, texts: Sequence[Text]) -> list[str]:
        """Return the most probable label of each text.

        Args:
            texts: Sentences, or (premise, hypothesis) pairs.

        Raises:
            DeftxError: If there are both sentences and pairs.
        """
        return [self.labels[place] for place in self.classify(texts).argmax(-1).tolist()]

    def save_pretrained(self, folder: str | os.PathLike) -> None:
        """Write a transformers folder, which loads without deftx and gives the same probabilities.

        Args:
            folder: The folder, which must be empty or new.

        Raises:
            DeftxError: If the folder is not empty. Nothing is overwritten.
        """
        folder = Path(folder).expanduser()
        require_empty(folder, "classifier")
        with new_folder(folder) as fresh:
            self.model.save_pretrained(fresh)
            self.base.tokenizer.save_pretrained(fresh)
            describe_tokenizer(fresh / "tokenizer_config.json", self.base.tokenizer, self.max_length)


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
    """Compose a classifier from a task vector and optional language vectors.

    Vectors can be given as objects, folders, bundled names or Hub ids.

    Args:
        base: The base model.
        task: The task vector.
        language: The language vector.
        strength_task: The strength of the task vector; 1 in the paper.
        strength_language: The strength of the language vector; 1 in the paper.
        languages: Further language vectors with their strengths.
        method: The merge method: "sum" (the paper), "ties" or "dare".
        parameters: Parameters of the merge method that differ from its defaults.

    Returns:
        The classifier in evaluation mode, on the base's device, with the report of the merge method.

    Raises:
        VectorError: If a vector is damaged, of the wrong kind, or made for another base.
        DeftxError: If a strength, the method or a parameter is invalid.
    """
    wanted = [(language, strength_language), *languages] if language is not None else languages
    vectors = [(load_for(base, task, "task"), strength_task)]
    vectors += [(load_for(base, vector, "language"), strength) for vector, strength in wanted]
    changes, report = merge(vectors, method, parameters)
    classifier = classifier_of(base, vectors[0][0])
    apply_changes(sparse_trainable(classifier.model), changes, {})
    return replace(classifier, report=report, languages=codes_of(vectors))


def classifier_of(base: Base, task: SparseVector) -> Classifier:
    """Return a classifier on a copy of θ0 with the head of a task, without any vector added."""
    model = base.classifier_without_head(task.labels)
    _put_head(model, task)
    wanted = (task.info.get("recipe") or {}).get("max_length", 128)
    length = base.fitting_length(wanted, Listener(ignore, lambda: False))
    return Classifier(base, model.eval(), task.labels, length)


def codes_of(vectors: Sequence[Scaled]) -> tuple[str, ...]:
    """Return the languages of the language vectors that take part, else that of the task; empty if one is unknown."""
    of_kind = {kind: [vector.language for vector, strength in vectors if vector.kind == kind and strength]
               for kind in ("language", "task")}  # fmt: skip
    codes = of_kind["language"] or of_kind["task"]
    return tuple(dict.fromkeys(filter(None, codes))) if all(codes) else ()


def load_for(base: Base, vector: VectorLike, kind: str) -> SparseVector:
    """Load a vector and raise VectorError unless it is of this kind ("task" or "language") and made for the base."""
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    vector.check_base(base)
    if vector.kind != kind:
        raise VectorError(f"{vector.name} is a {vector.kind} vector; a {kind} vector is needed.")
    return vector


@torch.no_grad()
def _put_head(model: PreTrainedModel, task: SparseVector) -> None:
    head = head_parameters(model)
    if {n: tuple(p.shape) for n, p in head.items()} != {n: tuple(t.shape) for n, t in task.head.items()}:
        raise VectorError(
            f"The head of task vector {task.name} does not fit this base: it has {', '.join(sorted(task.head))}; "
            f"the classifier needs {', '.join(sorted(head))} for {len(task.labels)} labels."
        )
    for name, parameter in head.items():
        parameter.copy_(task.head[name])


def describe_tokenizer(path: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
    """Write the tokenizer's settings, so that transformers tokenises and truncates texts as this classifier does."""
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": max_length}
    if tokenizer.is_fast:  # other classes are built from the vocabulary and ignore the normaliser in the file
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": tokenizer.model_input_names}
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
