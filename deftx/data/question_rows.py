"""Questions that are answered from a text: the class ``QuestionTable``, findings on it, and the choice for validation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from json import dumps
from typing import Any

import numpy as np

from deftx.core.errors import TableError
from deftx.data.splitting import choose_groups, fold, group_equal

FEW_QUESTIONS = 50  # fewer say little about what a question asks for


@dataclass(frozen=True)
class Answer:
    """A correct answer, and where it begins in the text, in characters."""

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question on a text, and its correct answers, of which training uses the first; none if the text does not answer it."""

    id: str
    text: str
    context: str
    answers: tuple[Answer, ...] = ()

    @property
    def gold(self) -> list[str]:
        """The texts of its correct answers."""
        return [answer.text for answer in self.answers]


@dataclass(frozen=True)
class QuestionTable:
    """The questions of a file.

    ``dropped`` counts the questions that were left out, by reason, and ``repaired`` the answers whose offset was corrected;
    ``notes`` describe both. ``fingerprint`` is the SHA-256 over the questions, each written as a JSON array and a line feed.
    """

    questions: list[Question]
    name: str
    fingerprint: str
    dropped: dict[str, int] = field(default_factory=dict)
    repaired: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of questions."""
        return len(self.questions)

    @property
    def texts(self) -> list[str]:
        """The text of each question's paragraph."""
        return [question.context for question in self.questions]

    @property
    def paragraphs(self) -> int:
        """The number of different texts."""
        return len(set(self.texts))

    @property
    def unanswerable(self) -> int:
        """The number of questions that their text does not answer."""
        return sum(not question.answers for question in self.questions)

    def keep(self, positions: Iterable[int]) -> "QuestionTable":
        """Return a table of only the questions at these positions.

        Args:
            positions: Indices of questions, from 0, in the order of the new table.
        """
        kept = [self.questions[at] for at in positions]
        return replace(self, questions=kept, fingerprint=fingerprint_of(kept))


def fingerprint_of(questions: Iterable[Question]) -> str:
    """Return the SHA-256 of questions in their order."""
    digest = sha256()
    for one in questions:
        row = (one.text, one.context, [(answer.text, answer.start) for answer in one.answers])
        digest.update(dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def join_question_tables(tables: Sequence[QuestionTable]) -> QuestionTable:
    """Return the questions of all tables in their order; one table is returned as it is."""
    if len(tables) == 1:
        return tables[0]
    questions = [question for table in tables for question in table.questions]
    dropped = dict(sum((Counter(table.dropped) for table in tables), Counter()))
    notes = tuple(note for table in tables for note in table.notes)
    name, repaired = ", ".join(table.name for table in tables), sum(table.repaired for table in tables)
    return QuestionTable(questions, name, fingerprint_of(questions), dropped, repaired, notes)


def hold_out_paragraphs(table: QuestionTable, share: float, seed: int) -> tuple[QuestionTable, QuestionTable]:
    """Split questions at random into (training, validation); all questions on a text go to the same side.

    Raises TableError if there is only one text.
    """
    valid = set(choose_groups(group_equal(_folded(table)), share, np.random.default_rng(seed)))
    if not valid:
        raise TableError(f"{table.name} has only one text, so none can be held out. Give a validation file.")
    train = table.keep(at for at in range(len(table)) if at not in valid)
    held = table.keep(sorted(valid))
    # What was left out of the file or repaired is reported once, with the training questions.
    return train, replace(held, name=f"{table.name} (held out)", dropped={}, repaired=0, notes=())


def check_questions(train: QuestionTable, valid: QuestionTable | None = None) -> dict[str, Any]:
    """Return findings on the questions before training, for vector.json. Raise TableError if there is nothing to learn."""
    if train.unanswerable == len(train):
        raise TableError(f"No question of {train.name} has an answer: there is nothing to learn.")
    shared = len(set(_folded(train)) & set(_folded(valid))) if valid else 0
    found = _Findings(
        train.paragraphs, train.unanswerable, valid.unanswerable if valid else 0,
        dict(Counter(train.dropped) + Counter(valid.dropped if valid else {})),
        train.repaired + (valid.repaired if valid else 0), shared, [*train.notes, *(valid.notes if valid else ())],
    )  # fmt: skip
    found.warnings.extend(_warnings(found, train, valid))
    return asdict(found)


def counted_questions(count: int) -> str:
    """Return a number of questions in words, such as "1 question"."""
    return f"{count:,} question" if count == 1 else f"{count:,} questions"


@dataclass(frozen=True)
class _Findings:
    paragraphs: int  # different training texts
    unanswerable: int  # training questions without an answer
    valid_unanswerable: int
    dropped: dict[str, int]
    repaired: int
    shared: int  # texts that are in both
    warnings: list[str]


def _warnings(found: _Findings, train: QuestionTable, valid: QuestionTable | None) -> list[str]:
    warnings = []
    if (count := len(train) - found.unanswerable) < FEW_QUESTIONS:
        warnings.append(f"{train.name} has only {counted_questions(count)} with an answer: too few to learn well.")
    if valid and found.valid_unanswerable and not found.unanswerable:
        warnings.append(
            f"{valid.name} has questions without an answer and {train.name} has none: every question gets an answer, and "
            "these count as wrong."
        )
    if valid and found.shared:
        warnings.append(
            f"{valid.name}: {found.shared:,} of its texts also in {train.name}; the score will be too good."
        )
    return warnings


def _folded(table: QuestionTable) -> list[str]:
    folded = {text: fold(text) for text in set(table.texts)}
    return [folded[text] for text in table.texts]
