"""Estimate of a table before it is started: training runs, GPU hours, memory, disk."""

from dataclasses import dataclass
from typing import Any

from deftx.data.sequences import pack
from deftx.data.text import read_corpus, split
from deftx.evidence.grid import Vector
from deftx.evidence.labelled import labelled_rows
from deftx.evidence.run import Run
from deftx.models.batches import encode
from deftx.training.estimates import POSITION, VALUE
from deftx.training.model_size import Model
from deftx.training.recipes import LanguageRecipe, TaskRecipe
from deftx.training.run_folder import NOT_RETRAINED, bytes_needed

SUSTAINED = 120e12  # operations per second of training in bfloat16: 40 % of an A100's 312e12


@dataclass(frozen=True)
class Plan:
    """The totals of a table's training runs."""

    vectors: int
    dense_phases: int
    sparse_phases: int
    steps: int
    operations: float
    gpu_hours: float
    memory_gb: float
    run_disk_gb: float  # of one training run
    kept_disk_gb: float  # of all finished vectors

    def lines(self) -> list[tuple[str, str]]:
        """Return the fields as (description, text)."""
        return [
            ("vectors", f"{self.vectors:,}"),
            ("dense phases (shared by rows)", f"{self.dense_phases:,}"),
            ("sparse phases", f"{self.sparse_phases:,}"),
            ("optimiser steps", f"{self.steps:,}"),
            ("GPU hours, at 120 TFLOP/s", f"{self.gpu_hours:,.1f}"),
            ("memory of one training run", f"{self.memory_gb:,.1f} GB"),
            ("disk of one training run", f"{self.run_disk_gb:,.1f} GB"),
            ("disk of all vectors", f"{self.kept_disk_gb:,.1f} GB"),
        ]


@dataclass(frozen=True)
class Training:
    """One vector of the plan; ``dense_steps`` is 0 if it uses the dense phase of another vector."""

    dense_steps: int
    sparse_steps: int
    operations: float
    memory: float
    disk: int  # during training
    stored: int


def plan(run: Run, base: Any) -> Plan:
    """Return the estimate for ``train_all`` on this base, from the lengths of the texts."""
    model, lengths = Model.of(base.model), Lengths(run, base)
    runs = [
        _training(run.recipe(vector, model.width), vector, lengths, model, first=vector is group[0])
        for wave in run.groups()
        for group in wave
        for vector in group
    ]
    operations = sum(t.operations for t in runs)
    return Plan(
        vectors=len(runs),
        dense_phases=sum(t.dense_steps > 0 for t in runs),
        sparse_phases=sum(t.sparse_steps > 0 for t in runs),
        steps=sum(t.dense_steps + t.sparse_steps for t in runs),
        operations=operations,
        gpu_hours=operations / SUSTAINED / 3600,
        memory_gb=max(t.memory for t in runs) / 1e9,
        run_disk_gb=max(t.disk for t in runs) / 1e9,
        kept_disk_gb=sum(t.stored for t in runs) / 1e9,
    )


def _training(
    recipe: LanguageRecipe | TaskRecipe, vector: Vector, lengths: "Lengths", model: Model, first: bool
) -> Training:
    examples, tokens = lengths.of(vector, recipe)
    dense = recipe.steps(examples, "dense") if first else 0
    sparse = 0 if recipe.ablate in NOT_RETRAINED else recipe.steps(examples, "sparse")
    entries = model.trainable if recipe.ablate == "dense-delta" else recipe.count(model.trainable)
    operations = (dense + sparse) * model.step_operations(recipe, tokens)
    disk = bytes_needed(model.trainable, model.head(vector.kind), recipe)
    return Training(dense, sparse, operations, model.memory(recipe), disk, entries * (VALUE[recipe.values] + POSITION))


class Lengths:
    """Counts the examples and tokens of each text, once per text."""

    def __init__(self, run: Run, base: Any) -> None:
        self.run, self.base = run, base
        self._known: dict[tuple[str, str, int], tuple[int, float]] = {}

    def of(self, vector: Vector, recipe: LanguageRecipe | TaskRecipe) -> tuple[int, float]:
        """Return the number of sequences or rows that a vector is trained on, and their mean number of tokens."""
        key = (
            vector.kind,
            f"{vector.language}{vector.learned_from}-{vector.seed if vector.few else ''}",
            recipe.max_length,
        )
        if key not in self._known:
            is_language = isinstance(recipe, LanguageRecipe)
            self._known[key] = self._corpus(vector, recipe) if is_language else self._rows(vector, recipe)
        return self._known[key]

    def _corpus(self, vector: Vector, recipe: LanguageRecipe) -> tuple[int, float]:
        lines = read_corpus(self.run.setting.corpus(self.run.data, vector.language)).lines
        train, _ = split(lines, recipe.hold_out, recipe.seed)
        return len(pack(train, self.base.tokenizer, recipe.max_length)), recipe.max_length

    def _rows(self, vector: Vector, recipe: TaskRecipe) -> tuple[int, float]:
        rows = labelled_rows(self.run.setting, self.run.data, vector)
        some = encode(self.base.tokenizer, rows[0].table.texts[:2000], recipe.max_length)
        # As in training, each pass over a file ends with a batch that may be smaller, which counts as a step.
        size = recipe.batch_size
        seen = len(rows[0].table) if len(rows) == 1 else sum(r.repeat * -(-len(r.table) // size) for r in rows) * size
        return seen, sum(map(len, some)) / len(some)
