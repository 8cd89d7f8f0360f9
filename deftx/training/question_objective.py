"""The objective of a task vector on questions: the first and the last piece of the answer, in windows of its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.core.answer_evaluation import answer_scores, evaluate_answers, metric_for
from deftx.core.units import QUESTION
from deftx.data.question_rows import Question
from deftx.models.answer_spans import MOST_ANSWERS, Found, best_spans
from deftx.models.batches import least_padding, pad_id
from deftx.models.question_windows import QuestionWindow
from deftx.training.loop import Batch
from deftx.training.task_objective import PASS_TOKENS, TaskObjective, outputs_of, with_vector

LABELS = ["start", "end"]  # the outputs of the head, in its order


def span_logits(
    model: PreTrainedModel,
    windows: Sequence[QuestionWindow],
    padding: int,
    on_share: Callable[[float], None] | None = None,
) -> list[Tensor]:
    """Return the logits (tokens, 2) of each window, for the first and the last piece of the answer, on the CPU.

    For ``on_share`` see ``outputs_of``.
    """
    found: list[Tensor] = [torch.empty(0)] * len(windows)
    for indices, output in outputs_of(model, [window.ids for window in windows], padding, on_share):
        logits = _both(output).cpu()
        for row, index in enumerate(indices):
            found[index] = logits[row, : len(windows[index])]
    return found


@dataclass
class QuestionObjective(TaskObjective):
    """The mean cross-entropy of the first and the last piece of the answer, over the tokens of a window.

    ``train`` holds the ids of windows, and ``targets`` the places of the two pieces, which are those of the first token if
    the answer is not in the window. ``asked`` are the validation questions, and ``windows`` theirs. With ``may_refuse``,
    "no answer" is a possible answer.
    """

    unit: ClassVar[str] = QUESTION
    windows: Sequence[QuestionWindow] = ()
    asked: Sequence[Question] = field(default_factory=list)
    may_refuse: bool = False

    def __post_init__(self) -> None:
        """Set the order of the windows, and the metric that the recipe's metric stands for."""
        super().__post_init__()
        self.metric = metric_for(self.recipe.metric)

    def loss(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Return the mean loss over the windows of a micro-batch, in nats."""
        inputs, targets = dict(batch), batch["labels"]
        del inputs["labels"]
        if targets.device.type != "cpu":  # on a GPU, padding costs less than a second pass
            return _loss(model, inputs, targets) / len(targets)
        lengths = inputs["attention_mask"].sum(1).tolist()
        total = torch.zeros(())
        for rows in least_padding(lengths, PASS_TOKENS):
            part = {name: tensor[rows, : lengths[rows[-1]]] for name, tensor in inputs.items()}
            total = total + _loss(model, part, targets[rows])
        return total / len(targets)

    def evaluate(self, model: PreTrainedModel) -> float:
        """Return the recipe's metric on the validation questions, from 0 to 1."""
        return self.scores(self.predicted(model))[self.metric]

    def valid_logits(self, model: PreTrainedModel) -> list[Found]:
        """Return the best spans for each validation question."""
        with with_vector(model, self.parts[0]):
            logits = span_logits(model, self.windows, pad_id(self.base.tokenizer))
        return best_spans(self.windows, logits, len(self.asked), self.recipe.n_best or MOST_ANSWERS)

    def answers(self, logits: list[Found]) -> list[str]:
        """Return the best answer to each question; empty if there is said to be none."""
        best = (found.best(self.may_refuse) for found in logits)
        return [
            asked.context[span.start : span.end] if span else "" for asked, span in zip(self.asked, best, strict=True)
        ]

    def scores(self, predicted: list[str]) -> dict[str, float]:
        """Return the scores of answers to the validation questions."""
        return answer_scores([asked.gold for asked in self.asked], predicted)

    def details(self, predicted: list[str], logits: list[Found]) -> dict[str, Any]:
        """Return what else vector.json says: the scores of the questions with and without an answer."""
        gold, paragraphs = [asked.gold for asked in self.asked], [asked.context for asked in self.asked]
        found = evaluate_answers(self.metric, gold, predicted, paragraphs, resamples=1).to_dict()
        parts = {name: found[name] for name in ("has_answer", "no_answer", "paragraphs")}
        return {**parts, "examples": len(gold), "on": "validation questions"}


def _both(output: Any) -> Tensor:
    """Return the logits of a model for questions as one tensor (rows, tokens, 2)."""
    return torch.stack([output.start_logits, output.end_logits], -1).float()


def _loss(model: PreTrainedModel, inputs: dict[str, Tensor], targets: Tensor) -> Tensor:
    """Return the sum over windows of the mean loss of both pieces. Padding is never the answer."""
    logits = _both(model(**inputs))
    logits = logits.masked_fill(~inputs["attention_mask"].bool()[..., None], torch.finfo(logits.dtype).min)
    return cross_entropy(logits, targets, reduction="sum") / 2
