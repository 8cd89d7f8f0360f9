"""Composing a classifier: θ_TL = θ0 + (s_T·φ_T + s_L·φ_L), with the task's head (section 3.2 of the paper)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel

from deftx.classify.answerer import Answerer
from deftx.classify.classifier import Classifier
from deftx.classify.tagger import Tagger
from deftx.core.errors import RecipeError, VectorError
from deftx.core.events import Listener, ignore
from deftx.core.units import QUESTION, TEXT, WORD
from deftx.models.answer_spans import MOST_ANSWERS
from deftx.models.bases import Base
from deftx.models.parameters import head_parameters, sparse_trainable
from deftx.models.question_windows import STRIDE, WINDOW
from deftx.training.recipes import TaskRecipe
from deftx.vectors.apply import Scaled, apply_changes
from deftx.vectors.description import calibration_of
from deftx.vectors.merging import PAPER, merge
from deftx.vectors.vector import SparseVector

VectorLike = SparseVector | str | os.PathLike


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
        The classifier in evaluation mode, on the base's device, with the report of the merge method: a ``Tagger`` if the
        task vector tags words, an ``Answerer`` if it answers questions.

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
    """Return a classifier on a copy of θ0 with the head of a task, without any vector added, of the class for the task's unit."""
    model = base.classifier_without_head(task.labels, unit=task.unit)
    _put_head(model, task)
    if task.unit == QUESTION:
        recipe = _question_settings(task)
        wanted, more = recipe.window or WINDOW, _of_questions(recipe, task)
    else:
        wanted, more = (task.info.get("recipe") or {}).get("max_length", 128), {}
    length = base.fitting_length(wanted, Listener(ignore, lambda: False))
    return _CLASSES[task.unit](base, model.eval(), task.labels, length, calibration=calibration_of(task.info), **more)


_CLASSES: dict[str, type[Classifier]] = {TEXT: Classifier, WORD: Tagger, QUESTION: Answerer}


def _question_settings(task: SparseVector) -> TaskRecipe:
    """Return the settings for questions, which anybody may have written. Raise VectorError if they cannot be used."""
    recipe = task.info.get("recipe") or {}
    given: dict[str, Any] = {name: recipe.get(name) for name in ("window", "stride", "n_best")}
    if any(value is not None and type(value) is not int for value in given.values()):
        raise VectorError(f"The settings for questions of {task.name} are not whole numbers.")
    try:
        return TaskRecipe(**given)
    except RecipeError as error:
        raise VectorError(f"The settings for questions of {task.name} cannot be used: {error}") from error


def _of_questions(recipe: TaskRecipe, task: SparseVector) -> dict[str, Any]:
    """Return the fields of an Answerer, from the recipe of its task and the questions that it learned from."""
    return {
        "stride": STRIDE if recipe.stride is None else recipe.stride,
        "n_best": recipe.n_best or MOST_ANSWERS,
        "may_refuse": bool((task.info.get("corpus") or {}).get("unanswerable")),
    }


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
