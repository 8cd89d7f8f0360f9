"""Score combinations of vectors on a labelled file, for the page and the endpoint "evaluate"; without its display."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deftx.core.errors import DeftxError
from deftx.data.labels import check_kind, rename_labels, with_spellings_of
from deftx.data.table_rows import Table, folded, label_names
from deftx.data.token_tables import read_labelled
from deftx.evidence.comparison import Line, Predictions, compare
from ui import strings
from ui.classify import combination
from ui.classify.composing import Found
from ui.classify.file_tasks import wants_pairs
from ui.classify.other_languages import OtherLanguage, other_language
from ui.classify.units import refuse_unless_texts
from ui.library import vector_index
from ui.shared.background import OnShare
from ui.workspace import Workspace

TASK_ALONE = "task"
KEPT = 64  # predictions in memory: a few numbers per row

Key = tuple[Any, ...]
Answers = tuple[Predictions, int, int]  # with the number of rows that are cut, and the tokens that are read


@dataclass(frozen=True)
class Combination:
    """The vectors added to θ0 under the task's head: the task vector, a language vector, both or neither."""

    kind: str  # "base", "task", "language" or "both"
    vectors: combination.Combination
    language_label: str = ""

    @property
    def language(self) -> str:
        """The keys of its language vectors, joined by "+"; empty if there are none."""
        return "+".join(key for key, _ in self.vectors.languages)

    @property
    def id(self) -> str:
        """A name that no other combination with the same task has."""
        return f"{self.kind}:{self.language}" if self.language else self.kind


@dataclass(frozen=True)
class Wanted:
    """The scoring to do: a stored labelled file, the mapping of its labels, and the combinations of a task."""

    table: str
    names: Mapping[str, str]  # label of the file -> label of the task; "" leaves its rows out
    task: str
    combinations: Sequence[Combination]

    @property
    def first(self) -> Combination:
        """The combination that is looked at first: all vectors, or the task vector alone without a language."""
        by_kind = {one.kind: one for one in reversed(self.combinations)}
        return by_kind.get("both") or by_kind[TASK_ALONE]


@dataclass(frozen=True)
class Scores:
    """The result: scores and predictions of each combination, and what a reader must know."""

    wanted: Wanted
    task: str  # the name of the task vector
    table: Table
    lines: list[Line]
    predictions: list[Predictions]
    shared: int | None  # rows that are in the task's training files; None if unknown
    cut: int  # rows of more than ``max_length`` tokens, whose rest is not read
    max_length: int
    refusal: str = ""  # why the CPU did it though a GPU was asked for
    other: OtherLanguage | None = None


class Mismatch(DeftxError):
    """The labels of a file are not those of the task."""

    def __init__(self, file: str, found: Sequence[str], known: Sequence[str]) -> None:
        """Take the labels of both."""
        self.found, self.known = list(found), list(known)
        super().__init__(strings.LABELS_DIFFER.format(name=file, found=", ".join(found[:20]), known=", ".join(known)))


class Scoring:
    """Scores combinations and keeps the predictions, so that an added combination costs only itself."""

    def __init__(self, workspace: Workspace) -> None:
        """Compose with this workspace."""
        self._workspace = workspace
        self._kept: OrderedDict[Key, Answers] = OrderedDict()
        self._lock = threading.Lock()

    def combinations(
        self, vectors: combination.Combination, compared: bool | Sequence[str] = False
    ) -> list[Combination]:
        """List the task's head on θ0, θ0 + φ_T, θ0 + φ_L and both, and on the languages to compare.

        ``compared`` holds keys of languages; True means all that fit the base. Strengths are those of ``vectors``; a compared
        language has the strength of the first one.
        """
        language, strength = vectors.languages[0] if vectors.languages else ("", 1.0)
        label = " + ".join(self._workspace.composing.find(vectors).languages)
        alone = replace(vectors, languages=())  # so that another language does not change these two
        found = [Combination("base", alone.side("neither")), Combination(TASK_ALONE, alone.side("task"))]
        found += [Combination(kind, vectors.side(kind), label) for kind in ("language", "both") if language]
        if compared is True:
            others = self.fitting_languages()
        else:
            others = [vector_index.find(self._workspace.store, "language", key) for key in compared or ()]
        if len(vectors.languages) == 1:  # it is listed above
            others = [entry for entry in others if entry.key != language]
        swapped = (replace(vectors, languages=((entry.key, strength),)) for entry in others)
        return [*found, *(Combination("both", new, e.label) for e, new in zip(others, swapped, strict=True))]

    def fitting_languages(self) -> list[vector_index.Entry]:
        """List the language vectors made for this base."""
        base = self._workspace.base().fingerprint
        entries = vector_index.entries(self._workspace.store, "language")
        return [e for e in entries if (vector_index.describe(e.folder).get("base") or {}).get("fingerprint") == base]

    def labels_of(self, task: str) -> list[str]:
        """Return the labels of a task vector."""
        return list(
            vector_index.describe(vector_index.find(self._workspace.store, "task", task).folder).get("labels") or ()
        )

    def read(self, wanted: Wanted) -> Table:
        """Read the labelled file with its labels mapped, and check that the task can be scored on it.

        Raises:
            Mismatch: it has labels that the task does not have.
            DeftxError: it cannot be read, or it has pairs for a task on sentences, or sentences for a task on pairs.
        """
        workspace = self._workspace
        task = vector_index.find(workspace.store, "task", wanted.task)
        refuse_unless_texts(task.folder)
        table = workspace.tables.read(wanted.table)
        check_kind(task.label, wants_pairs(workspace, wanted.task), wanted.table, table.pairs)
        known = self.labels_of(wanted.task)
        renamed = with_spellings_of(rename_labels(table, wanted.names), known)
        if set(renamed.labels) - set(known):
            raise Mismatch(wanted.table, label_names(table), known)
        return renamed

    def score(self, wanted: Wanted, on_share: OnShare) -> Scores:
        """Score every combination on the same rows, each against the task vector alone."""
        table = self.read(wanted)
        count = len(wanted.combinations)
        refusal = self._predict_in_calls(wanted.combinations, table, on_share)
        answers = [
            self._predict(one, table, lambda share, done=done: on_share((done + share) / count))
            for done, one in enumerate(wanted.combinations)
        ]
        predictions = [found for found, *_ in answers]
        _, cut, max_length = answers[-1]
        lines = compare(predictions, table.labels, TASK_ALONE)
        label = vector_index.find(self._workspace.store, "task", wanted.task).label
        shared = self.shared_rows(wanted.task, table)
        other = other_language(self._workspace, wanted.first.vectors, table.texts)
        return Scores(wanted, label, table, lines, predictions, shared, cut, max_length, refusal, other)

    def shared_rows(self, task: str, table: Table) -> int | None:
        """Count the rows whose text the task was trained on; None if a file of its training is unknown."""
        return shared_texts(self._workspace, task, table.texts)

    def _predict_in_calls(self, combinations: Sequence[Combination], table: Table, on_share: OnShare) -> str:
        """Predict what is not in memory with a GPU, where one is lent; return why it was refused, or an empty string."""
        found = {one: self._workspace.composing.find(one.vectors) for one in combinations}
        missing = [one for one in combinations if self._in_memory(_key(one, found[one], table)) is None]
        if self._workspace.batches is None or not missing:
            return ""
        # What all combinations of a task have in common; also, vectors that do not fit are refused before a call.
        classifier = self._workspace.composing.composed_of(missing[-1].vectors, found[missing[-1]].states)
        attempt = self._workspace.batches.attempt([found[one] for one in missing], table.texts, on_share)
        if attempt.probabilities:
            cut = len(classifier.cut(table.texts))
            for one, probabilities in zip(missing, attempt.probabilities, strict=True):
                predictions = Predictions(one.id, classifier.labels, probabilities)
                self._keep(_key(one, found[one], table), (predictions, cut, classifier.max_length))
        return attempt.refusal

    def _predict(self, one: Combination, table: Table, on_share: OnShare) -> Answers:
        composing = self._workspace.composing
        chosen = composing.find(one.vectors)
        key = _key(one, chosen, table)
        if (known := self._in_memory(key)) is not None:
            return known
        classifier = composing.composed_of(one.vectors, chosen.states)
        predictions = Predictions(one.id, classifier.labels, classifier.classify(table.texts, on_share))
        return self._keep(key, (predictions, len(classifier.cut(table.texts)), classifier.max_length))

    def _in_memory(self, key: Key) -> Answers | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: Key, found: Answers) -> Answers:
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def shared_texts(workspace: Workspace, task: str, texts: Sequence[Any]) -> int | None:
    """Count the texts, or pairs, that a task vector was trained on; None if a file of its training is unknown."""
    try:
        files = training_files(workspace, task)
        seen = {folded(text) for path, columns in files for text in read_labelled(path, columns=columns).texts}
    except DeftxError:
        return None
    return sum(folded(text) in seen for text in texts) if files else None


def training_files(workspace: Workspace, task: str) -> list[tuple[Path, Mapping[str, str]]]:
    """Return the labelled files that a task vector was trained on here, with their columns; none if one is unknown.

    They include the files of the vector that it was trained further from. Raises DeftxError if its job cannot be read.
    """
    place, _, job_id = task.partition(":")
    if place != "job":
        return []  # a vector does not store its training texts
    job = workspace.store.get(job_id)
    files = [(job.folder / one.file, one.columns) for one in job.request.labelled]
    if not files or not job.request.start:
        return files
    start = Path(job.request.start)
    known = (entry.key for entry in vector_index.entries(workspace.store, "task") if entry.folder == start)
    before = training_files(workspace, next(known, ""))
    return [*before, *files] if before else []


def _key(one: Combination, found: Found, table: Table) -> Key:
    return one.id, one.vectors, found.states, table.fingerprint
