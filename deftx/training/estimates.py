"""Estimate of a training run before it starts: steps, operations, time, memory, disk, and the vector's size."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from deftx.data.labels import drop_unknown_labels
from deftx.data.splitting import fold
from deftx.data.table_rows import Table, hold_out, join_tables, label_names
from deftx.data.tables import check
from deftx.data.token_rows import TokenTable, check_tokens, hold_out_sentences, join_token_tables
from deftx.models.batches import encode
from deftx.models.decoders import predicts_next
from deftx.models.families import word_embeddings
from deftx.models.parameters import encoder_parameters, sparse_trainable
from deftx.training.recipes import LanguageRecipe, Recipe, TaskRecipe
from deftx.training.run_folder import NOT_RETRAINED, bytes_needed
from deftx.training.sources import check_same_kind, fitting
from deftx.training.speed import Speed

PRODUCTS = 6  # operations per weight and token: two forward, four backward (Kaplan et al. 2020)
FORWARD = 2  # operations per weight and token in an evaluation
# Bytes per weight in the dense phase: value, gradient, two moments, copy of the start, and the base itself.
TRAINED = 24
ACTIVATIONS = 68  # bytes per layer, token and hidden unit in float32 (Korthikanti et al. 2022, without recomputation)
LOGITS = 12  # bytes per predicted token and vocabulary entry: logits, softmax, gradient
PROCESS = 600_000_000  # bytes: Python, torch and transformers
POSITION = 1  # bytes per position of a vector on disk, approximately (docs/vector-format.md)
VALUE = {"float32": 4, "float16": 2, "bfloat16": 2}  # bytes per value
EIGENVECTORS = 9  # operations per cubed side of the Gram matrix (Golub and Van Loan, section 8.3)
DENOISING_RATE = 5e10  # operations per second in float64: half of what two cores reached (docs/benchmarks.md)
SAMPLE = 2_000  # lines or rows whose tokens are counted, to extrapolate


@dataclass(frozen=True)
class Model:
    """The sizes of a base that determine the cost of a training run, in weights."""

    encoder: int
    words: int  # word embeddings: no matrix product, except for the logits
    trainable: int
    width: int
    layers: int
    all_positions: bool = False  # a decoder predicts at every position, so that each has its logits
    whole: int = 0  # weights of the base that this one was trimmed from, if a run keeps it in memory to lift the vector
    embedding: int = 0  # width of the word embeddings, if it is not that of the layers (ALBERT, ELECTRA, RemBERT)

    @property
    def rows(self) -> int:
        """The number of pieces."""
        return self.words // (self.embedding or self.width)

    @classmethod
    def of(cls, model: PreTrainedModel) -> "Model":
        """Return the sizes of a base's model, which may be on the meta device."""
        return cls(
            encoder=sum(p.numel() for p in encoder_parameters(model).values()),
            words=word_embeddings(model).numel(),
            embedding=word_embeddings(model).shape[1],
            trainable=sum(p.numel() for p in sparse_trainable(model).values()),
            width=model.config.hidden_size,
            layers=model.config.num_hidden_layers,
            all_positions=predicts_next(model.config),
        )

    def with_rows(self, rows: int) -> "Model":
        """Return the sizes of the base trimmed to ``rows`` pieces by a run that keeps the whole base in memory."""
        dropped = (self.rows - rows) * (self.embedding or self.width)
        smaller = {name: getattr(self, name) - dropped for name in ("encoder", "words", "trainable")}
        return replace(self, **smaller, whole=self.encoder)

    def step_operations(self, recipe: Recipe, tokens: float) -> float:
        """Return the operations of an optimiser step, for examples with ``tokens`` tokens each."""
        return PRODUCTS * recipe.batch_size * tokens * self._multiplied(recipe)

    def evaluation_operations(self, recipe: Recipe, tokens: float) -> float:
        """Return the operations of one evaluation on ``tokens`` tokens in total."""
        return FORWARD * tokens * self._multiplied(recipe)

    def memory(self, recipe: Recipe) -> float:
        """Return the peak memory of a training run in bytes, which is reached in the dense phase."""
        portion = recipe.batch_size // recipe.accumulation * recipe.max_length
        logits = LOGITS * self._asked(recipe) * portion * self.rows
        activations = ACTIVATIONS * self.layers * self.width * portion
        return PROCESS + TRAINED * self.trainable + 4 * (self.words + self.whole) + activations + logits

    def head(self, kind: str, labels: int = 2) -> int:
        """Return the number of head weights: a dense layer, plus a norm and a bias per word, or a row per label."""
        dense = self.width * (self.width + 1)
        return dense + (2 * self.width + self.rows if kind == "language" else labels * (self.width + 1))

    def _multiplied(self, recipe: Recipe) -> float:
        return self.encoder - self.words + self._asked(recipe) * self.words

    def _asked(self, recipe: Recipe) -> float:
        """Return the share of the tokens whose logits are computed: of an encoder, only those of masked tokens."""
        if not isinstance(recipe, LanguageRecipe):
            return 0.0
        return 1.0 if self.all_positions else recipe.mask_share


def denoising_seconds(delta: Iterable[Tensor]) -> float:
    """Return the estimated seconds to decompose and denoise every matrix of δ, cautiously and whatever the device."""
    shapes = [sorted(one.shape) for one in delta if one.dim() == 2]
    # WᵀW (its lower triangle), its eigenvectors, and the two products of L = WVVᵀ.
    return sum(5 * long * short**2 + EIGENVECTORS * short**3 for short, long in shapes) / DENOISING_RATE


@dataclass(frozen=True)
class Amount:
    """The amount of data: examples (sequences or rows), mean tokens of an example, and held-out tokens."""

    examples: int
    tokens: float
    held_out: float


@dataclass(frozen=True)
class TextSize:
    """The size of a corpus, whatever the settings. The number of tokens is estimated from a sample of lines."""

    lines: int
    distinct: int  # distinct lines
    tokens: int  # special tokens included

    @classmethod
    def of(cls, lines: Sequence[str], tokenizer: Any) -> "TextSize":
        """Count the lines, and estimate the tokens from about SAMPLE evenly spread lines."""
        some = lines[:: -(-len(lines) // SAMPLE)]
        counted = sum(map(len, encode(tokenizer, some, 1_000_000)))
        characters = sum(map(len, lines)) / max(1, sum(map(len, some)))
        return cls(len(lines), len({fold(line) for line in lines}), round(counted * characters))

    def amount(self, recipe: LanguageRecipe, longest: int) -> Amount:
        """Return the amount of data for a recipe, on a base with inputs of at most ``longest`` tokens."""
        length = min(recipe.max_length, longest)
        share = recipe.hold_out if self.distinct > 1 else 0.0
        trained = self.tokens * (1 - share)
        examples = max(1, -(-round(trained) // length))
        return Amount(examples, trained / examples, self.tokens * (share or 1.0))


@dataclass(frozen=True)
class TableSize:
    """The size of labelled files, whatever the settings. ``valid_rows`` is None if rows are to be held out.

    ``rows`` are those of the first file, with ``repeat`` passes in an epoch; ``further`` are the rows of the others, each
    counted as often as an epoch passes over it.
    """

    rows: int
    valid_rows: int | None
    labels: int
    pairs: bool
    lengths: tuple[int, ...]  # tokens of a sample of the rows
    repeat: int = 1
    further: int = 0

    @classmethod
    def of(
        cls, train: Table | TokenTable, valid: Table | TokenTable | None, tokenizer: Any, repeat: int = 1,
        further: Sequence[tuple[Table | TokenTable, int]] = (), labels: Sequence[str] | None = None,
    ) -> "TableSize":  # fmt: skip
        """Count rows, labels and tokens. Raise TableError if the rows cannot be used for training.

        ``further`` are the other labelled files, each with its passes; ``labels`` those of a task vector that is trained further.
        Of words with tags, a row is a sentence.
        """
        if valid is not None:
            check_same_kind(train, valid)
        tables = fitting([train, *(table for table, _ in further)], labels)
        count = (
            _checked_words(tables, valid) if isinstance(train, TokenTable) else _checked_texts(tables, valid, labels)
        )
        texts = [text for table in tables for text in table.texts]
        lengths = tuple(map(len, encode(tokenizer, texts[:: -(-len(texts) // SAMPLE)], 1_000_000)))
        others = sum(len(table) * passes for table, passes in further)
        valid_rows = len(valid) if valid is not None else None
        pairs = isinstance(train, Table) and train.pairs
        return cls(len(train), valid_rows, count, pairs, lengths, repeat, others)

    def amount(self, recipe: TaskRecipe, longest: int) -> Amount:
        """Return the amount of data for a recipe, on a base with inputs of at most ``longest`` tokens."""
        length = min(recipe.max_length, longest)
        tokens = sum(min(length, one) for one in self.lengths) / len(self.lengths)
        held_out = round(self.rows * recipe.hold_out) if self.valid_rows is None else self.valid_rows
        rows = max(1, self.rows - (held_out if self.valid_rows is None else 0))
        return Amount(self.repeat * rows + self.further, tokens, held_out * tokens)


def _checked_texts(tables: Sequence[Table], valid: Any, labels: Sequence[str] | None) -> int:
    """Return the number of labels. Raise TableError if the rows cannot be used for training."""
    found = check(join_tables(tables), valid, labels)
    if valid is None:
        hold_out(tables[0], 0.1, 0)
    else:
        drop_unknown_labels(valid, labels or label_names(tables[0]))
    return len(labels or found.labels)


def _checked_words(tables: Sequence[TokenTable], valid: Any) -> int:
    """Return the number of tags. Raise TableError if the sentences cannot be used for training."""
    found = check_tokens(join_token_tables(tables), valid)
    if valid is None:
        hold_out_sentences(tables[0], 0.1, 0)
    return len(found["tags"])


@dataclass(frozen=True)
class Estimate:
    """The estimate of a training run. ``seconds`` is (shortest, longest); sizes are in bytes."""

    dense_steps: int
    sparse_steps: int
    operations: float
    seconds: tuple[float, float]
    memory: float
    disk: int  # during training
    vector: int  # the finished vector
    entries: int  # k

    @property
    def steps(self) -> int:
        """The optimiser steps of both phases."""
        return self.dense_steps + self.sparse_steps


def estimate(
    kind: str, recipe: Recipe, model: Model, amount: Amount, speed: Speed, labels: int = 2, continues: bool = False
) -> Estimate:
    """Estimate a training run of ``kind``. Raise RecipeError if k is too large for the base.

    ``continues`` says that a vector is trained further, without a dense phase.
    """
    dense = 0 if continues else recipe.steps(amount.examples, "dense")
    sparse = 0 if recipe.ablate in NOT_RETRAINED else recipe.steps(amount.examples, "sparse")
    evaluations = 2 + sum(-(-steps // recipe.evaluate_every) for steps in (dense, sparse))  # also before and after
    filled = amount.examples / (
        recipe.batch_size * -(-amount.examples // recipe.batch_size)
    )  # the last batch is smaller
    operations = filled * (dense + sparse) * model.step_operations(recipe, amount.tokens)
    operations += evaluations * model.evaluation_operations(recipe, amount.held_out)
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
