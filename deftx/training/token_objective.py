"""The objective of a task vector on words: the tag of each word's first piece, in windows of long sentences."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.core.errors import TableError
from deftx.core.tag_evaluation import ENTITY_F1, evaluate_tags, metric_for, metrics_for, tag_score
from deftx.core.tags import as_bio, marks_entities, spans
from deftx.core.units import WORD
from deftx.data.sequences import IGNORED
from deftx.models.batches import least_padding, pad, pad_id
from deftx.models.windows import Window
from deftx.training.loop import Batch
from deftx.training.task_objective import PASS_TOKENS, TaskObjective, outputs_of, with_vector


def word_logits(
    model: PreTrainedModel,
    windows: Sequence[Window],
    sentences: int,
    padding: int,
    on_share: Callable[[float], None] | None = None,
) -> list[Tensor]:
    """Return the logits (words, labels) of each of the ``sentences``, at the first pieces of its words.

    For ``on_share`` see ``outputs_of``.
    """
    found: list[Tensor] = [torch.empty(0)] * len(windows)
    for indices, output in outputs_of(model, [window.ids for window in windows], padding, on_share):
        logits = output.logits.float().cpu()
        for row, index in enumerate(indices):
            found[index] = logits[row, list(windows[index].places)]
    parts: list[list[Tensor]] = [[] for _ in range(sentences)]
    for window, logits in zip(windows, found, strict=True):
        parts[window.sentence].append(logits)
    nothing = torch.empty(0, len(model.config.id2label or ()))  # a sentence without words
    return [torch.cat(part) if part else nothing for part in parts]


def best_tags(logits: Tensor, labels: Sequence[str]) -> list[str]:
    """Return the most probable tag of each word, in BIO if the labels mark entities."""
    tags = [str(labels[int(place)]) for place in logits.argmax(-1)]
    return as_bio(tags) if marks_entities(labels) else tags


@dataclass
class TokenObjective(TaskObjective):
    """Cross-entropy over tags, at the first piece of each word; all other pieces are ignored.

    ``train`` holds the ids of windows and ``targets`` a label for each of their pieces, or IGNORED. A step's loss is the mean
    over the words of a micro-batch. ``windows`` are those of the validation sentences, and ``gold`` their tags.
    """

    unit: ClassVar[str] = WORD
    windows: Sequence[Window] = ()

    def __post_init__(self) -> None:
        """Set the order of the windows, and the metric of the recipe. Raise TableError if it is entity F1 without entities."""
        super().__post_init__()
        self.metric = metric_for(self.recipe.metric, self.labels)
        if self.metric == ENTITY_F1 and not self._has_entities:
            raise TableError(
                "The validation sentences have no entity, so there is no entity F1. Give a validation file with entities, or "
                "choose the metric accuracy."
            )

    @property
    def _has_entities(self) -> bool:
        return any(map(spans, self.gold))

    def loss(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the words of a micro-batch, in nats."""
        inputs, labels = dict(batch), batch["labels"]
        del inputs["labels"]
        if labels.device.type != "cpu":  # on a GPU, padding costs less than a second pass
            return cross_entropy(model(**inputs).logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        lengths = inputs["attention_mask"].sum(1).tolist()
        total = torch.zeros(())
        for rows in least_padding(lengths, PASS_TOKENS):
            longest = lengths[rows[-1]]
            part = {name: tensor[rows, :longest] for name, tensor in inputs.items()}
            logits, wanted = model(**part).logits.float(), labels[rows, :longest]
            total = total + cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum")
        return total / (labels != IGNORED).sum()

    def evaluate(self, model: PreTrainedModel) -> float:
        """Return the recipe's metric on the validation sentences, from 0 to 1."""
        return tag_score(self.metric, self.gold, self.predicted(model))

    def valid_logits(self, model: PreTrainedModel) -> list[Tensor]:
        """Return the logits (words, labels) of each validation sentence."""
        with with_vector(model, self.parts[0]):
            return word_logits(model, self.windows, len(self.gold), pad_id(self.base.tokenizer))

    def answers(self, logits: list[Tensor]) -> list[list[str]]:
        """Return the most probable tags of each sentence."""
        return [best_tags(one, self.labels) for one in logits]

    def scores(self, predicted: list[list[str]]) -> dict[str, float]:
        """Return the scores of predictions for the validation sentences; entity F1 only if they have entities."""
        names = metrics_for(self.labels if self._has_entities else ())
        return {name: tag_score(name, self.gold, predicted) for name in names}

    def details(self, predicted: list[list[str]], logits: list[Tensor]) -> dict[str, Any]:
        """Return what else vector.json says; ``majority`` is the accuracy of the most frequent tag for every word."""
        counts = Counter(tag for tags in self.gold for tag in tags)
        found = evaluate_tags(self.metric, self.gold, predicted)
        by_label = {line["label"]: line for line in found.to_dict()["lines"]}
        return {"majority": max(counts.values()) / counts.total(), "by_label": by_label, "examples": counts.total(),
                "sentences": len(self.gold), "on": "validation sentences"}  # fmt: skip

    def _batch(self, indices: list[int]) -> Batch:
        batch = pad([self.train[i] for i in indices], pad_id(self.base.tokenizer), self.base.device)
        rows = [torch.tensor(self.targets[i]) for i in indices]
        labels = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=IGNORED)
        return {**batch, "labels": labels.to(self.base.device)}


def piece_targets(window: Window, tags: Sequence[int]) -> list[int]:
    """Return the label of each piece of a window: the tag of its sentence's word at a first piece, else IGNORED."""
    found = [IGNORED] * len(window)
    for offset, place in enumerate(window.places):
        if found[place] == IGNORED:  # two words share a piece only if the tokenizer reads nothing of one
            found[place] = tags[window.first + offset]
    return found
