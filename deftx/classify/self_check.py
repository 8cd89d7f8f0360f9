"""Evaluation without labels: a person judges the predictions on sentences that are drawn from a text.

DEFTX_HOME/checks stores only counts, no sentences: a folder per pair of vectors, named by their fingerprints, with a file
per check.
"""

import json
import os
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deftx.core.errors import DeftxError, VectorError, one_of, unknown_name
from deftx.core.files import write_json
from deftx.data.splitting import fold
from deftx.vectors import vector_files

COUNT = 50  # sentences of a check
READABLE = (12, 280)  # length of a sentence that can be judged quickly, in characters
LEVEL = 0.95  # of the interval
RIGHT, WRONG, UNSURE = MARKS = ("right", "wrong", "unsure")
FOLDER = "checks"
VERSION = 1
# Fields of every stored check.
COUNTS = {"corpus", "seed", "drawn", "right", "judged", "unsure", "share", "low", "high"}
FINGERPRINT, ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{16}")


class CheckError(DeftxError):
    """A check cannot be started or read."""


@dataclass(frozen=True)
class Accuracy:
    """The share of right predictions among those judged, with its 95 % Wilson interval; each from 0 to 1."""

    right: int
    judged: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Vector:
    """The name of a vector, and the SHA-256 of its tensors."""

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Check:
    """Sentences with a classifier's predictions (``answers``), its labels, and the marks of the first sentences so far."""

    id: str
    task: Vector
    language: Vector | None
    corpus: str
    seed: int
    sentences: tuple[str, ...]
    answers: tuple[str, ...]
    marks: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def choose(self, label: str) -> "Check":
        """Return the check with the label that a person chose for the next sentence: right if it is the predicted one."""
        return self if self.done else self.mark(RIGHT if label == self.answers[len(self.marks)] else WRONG)

    def mark(self, mark: str) -> "Check":
        """Return the check with a mark for the next sentence, or unchanged if all are judged."""
        if mark not in MARKS:
            raise unknown_name("The mark", mark, MARKS, CheckError)
        return self if self.done else replace(self, marks=(*self.marks, mark))

    def undo(self) -> "Check":
        """Return the check without its last mark."""
        return replace(self, marks=self.marks[:-1])

    @property
    def done(self) -> bool:
        """Whether every sentence has a mark."""
        return len(self.marks) == len(self.sentences)

    def accuracy(self) -> Accuracy | None:
        """Return the accuracy over the sentences marked right or wrong, or None if there are none."""
        counts = Counter(self.marks)
        return accuracy(counts[RIGHT], counts[RIGHT] + counts[WRONG])

    def by_answer(self) -> dict[str, dict[str, int]]:
        """Count the marks of each predicted label among the judged sentences, the most frequent label first."""
        pairs = Counter(zip(self.answers, self.marks, strict=False))  # there are fewer marks than answers
        given = Counter(self.answers[: len(self.marks)])
        return {answer: {mark: pairs[answer, mark] for mark in MARKS} for answer, _ in given.most_common()}

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a dictionary that can be written as JSON. It contains the sentences: for the browser only."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Any) -> "Check":
        """Read what ``to_dict`` returned. Raise CheckError if it is invalid, since it comes from a browser."""
        try:
            check = cls(
                id=_fits(ID, content["id"]), task=_vector(content["task"]),
                language=_vector(content["language"]) if content["language"] is not None else None,
                corpus=_text(content["corpus"]), seed=int(content["seed"]),
                **{name: tuple(map(_text, content[name])) for name in ("sentences", "answers", "marks", "labels")},
            )  # fmt: skip
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CheckError("The stored state of this check cannot be read. Start the check again.") from error
        known = set(check.marks) <= set(MARKS) and len(check.marks) <= len(check.sentences)
        if not known or not check.sentences or len(check.answers) != len(check.sentences):
            raise CheckError("The stored state of this check is inconsistent. Start the check again.")
        return check


def draw(lines: Iterable[str], *, count: int = COUNT, seed: int = 0) -> tuple[str, ...]:
    """Draw up to ``count`` different sentences of readable length (case and white space are ignored).

    The same lines, count and seed give the same sentences.

    Raises:
        CheckError: If no line has a readable length.
    """
    shortest, longest = READABLE
    readable = [line for line in lines if shortest <= len(line) <= longest]
    if not readable:
        raise CheckError(
            f"No line of this text has {shortest} to {longest} characters, so there is nothing to judge. "
            "Split its lines into sentences, or choose another text."
        )
    # Hashes of 64 bits need less memory than the lines; that two lines have the same one is negligible.
    hashes = np.fromiter((hash(fold(line)) for line in readable), np.int64, len(readable))
    firsts = np.unique(hashes, return_index=True)[1]
    lasts = len(hashes) - 1 - np.unique(hashes[::-1], return_index=True)[1]
    distinct = lasts[firsts.argsort()]  # in the order of the text; of equal lines the last one is shown
    chosen = np.random.default_rng(seed).permutation(len(distinct))[:count]
    return tuple(readable[place] for place in distinct[chosen])


def begin(
    sentences: Sequence[str],
    answers: Sequence[str],
    *,
    task: Vector,
    language: Vector | None,
    corpus: str,
    seed: int,
    labels: Sequence[str] = (),
) -> Check:
    """Return a new check of predictions for sentences, with a random id; ``labels`` are those of the task."""
    return Check(
        secrets.token_hex(8), task, language, corpus, seed, tuple(sentences), tuple(answers), labels=tuple(labels)
    )  # fmt: skip


def accuracy(right: int, judged: int) -> Accuracy | None:
    """Return a share with its 95 % interval (Wilson 1927), which is valid for small and extreme counts; None for 0."""
    if not judged:
        return None
    from scipy.stats import binomtest  # importing it takes half a second, which would slow the start of the page

    interval = binomtest(right, judged).proportion_ci(LEVEL, method="wilson")
    return Accuracy(right, judged, right / judged, float(interval.low), float(interval.high))


def vector_of(folder: str | os.PathLike, name: str) -> Vector:
    """Return the name and fingerprint of a vector. Raise VectorError if its files cannot be read."""
    try:
        info = json.loads((Path(folder) / vector_files.INFO).read_text(encoding="utf-8"))
        return Vector(name, _fits(FINGERPRINT, info["tensors_sha256"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise VectorError(f"The vector {name} can no longer be read. Choose another one.") from error


def save(home: Path, check: Check) -> Path:
    """Store the counts of a check, replacing earlier ones; return the file.

    Raises:
        CheckError: If no sentence has been marked right or wrong.
    """
    reached = check.accuracy()
    if reached is None:
        raise CheckError(f"Mark at least one sentence {one_of((RIGHT, WRONG))} first: there is nothing to save yet.")
    content = {
        "version": VERSION, "id": check.id, "created": time.time(), "task": asdict(check.task),
        "language": asdict(check.language) if check.language else None, "corpus": check.corpus, "seed": check.seed,
        "drawn": len(check.sentences), "answers": check.by_answer(), "unsure": check.marks.count(UNSURE), **asdict(reached),
    }  # fmt: skip
    file = _file(home, check)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(file, content)
    return file


def is_saved(home: Path, check: Check) -> bool:
    """Return whether the stored result of a check counts at least as many sentences as the check."""
    stored = _read(_file(home, check))
    return stored is not None and stored["judged"] + stored["unsure"] >= len(check.marks)


def load(home: Path, *fingerprints: str) -> list[dict[str, Any]]:
    """Return the stored checks of the vectors with these fingerprints together, the newest first.

    Each has the fields that ``save`` wrote: ``task``, ``language``, ``corpus``, ``seed``, ``drawn``, ``answers``, ``right``,
    ``judged``, ``unsure``, ``share``, ``low``, ``high`` and ``created``. Unreadable files are skipped.
    """
    wanted = {_fits(FINGERPRINT, fingerprint) for fingerprint in fingerprints}
    pattern = f"*{min(wanted)[:16]}*/*.json" if wanted else "*/*.json"
    found = [content for file in (home / FOLDER).glob(pattern) if (content := _read(file)) is not None]
    of_these = [content for content in found if wanted <= _fingerprints(content)]
    return sorted(of_these, key=lambda content: content["created"], reverse=True)


def _file(home: Path, check: Check) -> Path:
    # The files contain the complete fingerprints; shorter ones keep the name readable.
    vectors = "+".join(vector.fingerprint[:16] for vector in (check.task, check.language) if vector)
    return home / FOLDER / vectors / f"{check.id}.json"


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        whole = isinstance(content["created"], int | float) and content.keys() >= COUNTS
        return content if whole and content["version"] == VERSION and _fingerprints(content) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not written, or later changed, by hand


def _fingerprints(content: dict[str, Any]) -> set[str]:
    return {content[kind]["fingerprint"] for kind in ("task", "language") if content[kind] is not None}


def _vector(content: Any) -> Vector:
    return Vector(_text(content["name"]), _fits(FINGERPRINT, content["fingerprint"]))


def _fits(form: re.Pattern[str], text: Any) -> str:
    if not form.fullmatch(_text(text)):
        raise ValueError(text)
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
