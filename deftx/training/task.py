"""Task vectors: classification of sentences, pairs or words, and answers to questions, in a language that has labels."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from transformers import PreTrainedModel

from deftx.core.events import Event, Listener, OnEvent
from deftx.core.units import QUESTION, WORD
from deftx.data.lexicon import Lexicon
from deftx.data.question_rows import QuestionTable, join_question_tables
from deftx.data.table_rows import Table, join_tables, label_names
from deftx.data.token_rows import TokenTable, join_token_tables
from deftx.data.token_tables import read_labelled
from deftx.models.bases import Base
from deftx.models.parameters import canonical_parameters, head_parameters, sparse_trainable
from deftx.training import distributed
from deftx.training.continuing import begin_with, with_selection_of
from deftx.training.finish import finish, work_folder
from deftx.training.learned import Learner
from deftx.training.loop import stoppable
from deftx.training.parts import EVALUATION, part
from deftx.training.question_task import prepare_question_sources, question_objective
from deftx.training.recipes import TaskRecipe, recipe_for
from deftx.training.sources import (
    LABELLED,
    Labelled,
    Source,
    check_same_kind,
    checked,
    gather,
    identity_of,
    parts_of,
    shared_vector,
    translated,
)
from deftx.training.task_objective import TaskObjective
from deftx.training.text_task import prepare_sources, task_objective
from deftx.training.token_task import prepare_token_sources, token_objective
from deftx.vectors.apply import apply_vectors
from deftx.vectors.vector import SparseVector

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

SCORE_NAMES = {
    "f1": "macro-F1", "accuracy": "accuracy", "entity_f1": "entity F1", "answer_f1": "F1 of answers",
    "exact_match": "exact match",
}  # fmt: skip


def learn_task(
    train: "str | os.PathLike | Labelled | Dataset | IterableDataset | Sequence[str | os.PathLike | Labelled]",
    base: Base,
    recipe: TaskRecipe | str,
    *,
    out: str | os.PathLike,
    valid: "str | os.PathLike | Labelled | Dataset | IterableDataset | None" = None,
    source: SparseVector | str | os.PathLike | Sequence[SparseVector | str | os.PathLike | None] | None = None,
    repeat: int | Sequence[int] = 1,
    lexicon: Lexicon | str | os.PathLike | Sequence[Lexicon | str | os.PathLike | Sequence | None] | None = None,
    start: SparseVector | str | os.PathLike | None = None,
    language: str | None = None,
    delta: str | os.PathLike | None = None,
    on_event: OnEvent | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SparseVector:
    """Learn a task vector φ_T from labelled text and write it to the folder ``out``.

    A training run that was stopped resumes when it is called again with the same arguments.

    Args:
        train: The labelled rows, or what they are read from: a file, or a data set of ``datasets``. A list of several trains
            on all of them, in batches of rows of one. Rows of words with tags give a vector that tags words: names, or
            parts of speech. Questions with answers give one that marks answers in texts.
        base: The base model.
        recipe: The settings, or the name of a preset ("quick", "standard" or "paper").
        out: The folder for the vector; checkpoints are kept there during training.
        valid: The validation rows, in the language of ``train`` or of its first file. By default a stratified part of these
            rows is held out.
        source: A vector of the language of the labelled text. Training starts from θ0 + φ_source, and φ_T does not
            contain φ_source. For a list of files, a list with a vector or None for each: training starts from θ0, and a
            file's vector is on while the gradients of its rows are computed.
        repeat: How often an epoch passes over the rows; for a list of files, a list with a number for each.
        lexicon: A word list from the language of the labelled text to another one, or several: some words of the training
            rows are replaced by their translations (the setting ``lexicon_share``). For a list of files, a list with a word
            list, several, or None for each.
        start: A task vector to train further, for example on a few rows: its entries and its head are trained from their
            values, and no other entries are selected. The settings of the dense phase and of the selection have no effect.
        language: The language's code, for the vector's description.
        delta: A folder that keeps δ, the change after the dense phase, for further runs.
        on_event: Called with the progress.
        should_stop: Called regularly; if it returns True, training stops at a checkpoint.

    Returns:
        The vector, as read from ``out``.

    Raises:
        TableError: If the rows cannot be used.
        RecipeError: If a setting or folder cannot be used.
        VectorError: If the source vector or ``start`` cannot be used.
        TrainingStopped: If training was stopped; the checkpoint is kept in ``out``.
        TrainingError: If training failed; the checkpoint is kept in ``out``.
    """
    distributed.join(base.device)
    listener = distributed.listener_for(on_event, should_stop)
    out, run = work_folder(out, delta)
    start = checked(base, start, "task")
    sources = gather(base, train, source, repeat, lexicon, start)
    first = sources[0].table
    given: Any = valid if valid is None or isinstance(valid, LABELLED) else read_labelled(valid)
    if given is not None:
        check_same_kind(first, given)
    pairs = isinstance(first, Table) and first.pairs
    recipe = recipe_for("task", recipe, pairs=pairs) if isinstance(recipe, str) else recipe
    recipe = distributed.share(recipe, listener)
    if start is not None:
        recipe = with_selection_of(start, recipe)
    identity = identity_of(base, sources, given, start)
    others = {TokenTable: _words, QuestionTable: _questions}
    prepare = others.get(type(first)) or partial(_texts, labels=start.labels if start else None)
    prepared = prepare(sources, given, base, recipe, listener)
    objective, shared = prepared.objective, prepared.shared
    learner = task_learner(base, objective, identity, shared, start)
    scores = comparison(learner, objective, listener)
    about = {**prepared.about, **_described(prepared.sources),
             **({"started_from": start.name} if start is not None else {})}  # fmt: skip
    return finish(
        learner, base, recipe, out, run, delta, listener, scores, about, language=language, labels=objective.labels
    )


@dataclass(frozen=True)
class _Prepared:
    """The objective of a task, the vector that all sources have in common, the sources, and fields of vector.json."""

    objective: TaskObjective
    shared: SparseVector | None
    sources: list[Source]
    about: dict[str, Any]


def _texts(
    sources: list[Source], valid: Table | None, base: Base, recipe: TaskRecipe, listener: Listener,
    labels: list[str] | None = None,
) -> _Prepared:  # fmt: skip
    if labels is None and len(sources) > 1:
        # All rows of a label may be held out of the first file, but not of the others.
        labels = label_names(sources[0].table)
    sources, valid, findings = prepare_sources(sources, valid, recipe, listener, labels)
    labels = labels or label_names(sources[0].table)
    shared, sources_on = shared_vector(translated(sources, recipe.lexicon_share, recipe.seed, listener))
    rows = join_tables([source.table for source in sources_on])
    objective = task_objective(rows, valid, labels, base, recipe, listener, parts_of(sources_on, base.device))
    about = {"rows": len(rows.texts), "valid_rows": len(valid.texts), "pairs": rows.pairs, **findings}
    return _Prepared(objective, shared, sources, about)


def _words(
    sources: list[Source], valid: TokenTable | None, base: Base, recipe: TaskRecipe, listener: Listener
) -> _Prepared:
    sources, valid, findings = prepare_token_sources(sources, valid, recipe, listener)
    shared, sources_on = shared_vector(sources)
    rows = join_token_tables([source.table for source in sources_on])
    objective = token_objective(rows, valid, base, recipe, listener, parts_of(sources_on, base.device))
    words = sum(map(len, rows.sentences))
    about = {"unit": WORD, "rows": len(rows), "words": words, "valid_rows": len(valid), **findings}
    return _Prepared(objective, shared, sources, about)


def _questions(
    sources: list[Source], valid: QuestionTable | None, base: Base, recipe: TaskRecipe, listener: Listener
) -> _Prepared:
    sources, valid, findings = prepare_question_sources(sources, valid, recipe, listener)
    shared, sources_on = shared_vector(sources)
    rows = join_question_tables([source.table for source in sources_on])
    objective = question_objective(rows, valid, base, recipe, listener, parts_of(sources_on, base.device))
    about = {"unit": QUESTION, "rows": len(rows), "valid_rows": len(valid), **findings}
    return _Prepared(objective, shared, sources, about)


def comparison(
    learner: Learner, objective: TaskObjective, listener: Listener
) -> Callable[[PreTrainedModel], dict[str, Any]]:
    """Score the model before training; return a function that scores it after training and returns both scores."""
    with part(EVALUATION), stoppable(learner.model, listener):
        before = objective.scores(objective.predicted(learner.model.eval()))

    def scores(model: PreTrainedModel) -> dict[str, Any]:
        logits, metric = objective.valid_logits(model.eval()), objective.metric
        predicted = objective.answers(logits)
        after = objective.scores(predicted)
        message = f"Validation: {', '.join(f'{SCORE_NAMES[name]} {value:.3f}' for name, value in after.items())}."
        listener.on_event(Event("evaluate", 2, 2, evaluation=after[metric], metric=metric, message=message))
        compared = {name: {"before": before[name], "after": after[name]} for name in after}
        return {**compared, **objective.details(predicted, logits)}

    return scores


def task_learner(
    base: Base, objective: TaskObjective, identity: dict, source: SparseVector | None,
    start: SparseVector | None = None,
) -> Learner:  # fmt: skip
    """Return a learner on a classifier that starts from θ0 or θ0 + φ_source, with a head initialised from the seed.

    With ``start``, a task vector to train further, it has that vector and its head.
    """
    model = base.classifier(objective.labels, objective.recipe.seed, unit=objective.unit)
    if source is not None:
        apply_vectors(sparse_trainable(model), [(source, 1.0)])
    return Learner(
        kind="task",
        model=model,
        trainable=sparse_trainable(model),
        head=head_parameters(model),
        objective=objective,
        examples=objective.examples,
        denominator=sum(p.numel() for p in canonical_parameters(model).values()),
        identity=identity,
        continued=begin_with(start, model) if start is not None else None,
    )


def _described(sources: list[Source]) -> dict:
    """Return the fields of vector.json on the sources; only ``source`` for one that is trained on as it is."""
    first = sources[0].vector.name if len(sources) == 1 and sources[0].vector is not None else None
    plain = len(sources) == 1 and sources[0].is_plain
    return {"source": first, **({} if plain else {"trained_on": [source.to_dict() for source in sources]})}
