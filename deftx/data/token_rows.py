"""Sentences whose words have tags: the class ``TokenTable``, findings on it, and the choice of sentences for validation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from json import dumps
from typing import Any

import numpy as np

from deftx.core.errors import TableError
from deftx.core.tags import OUTSIDE, marks_entities
from deftx.data.splitting import choose_groups, fold, group_equal

FEW_WORDS = 10  # with fewer words of a tag, its score is mostly chance
MANY_TAGS = 200  # real sets of tags are smaller; more are mostly words or lemmas

# Names of the columns of words and tags in published data sets, the expected one first.
TOKENS, TAGS = ("tokens", "words", "form"), ("tags", "ner_tags", "upos", "pos_tags", "labels")

Words = tuple[str, ...]


@dataclass(frozen=True)
class TokenTable:
    """Sentences of a file as words, and the tag of each word.

    ``dropped`` counts the sentences that were left out, by reason, and ``repaired`` the tags that were not in BIO; ``notes``
    describe both. ``fingerprint`` is the SHA-256 over the sentences, each written as a JSON array and a line feed.
    """

    sentences: list[Words]
    tags: list[Words]
    name: str
    fingerprint: str
    dropped: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sentences)

    @property
    def entities(self) -> bool:
        """Whether the tags mark entities (B-PER, I-PER, O), and not a class for each word (NOUN)."""
        return marks_entities(tag for sentence in self.tags for tag in sentence)

    @property
    def texts(self) -> list[str]:
        """The sentences, with a space between two words."""
        return list(map(" ".join, self.sentences))

    def keep(self, positions: Iterable[int]) -> "TokenTable":
        """Return a table of only the sentences at these positions.

        Args:
            positions: Indices of sentences, from 0, in the order of the new table.
        """
        positions = list(positions)
        sentences, tags = [self.sentences[at] for at in positions], [self.tags[at] for at in positions]
        return replace(self, sentences=sentences, tags=tags, fingerprint=fingerprint_of(sentences, tags))


def refuse_words(name: str, columns: Iterable[str]) -> None:
    """Raise TableError if the columns of a file are those of words with tags, where sentences with labels are needed."""
    found = {column.strip().casefold() for column in columns}
    if found.intersection(TOKENS) and found.intersection(TAGS):
        raise TableError(
            f"{name} has words with tags, and sentences with labels are needed here. The command task learns from words "
            "with tags: python -m deftx task."
        )


def tag_names(table: TokenTable) -> list[str]:
    """Return the tags of a table in alphabetical order."""
    return sorted({tag for tags in table.tags for tag in tags})


def fingerprint_of(sentences: Sequence[Words], tags: Sequence[Words]) -> str:
    """Return the SHA-256 of sentences and tags in their order."""
    digest = sha256()
    for row in zip(sentences, tags, strict=True):
        digest.update(dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def join_token_tables(tables: Sequence[TokenTable]) -> TokenTable:
    """Return the sentences of all tables in their order; one table is returned as it is."""
    if len(tables) == 1:
        return tables[0]
    sentences = [sentence for table in tables for sentence in table.sentences]
    tags = [row for table in tables for row in table.tags]
    dropped = dict(sum((Counter(table.dropped) for table in tables), Counter()))
    notes = tuple(note for table in tables for note in table.notes)
    name, repaired = ", ".join(table.name for table in tables), sum(table.repaired for table in tables)
    return TokenTable(sentences, tags, name, fingerprint_of(sentences, tags), dropped, repaired, notes)


def hold_out_sentences(table: TokenTable, share: float, seed: int) -> tuple[TokenTable, TokenTable]:
    """Split sentences at random into (training, validation); equal ones always go to the same side.

    Every tag stays in the training sentences: those that have the last words of one are not held out. Raises TableError if
    no sentence can be held out.
    """
    groups = group_equal(map(fold, table.texts))
    valid = set(choose_groups(groups, share, np.random.default_rng(seed)))
    learned = {tag for at, tags in enumerate(table.tags) if at not in valid for tag in tags}
    for group in groups:
        tags = {tag for at in group for tag in table.tags[at]}
        if not tags <= learned:
            valid -= set(group)
            learned |= tags
    if not valid:
        raise TableError(f"{table.name} has too few sentences to hold some out for validation. Give a validation file.")
    train = table.keep(at for at in range(len(table)) if at not in valid)
    held = table.keep(sorted(valid))
    # What was left out of the file or repaired is reported once, with the training sentences.
    return train, replace(held, name=f"{table.name} (held out)", dropped={}, repaired=0, notes=())


def check_tokens(train: TokenTable, valid: TokenTable | None = None) -> dict[str, Any]:
    """Return findings on the sentences before training, for vector.json. Raise TableError if there is nothing to learn."""
    counts = Counter(tag for tags in train.tags for tag in tags)
    if len(counts) < 2:
        raise TableError(f"Every word of {train.name} has the tag {next(iter(counts))!r}: there is nothing to learn.")
    check_same_scheme(train, valid)
    rows = list(map(fold, train.texts))
    shared = len(set(rows) & set(map(fold, valid.texts))) if valid else 0
    valid_counts = Counter(tag for tags in valid.tags for tag in tags) if valid else Counter()
    findings = _Findings(
        dict(sorted(counts.items())), dict(sorted(valid_counts.items())),
        dict(Counter(train.dropped) + Counter(valid.dropped if valid else {})),
        train.repaired + (valid.repaired if valid else 0), len(rows) - len(set(rows)), shared,
        [*train.notes, *(valid.notes if valid else ())],
    )  # fmt: skip
    findings.warnings.extend(_warnings(findings, train.name, valid.name if valid else ""))
    return asdict(findings)


def check_same_scheme(first: TokenTable, other: TokenTable | None) -> None:
    """Raise TableError if one table marks entities and the other has classes of words; words that are all O are neither."""
    if other is not None and first.entities != other.entities and [OUTSIDE] not in map(tag_names, (first, other)):
        kinds = {True: "entities", False: "a class of each word"}
        raise TableError(
            f"The tags of {first.name} mark {kinds[first.entities]}, but those of {other.name} {kinds[other.entities]}."
        )


@dataclass(frozen=True)
class _Findings:
    tags: dict[str, int]  # words of the training sentences
    valid_tags: dict[str, int]
    dropped: dict[str, int]
    repaired: int
    duplicates: int  # training sentences equal to an earlier one
    shared: int  # different sentences that are in both
    warnings: list[str]


def _warnings(found: _Findings, train: str, valid: str) -> list[str]:
    warnings = []
    if len(found.tags) > MANY_TAGS:
        warnings.append(f"{train} has {len(found.tags):,} different tags. Is the column of tags the right one?")
    rare = [tag for tag, count in found.tags.items() if count < FEW_WORDS]
    if rare and len(found.tags) <= MANY_TAGS:
        warnings.append(f"{train} has fewer than {FEW_WORDS} words of {', '.join(rare)}: too few to learn well.")
    if found.duplicates:
        warnings.append(f"{train}: {counted_sentences(found.duplicates)} equal to an earlier one.")
    if unknown := [tag for tag in found.valid_tags if tag not in found.tags]:
        words = sum(found.valid_tags[tag] for tag in unknown)
        warnings.append(
            f"{valid} has tags that {train} lacks ({', '.join(unknown)}): their {words:,} words count as wrong."
        )
    if found.shared:
        warnings.append(f"{valid}: {counted_sentences(found.shared)} also in {train}; the score will be too good.")
    return warnings


def counted_sentences(count: int) -> str:
    """Return a number of sentences in words, such as "1 sentence"."""
    return f"{count:,} sentence" if count == 1 else f"{count:,} sentences"
