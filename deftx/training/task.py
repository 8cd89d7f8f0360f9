"""Task vectors: classification of sentences or pairs in a language that has labels."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from deftx.core.errors import VectorError
from deftx.core.evaluation import score
from deftx.core.events import Event, Listener, OnEvent
from deftx.core.sampling import batch_order, cut
from deftx.data.labels import drop_unknown_labels
from deftx.data.table_rows import Table, hold_out, label_names
from deftx.data.tables import check, read_table
from deftx.models.bases import Base
from deftx.models.batches import Encoded, by_length, cut_texts, encode, least_padding, pad, pad_id
from deftx.models.parameters import canonical_parameters, head_parameters, sparse_trainable
from deftx.training import distributed
from deftx.training.finish import finish, work_folder
from deftx.training.learned import Learner
from deftx.training.loop import Batch, stoppable
from deftx.training.parts import EVALUATION, part
from deftx.training.recipes import METRICS, TaskRecipe, recipe_for
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

# Padded tokens per batch; on a CPU, the activations of a layer should fit into the cache.
CPU_TOKENS, ACCELERATOR_TOKENS = 1_024, 8_192
# Fixed cost of a forward pass on a CPU, in tokens (docs/benchmarks.md).
PASS_TOKENS = 100


@torch.no_grad()
def class_logits(
    model: PreTrainedModel, encoded: list[Encoded], padding: int, on_share: Callable[[float], None] | None = None
) -> Tensor:
    """Return the logits (n, labels) of encoded texts, in their order. Batches contain texts of similar length.

    After each batch ``on_share`` is called with the share of tokens that is done; it may raise to stop.
    """
    device = next(model.parameters()).device
    logits = torch.empty(len(encoded), len(model.config.id2label or ()))
    done, total = 0, sum(map(len, encoded))
    for indices in by_length(encoded, CPU_TOKENS if device.type == "cpu" else ACCELERATOR_TOKENS):
        batch = pad([encoded[i] for i in indices], padding, device)
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
    targets: list[int]  # label of each row of ``train``, as an index into ``labels``
    valid: list[Encoded]
    gold: list[str]  # labels of ``valid``
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        """Set the order of the rows in each phase."""
        recipe, lengths = self.recipe, [len(row) for row in self.train] if self.recipe.group_by_length else None
        self.metric = recipe.metric
        self._orders = {
            phase: batch_order(len(self.train), recipe.batch_size, recipe.seed, phase, lengths)
            for phase in ("dense", "sparse")
        }

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the micro-batches of a step: the encoder's inputs, and labels."""
        return [self._batch(part) for part in cut(self._orders[phase](step), self.recipe.accumulation)]

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
        return self.scores(model)[self.metric]

    def scores(self, model: PreTrainedModel) -> dict[str, float]:
        """Return every metric on the validation rows."""
        places = class_logits(model, self.valid, pad_id(self.base.tokenizer)).argmax(-1).tolist()
        predicted = [self.labels[place] for place in places]
        return {metric: score(metric, self.gold, predicted, self.labels) for metric in METRICS}

    def _batch(self, indices: list[int]) -> Batch:
        batch = pad([self.train[i] for i in indices], pad_id(self.base.tokenizer), self.base.device)
        return {**batch, "labels": torch.tensor([self.targets[i] for i in indices], device=self.base.device)}


def learn_task(
    train: "str | os.PathLike | Table | Dataset | IterableDataset",
    base: Base,
    recipe: TaskRecipe | str,
    *,
    out: str | os.PathLike,
    valid: "str | os.PathLike | Table | Dataset | IterableDataset | None" = None,
    source: SparseVector | str | os.PathLike | None = None,
    language: str | None = None,
    delta: str | os.PathLike | None = None,
    on_event: OnEvent | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SparseVector:
    """Learn a task vector φ_T from labelled text and write it to the folder ``out``.

    A training run that was stopped resumes when it is called again with the same arguments.

    Args:
        train: The labelled rows, or what they are read from: a file, or a data set of ``datasets``.
        base: The base model.
        recipe: The settings, or the name of a preset ("quick", "standard" or "paper").
        out: The folder for the vector; checkpoints are kept there during training.
        valid: The validation rows. By default a stratified part of ``train`` is held out.
        source: A vector of the language of the labelled text. Training starts from θ0 + φ_source, and φ_T does not
            contain φ_source.
        language: The language's code, for the vector's description.
        delta: A folder that keeps δ, the change after the dense phase, for further runs.
        on_event: Called with the progress.
        should_stop: Called regularly; if it returns True, training stops at a checkpoint.

    Returns:
        The vector, as read from ``out``.

    Raises:
        TableError: If the rows cannot be used.
        RecipeError: If a setting or folder cannot be used.
        VectorError: If the source vector cannot be used.
        TrainingStopped: If training was stopped; the checkpoint is kept in ``out``.
        TrainingError: If training failed; the checkpoint is kept in ``out``.
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


def comparison(
    learner: Learner, objective: TaskObjective, listener: Listener
) -> Callable[[PreTrainedModel], dict[str, Any]]:
    """Score the model before training; return a function that scores it after training and returns both scores."""
    with part(EVALUATION), stoppable(learner.model, listener):
        before = objective.scores(learner.model.eval())
    # The accuracy of a classifier that always answers the most frequent label.
    majority = Counter(objective.gold).most_common(1)[0][1] / len(objective.gold)

    def scores(model: PreTrainedModel) -> dict[str, Any]:
        after, metric = objective.scores(model.eval()), objective.recipe.metric
        message = f"Validation: macro-F1 {after['f1']:.3f}, accuracy {after['accuracy']:.3f}."
        listener.on_event(Event("evaluate", 2, 2, evaluation=after[metric], metric=metric, message=message))
        compared = {name: {"before": before[name], "after": after[name]} for name in METRICS}
        return {**compared, "majority": majority, "examples": len(objective.gold), "on": "validation rows"}

    return scores


def task_learner(base: Base, objective: TaskObjective, identity: dict, source: SparseVector | None) -> Learner:
    """Return a learner on a classifier that starts from θ0 or θ0 + φ_source, with a head initialised from the seed."""
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
    """Return training rows, validation rows and findings. Rows are held out if there is no validation table."""
    findings = check(train, valid)
    for warning in findings.warnings:
        listener.on_event(Event("tokenise", message=warning, warning=True))
    if valid is None:
        train, valid = hold_out(train, recipe.hold_out, recipe.seed)
        message = f"No validation file: {len(valid.texts):,} rows are held out, stratified by label."
        listener.on_event(Event("tokenise", message=message))
    # Needed even for held-out rows: all rows of a label can be held out if its texts also have other labels.
    return train, drop_unknown_labels(valid, label_names(train)), findings.to_dict()


def task_objective(
    train: Table, valid: Table, labels: list[str], base: Base, recipe: TaskRecipe, listener: Listener
) -> TaskObjective:
    """Tokenise the rows and return the objective."""
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
        raise VectorError(f"The source {source.name} is a {source.kind} vector; a language vector is needed.")
    return source
