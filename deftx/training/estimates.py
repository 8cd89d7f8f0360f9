"""What one training takes, reckoned before it starts: steps, operations, time, memory, disk, and the vector's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from deftx.data.splitting import fold
from deftx.data.tables import Table, check, hold_out
from deftx.models.bases import encoder_parameters, sparse_trainable
from deftx.models.batches import encode
from deftx.training.recipes import Recipe
from deftx.training.run_folder import NOT_RETRAINED, bytes_needed
from deftx.training.speed import Speed

PRODUCTS = 6  # operations a weight and token: two forward, four backward (Kaplan et al. 2020)
FORWARD = 2  # of them, in an evaluation
# Bytes a weight in the dense phase: value, gradient, two averages, copy of the start, and the base itself.
TRAINED = 24
ACTIVATIONS = 68  # bytes a layer, token and unit of width in float32 (Korthikanti et al. 2022, without recomputation)
LOGITS = 12  # bytes a masked token and word: logits, their softmax, their gradient
PROCESS = 600_000_000  # bytes: Python, torch and transformers
POSITION = 1  # bytes an entry of a vector on disk: about one for its position (docs/vector-format.md)
VALUE = {"float32": 4, "float16": 2, "bfloat16": 2}  # and these for its value
SAMPLE = 2_000  # lines or rows whose tokens are counted; the rest is taken to be like them


@dataclass(frozen=True)
class Model:
    """The sizes of a base that the cost of a training follows from, in weights."""

    encoder: int
    words: int  # the embedding: looked up, not multiplied with, but for the logits
    trainable: int
    width: int
    layers: int

    @classmethod
    def of(cls, model: nn.Module) -> "Model":
        """Measure a base's model; one without memory for its weights will do."""
        return cls(
            encoder=sum(p.numel() for p in encoder_parameters(model).values()),
            words=model.get_input_embeddings().weight.numel(),
            trainable=sum(p.numel() for p in sparse_trainable(model).values()),
            width=model.config.hidden_size,
            layers=model.config.num_hidden_layers,
        )

    def step_operations(self, recipe: Recipe, tokens: float) -> float:
        """Operations of an optimiser step on examples of so many tokens."""
        return PRODUCTS * recipe.batch_size * tokens * self._multiplied(recipe)

    def evaluation_operations(self, recipe: Recipe, tokens: float) -> float:
        """Operations of one look at held-out text of so many tokens in all."""
        return FORWARD * tokens * self._multiplied(recipe)

    def memory(self, recipe: Recipe) -> float:
        """Bytes of a training at its fullest: the dense phase, while gradients are added up."""
        portion = recipe.batch_size // recipe.accumulation * recipe.max_length
        logits = LOGITS * _asked(recipe) * portion * self.words / self.width
        activations = ACTIVATIONS * self.layers * self.width * portion
        return PROCESS + TRAINED * self.trainable + 4 * self.words + activations + logits

    def head(self, kind: str, labels: int = 2) -> int:
        """Weights trained in full beside M: a dense layer and a norm with a bias for each word, or one row a label."""
        dense = self.width * (self.width + 1)
        return dense + (2 * self.width + self.words // self.width if kind == "language" else labels * (self.width + 1))

    def _multiplied(self, recipe: Recipe) -> float:
        return self.encoder - self.words + _asked(recipe) * self.words


def _asked(recipe: Recipe) -> float:
    return getattr(recipe, "mask_share", 0.0)  # of the tokens: only their logits are worked out


@dataclass(frozen=True)
class Amount:
    """How much one pass reads: examples (sequences or rows), the mean tokens of one, and the tokens held out."""

    examples: int
    tokens: float
    held_out: float


@dataclass(frozen=True)
class TextSize:
    """A corpus in numbers that no setting changes; the tokens are reckoned from a sample of its lines."""

    lines: int
    distinct: int  # lines that differ
    tokens: int  # special ones included

    @classmethod
    def of(cls, lines: Sequence[str], tokenizer: Any) -> "TextSize":
        """Count the lines, and the tokens of at most SAMPLE of them, spread evenly."""
        some = lines[:: -(-len(lines) // SAMPLE)]
        counted = sum(map(len, encode(tokenizer, some, 1_000_000)))
        characters = sum(map(len, lines)) / max(1, sum(map(len, some)))
        return cls(len(lines), len({fold(line) for line in lines}), round(counted * characters))

    def amount(self, recipe: Recipe, longest: int) -> Amount:
        """Give what is read under a recipe, on a base that reads at most ``longest`` tokens at a time."""
        length = min(recipe.max_length, longest)
        share = recipe.hold_out if self.distinct > 1 else 0.0
        trained = self.tokens * (1 - share)
        examples = max(1, -(-round(trained) // length))
        return Amount(examples, trained / examples, self.tokens * (share or 1.0))


@dataclass(frozen=True)
class TableSize:
    """Labelled files in numbers that no setting changes: rows, validation rows (None: to be held out), lengths."""

    rows: int
    valid_rows: int | None
    labels: int
    pairs: bool
    lengths: tuple[int, ...]  # tokens of a sample of the rows

    @classmethod
    def of(cls, train: Table, valid: Table | None, tokenizer: Any) -> "TableSize":
        """Count rows, labels and tokens; TableError where the rows cannot be learned from."""
        found = check(train, valid)
        if valid is None:
            hold_out(train, 0.1, 0)
        some = train.texts[:: -(-len(train) // SAMPLE)]
        lengths = tuple(map(len, encode(tokenizer, some, 1_000_000)))
        return cls(len(train), len(valid) if valid is not None else None, len(found.labels), train.pairs, lengths)

    def amount(self, recipe: Recipe, longest: int) -> Amount:
        """Give what is read under a recipe, on a base that reads at most ``longest`` tokens at a time."""
        length = min(recipe.max_length, longest)
        tokens = sum(min(length, one) for one in self.lengths) / len(self.lengths)
        held_out = round(self.rows * recipe.hold_out) if self.valid_rows is None else self.valid_rows
        return Amount(max(1, self.rows - (held_out if self.valid_rows is None else 0)), tokens, held_out * tokens)


@dataclass(frozen=True)
class Estimate:
    """What a training takes; ``seconds`` is (at the least, at the most), sizes are bytes."""

    dense_steps: int
    sparse_steps: int
    operations: float
    seconds: tuple[float, float]
    memory: float
    disk: int  # while it runs
    vector: int  # what stays
    entries: int  # k

    @property
    def steps(self) -> int:
        """Optimiser steps of both phases."""
        return self.dense_steps + self.sparse_steps


def estimate(kind: str, recipe: Recipe, model: Model, amount: Amount, speed: Speed, labels: int = 2) -> Estimate:
    """Reckon one training of ``kind``; RecipeError where k does not fit the base."""
    dense = recipe.steps(amount.examples, "dense")
    sparse = 0 if recipe.ablate in NOT_RETRAINED else recipe.steps(amount.examples, "sparse")
    looks = 2 + sum(-(-steps // recipe.evaluate_every) for steps in (dense, sparse))  # before and after as well
    filled = amount.examples / (recipe.batch_size * -(-amount.examples // recipe.batch_size))  # the last batch is short
    operations = filled * (dense + sparse) * model.step_operations(recipe, amount.tokens)
    operations += looks * model.evaluation_operations(recipe, amount.held_out)
    selected = recipe.count(model.trainable)
    entries, head = (model.trainable if recipe.ablate == "dense-delta" else selected), model.head(kind, labels)
    return Estimate(
        dense_steps=dense,
        sparse_steps=sparse,
        operations=operations,
        seconds=speed.seconds(operations, dense + sparse),
        memory=model.memory(recipe),
        disk=bytes_needed(model.trainable, head, recipe),
        vector=entries * (VALUE[recipe.values] + POSITION) + 4 * head,
        entries=entries,
    )
