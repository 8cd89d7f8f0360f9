"""Composing a classifier: θ_TL = θ0 + (s_T·φ_T + s_L·φ_L), with the task's head on top (section 3.2)."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from deftx.apply import apply_vectors
from deftx.bases import Base, head_parameters, sparse_trainable
from deftx.batches import Text, encode
from deftx.errors import DeftxError, VectorError
from deftx.events import Listener, ignore
from deftx.task import class_logits
from deftx.vector import SparseVector

VectorLike = SparseVector | str | os.PathLike


@dataclass(frozen=True)
class Classifier:
    """A composed model with the labels of its task; the base that it came from is untouched."""

    base: Base
    model: nn.Module
    labels: list[str]
    max_length: int  # tokens; longer texts are cut

    def classify(self, texts: Sequence[Text]) -> Tensor:
        """Return the probabilities (n, labels) of sentences, or of (premise, hypothesis) pairs.

        Raises:
            DeftxError: there is a sentence among pairs, or a pair among sentences.
        """
        if isinstance(texts, str):
            raise DeftxError("classify takes a list of texts; put the one text into a list.")
        if len({isinstance(text, str) for text in texts}) > 1:
            raise DeftxError("The texts mix sentences and pairs; classify them apart.")
        encoded = encode(self.base.tokenizer, texts, self.max_length)
        return class_logits(self.model, encoded, self.base.tokenizer.pad_token_id).softmax(-1)

    def predict(self, texts: Sequence[Text]) -> list[str]:
        """Return the most probable label of each text."""
        return [self.labels[place] for place in self.classify(texts).argmax(-1).tolist()]

    def save_pretrained(self, folder: str | os.PathLike) -> None:
        """Write a plain transformers folder: it loads without deftx and gives the same probabilities.

        Raises:
            DeftxError: the folder is not empty; nothing is overwritten.
        """
        folder = Path(folder).expanduser()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DeftxError(f"{folder} is not an empty folder. Choose another one for the classifier.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            self.model.save_pretrained(beside)
            self.base.tokenizer.save_pretrained(beside)
            _set_longest(beside / "tokenizer_config.json", self.max_length)
            if folder.exists():
                folder.rmdir()
            os.chmod(beside, 0o755)
            os.replace(beside, folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def compose(
    base: Base,
    *,
    task: VectorLike,
    language: VectorLike | None = None,
    scale_task: float = 1.0,
    scale_language: float = 1.0,
) -> Classifier:
    """Compose a classifier from a task vector and, where there is one, a language vector; strengths are 1 in the paper.

    Raises:
        VectorError: a vector is damaged, of the wrong kind, or made for another base.
        DeftxError: a strength is not a number.
    """
    for scale in (scale_task, scale_language):
        if not math.isfinite(scale):
            raise DeftxError(f"{scale} cannot be the strength of a vector; 1 adds it as it was learned.")
    vectors = [(_vector(task, "task", base), scale_task)]
    if language is not None:
        vectors.append((_vector(language, "language", base), scale_language))
    task_vector = vectors[0][0]
    model = base.classifier(task_vector.labels, seed=0)
    _put_head(model, task_vector)
    apply_vectors(sparse_trainable(model), vectors)
    wanted = task_vector.info.get("recipe", {}).get("max_length", 128)
    length = base.fitting_length(wanted, Listener(ignore, lambda: False))
    return Classifier(base, model.eval(), task_vector.labels, length)


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


def _vector(vector: VectorLike, kind: str, base: Base) -> SparseVector:
    vector = vector if isinstance(vector, SparseVector) else SparseVector.load(vector)
    vector.check_base(base)
    if vector.kind != kind:
        raise VectorError(f"{vector.name} is a {vector.kind} vector; a {kind} vector is needed there.")
    return vector


def _set_longest(path: Path, max_length: int) -> None:
    """Let ``truncation=True`` of plain transformers cut texts where this classifier cuts them."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**settings, "model_max_length": max_length}, indent=2), encoding="utf-8")
