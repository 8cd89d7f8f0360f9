"""Task vectors: classification of sentences or pairs in a language that has labels."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from deftx.core.errors import VectorError
from deftx.core.evaluation import score
from deftx.core.events import Event, Listener, OnEvent
from deftx.core.sampling import batch_order, cut
from deftx.data.tables import Table, check, drop_unknown_labels, hold_out, label_names, read_table
from deftx.models.bases import Base, canonical_parameters, head_parameters, sparse_trainable
from deftx.models.batches import Encoded, by_length, cut_texts, encode, least_padding, pad
from deftx.training import distributed
from deftx.training.finish import finish, work_folder
from deftx.training.loop import Batch, stoppable
from deftx.training.pipeline import Learner
from deftx.training.recipes import METRICS, TaskRecipe, recipe_for
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

# Padded tokens classified together: on a processor, what a layer works on should stay in the cache.
CPU_TOKENS, ACCELERATOR_TOKENS = 1_024, 8_192
# What a pass through the model costs on a processor beside its tokens, counted in tokens (docs/benchmarks.md).
PASS_TOKENS = 100


@torch.no_grad()
def class_logits(
    model: nn.Module, encoded: list[Encoded], pad_id: int, on_share: Callable[[float], None] | None = None
) -> Tensor:
    """Return the logits (n, labels) of encoded texts, in their order; batches are of similar length.

    ``on_share`` is told after each batch which share of the tokens is done; what it raises ends the work.
    """
    device = next(model.parameters()).device
    logits = torch.empty(len(encoded), model.config.num_labels)
    done, total = 0, sum(map(len, encoded))
    for indices in by_length(encoded, CPU_TOKENS if device.type == "cpu" else ACCELERATOR_TOKENS):
        batch = pad([encoded[i] for i in indices], pad_id, device)
        logits[indices] = model(**batch).logits.float().cpu()
        done += sum(len(encoded[i]) for i in indices)
        if on_share is not None:
            on_share(done / total)
    return logits


@dataclass
class TaskObjective:
    """Cross-entropy over labels (appendix C, "Task adaptation")."""

    base: Base
    recipe: TaskRecipe
    labels: list[str]
    train: list[Encoded]
    targets: list[int]  # of ``train``, as places in ``labels``
    valid: list[Encoded]
    gold: list[str]  # labels of ``valid``
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        """Fix the order of the rows for each phase."""
        recipe, lengths = self.recipe, [len(row) for row in self.train] if self.recipe.group_by_length else None
        self.metric = recipe.metric
        self._orders = {
            phase: batch_order(len(self.train), recipe.batch_size, recipe.seed, phase, lengths)
            for phase in ("dense", "sparse")
        }

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of a step: what the encoder reads, and labels."""
        return [self._batch(part) for part in cut(self._orders[phase](step), self.recipe.accumulation)]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross-entropy over the rows of a micro-batch, in nats."""
        inputs, labels = dict(batch), batch["labels"]
        del inputs["labels"]
        if labels.device.type != "cpu":  # a GPU computes padding faster than it starts a second pass
            return cross_entropy(model(**inputs).logits.float(), labels)
        lengths = inputs["attention_mask"].sum(1).tolist()
        total = 0
        for rows in least_padding(lengths, PASS_TOKENS):
            part = {name: tensor[rows, : lengths[rows[-1]]] for name, tensor in inputs.items()}
            total = total + cross_entropy(model(**part).logits.float(), labels[rows], reduction="sum")
        return total / len(labels)

    def evaluate(self, model: nn.Module) -> float:
        """Return the recipe's metric on the validation rows, from 0 to 1."""
        return self.scores(model)[self.metric]

    def scores(self, model: nn.Module) -> dict[str, float]:
        """Return every metric on the validation rows."""
        places = class_logits(model, self.valid, self.base.tokenizer.pad_token_id).argmax(-1).tolist()
        predicted = [self.labels[place] for place in places]
        return {metric: score(metric, self.gold, predicted, self.labels) for metric in METRICS}

    def _batch(self, indices: list[int]) -> Batch:
        batch = pad([self.train[i] for i in indices], self.base.tokenizer.pad_token_id, self.base.device)
        return {**batch, "labels": torch.tensor([self.targets[i] for i in indices], device=self.base.device)}


def learn_task(
    train: str | os.PathLike | Table,
    base: Base,
    recipe: TaskRecipe | str,
    *,
    out: str | os.PathLike,
    valid: str | os.PathLike | Table | None = None,
    source: SparseVector | str | os.PathLike | None = None,
    language: str | None = None,
    delta: str | os.PathLike | None = None,
    on_event: OnEvent | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SparseVector:
    """Learn a task vector φ_T from labelled text and write it to the folder ``out``.

    ``source`` is a vector of the language of the labelled text: training starts from θ0 + φ_source, which is removed
    again. Without ``valid``, a stratified part of the rows is held out. For the rest see ``learn_language``.

    Raises:
        TableError, RecipeError, VectorError: the rows, a setting or the source vector cannot be used.
        TrainingStopped, TrainingError: the training ended early; its checkpoint is kept in ``out``.
    """
    distributed.join(base.device)
    listener = distributed.listener_for(on_event, should_stop)
    out, run = work_folder(out, delta)
    train = train if isinstance(train, Table) else read_table(train)
    valid = valid if isinstance(valid, Table) or valid is None else read_table(valid)
    recipe = recipe_for("task", recipe, pairs=train.pairs) if isinstance(recipe, str) else recipe
    recipe = distributed.share(recipe, listener)
    source = _source_for(base, source)
    identity = {"kind": "task", "base": base.fingerprint, "corpus": train.fingerprint,
                "valid": valid.fingerprint if valid else None, "source": source.digest() if source else None}  # fmt: skip
    train, valid, findings = prepare_rows(train, valid, recipe, listener)
    labels = label_names(train)
    objective = task_objective(train, valid, labels, base, recipe, listener)
    learner = task_learner(base, objective, identity, source)
    scores = comparison(learner, objective, listener)
    about = {"rows": len(train.texts), "valid_rows": len(valid.texts), "pairs": train.pairs, **findings,
             "source": source.name if source is not None else None}  # fmt: skip
    return finish(learner, base, recipe, out, run, delta, listener, scores, about, language=language, labels=labels)


def comparison(learner: Learner, objective: TaskObjective, listener: Listener) -> Callable[[nn.Module], dict[str, Any]]:
    """Score the model before it is trained; return what scores it afterwards and sets the two side by side."""
    with stoppable(learner.model, listener):
        before = objective.scores(learner.model.eval())

    def scores(model: nn.Module) -> dict[str, Any]:
        after, metric = objective.scores(model.eval()), objective.recipe.metric
        message = f"Validation: macro-F1 {after['f1']:.3f}, accuracy {after['accuracy']:.3f}."
        listener.on_event(Event("evaluate", 2, 2, evaluation=after[metric], metric=metric, message=message))
        compared = {name: {"before": before[name], "after": after[name]} for name in METRICS}
        return {**compared, "examples": len(objective.gold), "on": "validation rows"}

    return scores


def task_learner(base: Base, objective: TaskObjective, identity: dict, source: SparseVector | None) -> Learner:
    """Set up a classifier for the pipeline: it starts from θ0, or θ0 + φ_source, with a head that the seed draws."""
    model = base.classifier(objective.labels, objective.recipe.seed)
    if source is not None:
        apply_vectors(sparse_trainable(model), [(source, 1.0)])
    return Learner(
        kind="task",
        model=model,
        trainable=sparse_trainable(model),
        head=head_parameters(model),
        objective=objective,
        examples=len(objective.train),
        denominator=sum(p.numel() for p in canonical_parameters(model).values()),
        identity=identity,
    )


def prepare_rows(
    train: Table, valid: Table | None, recipe: TaskRecipe, listener: Listener
) -> tuple[Table, Table, dict]:
    """Hold rows out where there is no validation file, and say what is unusual about the rows before training starts."""
    findings = check(train, valid)
    for warning in findings.warnings:
        listener.on_event(Event("tokenise", message=warning, warning=True))
    if valid is None:
        train, valid = hold_out(train, recipe.hold_out, recipe.seed)
        message = f"No validation file: {len(valid.texts):,} rows are held out, stratified by label."
        listener.on_event(Event("tokenise", message=message))
    # Also where rows were held out: a label that only stands on texts with several labels may all have gone there.
    return train, drop_unknown_labels(valid, label_names(train)), findings.to_dict()


def task_objective(
    train: Table, valid: Table, labels: list[str], base: Base, recipe: TaskRecipe, listener: Listener
) -> TaskObjective:
    """Tokenise the rows."""
    length = base.fitting_length(recipe.max_length, listener)
    listener.on_event(Event("tokenise", 0, 2))
    encoded = encode(base.tokenizer, train.texts, length)
    if cut := len(cut_texts(base.tokenizer, train.texts, encoded, length)):
        message = (
            f"{cut:,} of {len(train.texts):,} rows have more than {length} tokens and lose their end. "
            "A larger max_length keeps it, and takes more time and memory."
        )
        listener.on_event(Event("tokenise", message=message, warning=True))
    listener.on_event(Event("tokenise", 1, 2))
    valid_encoded = encode(base.tokenizer, valid.texts, length)
    listener.on_event(Event("tokenise", 2, 2))
    targets = [labels.index(label) for label in train.labels]
    return TaskObjective(base, recipe, labels, encoded, targets, valid_encoded, valid.labels)


def _source_for(base: Base, source: SparseVector | str | os.PathLike | None) -> SparseVector | None:
    if source is None:
        return None
    source = source if isinstance(source, SparseVector) else SparseVector.load(source)
    source.check_base(base)
    if source.kind != "language":
        raise VectorError(f"The source {source.name} is a {source.kind} vector; a language vector is needed there.")
    return source
