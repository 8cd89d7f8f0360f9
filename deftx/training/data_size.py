"""The amount of data of a training run: lines or rows, and tokens, which are estimated from a sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deftx.data.labels import drop_unknown_labels
from deftx.data.splitting import fold
from deftx.data.table_rows import Table, hold_out, join_tables, label_names
from deftx.data.tables import check
from deftx.data.token_rows import TokenTable, check_tokens, hold_out_sentences, join_token_tables
from deftx.models.batches import encode
from deftx.training.recipes import LanguageRecipe, TaskRecipe
from deftx.training.sources import check_same_kind, fitting

SAMPLE = 2_000  # lines or rows whose tokens are counted, to extrapolate


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
