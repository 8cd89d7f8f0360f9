"""A composed classifier: a model with the labels of its task, which classifies sentences or pairs."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from deftx.core.calibration import Calibration
from deftx.core.errors import DeftxError, VectorError
from deftx.core.files import expanded, new_folder, require_empty
from deftx.models.bases import Base
from deftx.models.batches import Encoded, Text, cut_texts, encode, pad_id
from deftx.models.parameters import output_layer
from deftx.models.xglm import needs_deftx
from deftx.training.task_objective import class_logits
from deftx.vectors.merging import MergeReport


@dataclass(frozen=True)
class Classifier:
    """A composed model with the labels of its task. Its base is not modified."""

    does: ClassVar[str] = "classifies texts"  # in messages; a subclass does something else

    base: Base
    model: PreTrainedModel
    labels: list[str]
    max_length: int  # tokens; longer texts are truncated
    report: MergeReport | None = None  # report of the merge method
    languages: tuple[str, ...] = ()  # codes of the languages that it was made for; empty if one of them is unknown
    calibration: Calibration | None = None  # of the task vector

    @property
    def temperature(self) -> float:
        """What the logits are divided by, so that the highest probability is about the share of right answers."""
        return self.calibration.temperature if self.calibration else 1.0

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
        return self.logits(encoded, on_share).softmax(-1)

    def logits(self, encoded: list[Encoded], on_share: Callable[[float], None] | None = None) -> Tensor:
        """Return the logits (n, labels) of encoded texts, divided by the temperature."""
        return class_logits(self.model, encoded, pad_id(self.base.tokenizer), on_share) / self.temperature

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
        """Write a transformers folder, which loads without deftx (except XGLM) and gives the same probabilities.

        Args:
            folder: The folder, which must be empty or new.

        Raises:
            DeftxError: If the folder is not empty. Nothing is overwritten.
        """
        folder = expanded(folder)
        require_empty(folder, "classifier")
        with new_folder(folder) as fresh:
            self.model.save_pretrained(fresh, state_dict=self._calibrated_weights())
            self.base.tokenizer.save_pretrained(fresh)
            describe_tokenizer(fresh / "tokenizer_config.json", self.base.tokenizer, self.max_length)

    def _calibrated_weights(self) -> dict[str, Tensor]:
        """Return all weights, with those of the last layer divided by the temperature: the softmax needs no other change."""
        weights = self.model.state_dict()
        last = output_layer(self.model) if self.temperature != 1 else ()
        return {**weights, **{name: weights[name] / self.temperature for name in last}}


def refuse_unless_texts(classifier: Classifier, what: str) -> None:
    """Raise VectorError unless a composed model classifies texts, as ``what`` needs, e.g. "a report"."""
    if classifier.does != Classifier.does:
        raise VectorError(
            f"This task vector {classifier.does}; {what} needs one that {Classifier.does}. Choose another one."
        )


def refuse_own_class(classifier: Classifier, what: str) -> None:
    """Raise DeftxError if only deftx has the classifier's class; ``what`` is loaded without deftx, e.g. "a Space"."""
    if needs_deftx(classifier.model):
        raise DeftxError(
            f"transformers has no classifier for {classifier.model.config.model_type}: {what} could not load it. "
            "Export a plain folder, a graph of ONNX, or use `serve`."
        )


def describe_tokenizer(path: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
    """Write the tokenizer's settings, so that transformers tokenises and truncates texts as this classifier does."""
    settings = {**json.loads(path.read_text(encoding="utf-8")), "model_max_length": max_length}
    if tokenizer.is_fast:  # other classes are built from the vocabulary and ignore the normaliser in the file
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": tokenizer.model_input_names}
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
