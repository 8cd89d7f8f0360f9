"""The objective of a task vector: batches of labelled text, their loss, and the scores on the validation rows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.core.calibration import calibrate
from deftx.core.evaluation import confusion, score
from deftx.core.sampling import batches_of, cut, mixed_order
from deftx.core.units import TEXT
from deftx.models.bases import Base
from deftx.models.batches import Encoded, by_length, least_padding, pad, pad_id
from deftx.training.loop import Batch, Objective
from deftx.training.recipes import METRICS, TaskRecipe
from deftx.vectors.apply import Changes, applied
from deftx.vectors.description import CALIBRATION

# Padded tokens per batch; on a CPU, the activations of a layer should fit into the cache.
CPU_TOKENS, ACCELERATOR_TOKENS = 1_024, 8_192
# Fixed cost of a forward pass on a CPU, in tokens (docs/benchmarks.md).
PASS_TOKENS = 100


@torch.no_grad()
def outputs_of(
    model: PreTrainedModel, encoded: Sequence[Encoded], padding: int, on_share: Callable[[float], None] | None = None
) -> Iterator[tuple[list[int], Any]]:
    """Yield the model's outputs for batches of encoded texts of similar length, each with the indices of its texts.

    After each batch ``on_share`` is called with the share of tokens that is done; it may raise to stop.
    """
    device = next(model.parameters()).device
    done, total = 0, sum(map(len, encoded))
    for indices in by_length(encoded, CPU_TOKENS if device.type == "cpu" else ACCELERATOR_TOKENS):
        yield indices, model(**pad([encoded[i] for i in indices], padding, device))
        done += sum(len(encoded[i]) for i in indices)
        if on_share is not None:
            on_share(done / total)


def class_logits(
    model: PreTrainedModel, encoded: Sequence[Encoded], padding: int, on_share: Callable[[float], None] | None = None
) -> Tensor:
    """Return the logits (n, labels) of encoded texts, in their order; for ``on_share`` see ``outputs_of``."""
    logits = torch.empty(len(encoded), len(model.config.id2label or ()))
    for indices, output in outputs_of(model, encoded, padding, on_share):
        logits[indices] = output.logits.float().cpu()
    return logits


@dataclass(frozen=True)
class Part:
    """The training rows of one source, the number of passes over them in an epoch, and the changes of its language vector.

    ``changes`` is None if there is no vector, or if the model has it all the time.
    """

    rows: range
    repeat: int = 1
    changes: Changes | None = None


@dataclass
class TaskObjective(Objective):
    """Cross-entropy over labels (appendix C, "Task adaptation").

    A batch has rows of one part. That part's vector is on for the loss and its gradients, and off for the optimiser step, so
    that the task vector does not contain it. The validation rows are in the language of the first part.
    """

    base: Base
    recipe: TaskRecipe
    labels: list[str]
    train: list[Encoded]
    targets: list[Any]  # label of each row of ``train``, as an index into ``labels``
    valid: list[Encoded]
    gold: list[Any]  # labels of ``valid``
    parts: list[Part] = field(default_factory=list)  # one of all rows, if it is empty
    higher_is_better: bool = True
    unit: ClassVar[str] = TEXT  # what the model answers about

    def __post_init__(self) -> None:
        """Set the order of the rows in each phase."""
        recipe, lengths = self.recipe, [len(row) for row in self.train] if self.recipe.group_by_length else None
        self.metric, self.parts = recipe.metric, self.parts or [Part(range(len(self.train)))]
        self._passes = [part.rows for part in self.parts for _ in range(part.repeat)]
        self._orders = {
            phase: mixed_order(self._passes, recipe.batch_size, recipe.seed, phase, lengths)
            for phase in ("dense", "sparse")
        }

    @property
    def examples(self) -> int:
        """The rows of an epoch. With several parts, each pass over a part counts as whole batches."""
        size = self.recipe.batch_size
        return len(self.train) if len(self._passes) == 1 else size * batches_of(self._passes, size)

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of a step: the encoder's inputs, and labels."""
        return [self._batch(part) for part in cut(self._orders[phase](step), self.recipe.accumulation)]

    def weights(self, model: PreTrainedModel, phase: str, step: int) -> AbstractContextManager[None]:
        """Return a context in which the model has the language vector of the step's rows."""
        row = self._orders[phase](step)[0]
        return with_vector(model, next(part for part in self.parts if row in part.rows))

    def loss(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the rows of a micro-batch, in nats."""
        inputs, labels = dict(batch), batch["labels"]
        del inputs["labels"]
        if labels.device.type != "cpu":  # on a GPU, padding costs less than a second pass
            return cross_entropy(model(**inputs).logits.float(), labels)
        lengths = inputs["attention_mask"].sum(1).tolist()
        total = torch.zeros(())
        for rows in least_padding(lengths, PASS_TOKENS):
            part = {name: tensor[rows, : lengths[rows[-1]]] for name, tensor in inputs.items()}
            total = total + cross_entropy(model(**part).logits.float(), labels[rows], reduction="sum")
        return total / len(labels)

    def evaluate(self, model: PreTrainedModel) -> float:
        """Return the recipe's metric on the validation rows, from 0 to 1."""
        return score(self.metric, self.gold, self.predicted(model), self.labels)

    def predicted(self, model: PreTrainedModel) -> list[Any]:
        """Return the predicted label of each validation row."""
        return self.answers(self.valid_logits(model))

    def valid_logits(self, model: PreTrainedModel) -> Any:
        """Return the logits (n, labels) of the validation rows."""
        with with_vector(model, self.parts[0]):
            return class_logits(model, self.valid, pad_id(self.base.tokenizer))

    def answers(self, logits: Any) -> list[Any]:
        """Return the label with the highest logit of each row."""
        return [self.labels[place] for place in logits.argmax(-1).tolist()]

    def scores(self, predicted: list[Any]) -> dict[str, float]:
        """Return every metric of predictions for the validation rows."""
        return {metric: score(metric, self.gold, predicted, self.labels) for metric in METRICS}

    def details(self, predicted: list[Any], logits: Any) -> dict[str, Any]:
        """Return what else vector.json says about predictions for the validation rows, and the calibration of the logits.

        ``majority`` is the accuracy of a classifier that always answers the most frequent label.
        """
        majority = Counter(self.gold).most_common(1)[0][1] / len(self.gold)
        calibration = calibrate(logits.numpy(), np.array([self.labels.index(label) for label in self.gold]))
        return {"majority": majority, "confusion": confusion(self.gold, predicted, self.labels),
                "examples": len(self.gold), "on": "validation rows",
                CALIBRATION: calibration and calibration.to_dict()}  # fmt: skip

    def _batch(self, indices: list[int]) -> Batch:
        batch = pad([self.train[i] for i in indices], pad_id(self.base.tokenizer), self.base.device)
        return {**batch, "labels": torch.tensor([self.targets[i] for i in indices], device=self.base.device)}


def parts_of_windows(parts: Sequence[Part], rows: Sequence[int]) -> list[Part]:
    """Return parts of windows for parts of rows that are read in windows; ``rows`` are those of the windows, in their order."""
    found, begin = [], 0
    for part in parts:
        count = sum(row in part.rows for row in rows)
        found.append(replace(part, rows=range(begin, begin + count)))
        begin += count
    return found


def with_vector(model: PreTrainedModel, part: Part) -> AbstractContextManager[None]:
    """Return a context in which the model has the language vector of a part of the rows."""
    if part.changes is None:
        return nullcontext()
    return applied({name: model.get_parameter(name) for name in part.changes}, part.changes)
