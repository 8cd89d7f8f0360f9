"""Composed classifiers shared by all visitors: which are kept in memory, and what a changed strength recomputes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deftx.classify.answerer import Answered, answerer
from deftx.classify.attribution import Attribution, attribute
from deftx.classify.classifier import Classifier
from deftx.classify.composition import VectorLike, compose
from deftx.classify.doubts import Doubt, doubts
from deftx.classify.tagger import TaggedText, tagger
from deftx.classify.workbench import Workbench
from deftx.core.errors import DeftxError
from deftx.jobs import Store
from deftx.models.bases import Base
from deftx.models.batches import Text
from deftx.vectors.merging import MergeReport
from deftx.vectors.vector import SparseVector
from ui import strings
from ui.classify.combination import SIDES, Combination
from ui.classify.few_threads import Threads
from ui.classify.units import refuse_unless_texts
from ui.library import vector_index

# Each classifier and each workbench is as large as the base.
COMPOSED_KEPT, BENCHES_KEPT = 2, 2
VECTORS_KEPT = 12
FEW_TEXTS = 64  # the largest number of texts for which the workbench, which all share, is held
ANSWERS_KEPT = 512  # a few numbers each, and the text

State = tuple[Path, int]  # a vector's folder, and when it was written


@dataclass(frozen=True)
class Found:
    """A combination with its vectors as they are on disk now, the task vector first."""

    combination: Combination
    entries: tuple[vector_index.Entry, ...]
    states: tuple[State, ...]

    def side(self, name: str) -> "Found":
        """Return one of the SIDES of the combination."""
        return Found(self.combination.side(name), self.entries, self.states)

    @property
    def task(self) -> str:
        """The name of the task vector."""
        return self.entries[0].label

    @property
    def languages(self) -> list[str]:
        """The names of the language vectors."""
        return [entry.label for entry in self.entries[1:]]


@dataclass(frozen=True)
class Comparison:
    """The probabilities of a text for each combination, by label, and the merge report.

    ``cut`` is the number of tokens that are read if the text has more of them, else None. ``doubts`` speak against the
    answer of the whole combination.
    """

    found: Found
    text: Text
    sides: dict[str, dict[str, float]]
    report: MergeReport
    cut: int | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Tagged:
    """A text with its tagged words, and the merge report."""

    found: Found
    tagged: TaggedText
    report: MergeReport


@dataclass(frozen=True)
class Asked:
    """A question with the possible answers in its text, and the merge report."""

    found: Found
    answered: Answered
    report: MergeReport


class Composing:
    """Composes vectors by key. Every method can be called from any thread, and callers do not affect each other."""

    def __init__(self, store: Store, base: Callable[[], Base]) -> None:
        """Use the vectors of this store and this base, which is loaded when it is first needed."""
        self._store, self._base, self._threads = store, base, Threads(store)
        self._vector = lru_cache(maxsize=VECTORS_KEPT)(lambda state: SparseVector.load(state[0]))
        self._bench = lru_cache(maxsize=BENCHES_KEPT)(lambda task: Workbench(base(), self._vector(task)))
        self.composed_of = lru_cache(maxsize=COMPOSED_KEPT)(self._compose)
        self._answer = lru_cache(maxsize=ANSWERS_KEPT)(self._classify)
        self._marks = lru_cache(maxsize=ANSWERS_KEPT)(self._tag)
        self._answers = lru_cache(maxsize=ANSWERS_KEPT)(self._ask)
        self._words = lru_cache(maxsize=ANSWERS_KEPT)(self._attribute)  # typing and pressing Enter asks twice

    def for_store(self, store: Store) -> "Composing":
        """Return an object for the vectors of another store, with the same base and the same classifiers in memory."""
        other = copy(self)
        other._store = store
        return other

    def find(self, combination: Combination) -> Found:
        """Find the vectors of a combination; VectorError for an unknown key."""
        entries = [vector_index.find(self._store, "task", combination.task)]
        entries += [vector_index.find(self._store, "language", key) for key, _ in combination.languages]
        return Found(combination, tuple(entries), tuple((entry.folder, changed(entry.folder)) for entry in entries))

    def composed(self, combination: Combination) -> Classifier:
        """Return a separate classifier that nothing else changes; DeftxError if the vectors cannot be combined."""
        found = self.find(combination)
        return self.composed_of(found.combination, found.states)

    @contextmanager
    def classifier(self, found: Found, texts: int) -> Iterator[Classifier]:
        """Yield a classifier for a number of texts: for few that of the workbench, which needs no new copy of the base.

        Raises:
            DeftxError: If the vectors cannot be combined.
        """
        if texts > FEW_TEXTS:
            yield self.composed_of(found.combination, found.states)
        else:
            with self._holding(found.combination, found.states) as classifier:
                yield classifier

    def vectors(self, combination: Combination) -> list[tuple[SparseVector, float]]:
        """Return the vectors of a combination with their strengths, the task vector first; VectorError as in ``find``."""
        strengths = (combination.strength_task, *(strength for _, strength in combination.languages))
        return list(zip(map(self._vector, self.find(combination).states), strengths, strict=True))

    def compare(self, combination: Combination, text: Text) -> Comparison:
        """Classify a text with the task's head on each of the SIDES; only what changed is recomputed.

        Raises:
            DeftxError: no text, one text for a task on pairs, or vectors that cannot be combined.
        """
        found = self.find(combination)
        check_text(found.entries[0].folder, text)
        wanted = [name for name in SIDES if combination.languages or not SIDES[name][1]]
        answers = {}
        for name in wanted:
            side = found.side(name)
            answers[name] = self._answer(side.combination, side.states, text, name == wanted[-1])
        labels, _, report, cut, doubted = answers[wanted[-1]]
        sides = {name: dict(zip(labels, values, strict=True)) for name, (_, values, *_) in answers.items()}
        return Comparison(found, text, sides, report, cut, doubted)

    def tag(self, combination: Combination, text: str) -> Tagged:
        """Tag the words of a text.

        Raises:
            DeftxError: no text, a task that classifies texts, or vectors that cannot be combined.
        """
        found = self.find(combination)
        if not text.strip():
            raise DeftxError(strings.NO_SENTENCE)
        return Tagged(found, *self._marks(found.combination, found.states, text))

    def ask(self, combination: Combination, question: str, context: str) -> Asked:
        """Answer a question from a text.

        Raises:
            DeftxError: no question or no text, a task that answers no questions, or vectors that cannot be combined.
        """
        found = self.find(combination)
        if not question.strip() or not context.strip():
            raise DeftxError(strings.NO_QUESTION)
        return Asked(found, *self._answers(found.combination, found.states, question, context))

    def words(self, combination: Combination, text: Text) -> Attribution:
        """Return which words of a text mattered for the predicted label; DeftxError as in ``compare``."""
        found = self.find(combination)
        check_text(found.entries[0].folder, text)
        return self._words(found.combination, found.states, text)

    def _compose(self, combination: Combination, states: tuple[State, ...]) -> Classifier:
        return composed_from(self._base(), combination, [self._vector(state) for state in states])

    def _holding(self, combination: Combination, states: tuple[State, ...]) -> AbstractContextManager[Classifier]:
        self._threads.set()
        strengths = (combination.strength_task, *(strength for _, strength in combination.languages))
        scaled = list(zip(map(self._vector, states), strengths, strict=True))
        return self._bench(states[0]).holding(scaled, combination.method, dict(combination.parameters))

    def _attribute(self, combination: Combination, states: tuple[State, ...], text: Text) -> Attribution:
        with self._holding(combination, states) as classifier:
            return attribute(classifier, text)

    def _tag(self, combination: Combination, states: tuple[State, ...], text: str) -> tuple[TaggedText, MergeReport]:
        with self._holding(combination, states) as classifier:
            (tagged,) = tagger(classifier, self._vector(states[0]).name).tag([text])
            return tagged, classifier.report

    def _ask(
        self, combination: Combination, states: tuple[State, ...], question: str, context: str
    ) -> tuple[Answered, MergeReport]:
        with self._holding(combination, states) as classifier:
            (answered,) = answerer(classifier, self._vector(states[0]).name).answer([(question, context)])
            return answered, classifier.report

    def _classify(
        self, combination: Combination, states: tuple[State, ...], text: Text, whole: bool
    ) -> tuple[list[str], list[float], MergeReport, int | None, tuple[Doubt, ...]]:
        """Classify a text; ``doubts`` are found for the whole combination only, whose answer is shown."""
        with self._holding(combination, states) as classifier:
            cut = classifier.max_length if classifier.cut([text]) else None
            values = classifier.classify([text])[0].tolist()
            doubted = doubts(classifier, [text], [values])[0] if whole else ()
            return classifier.labels, values, classifier.report, cut, doubted


def composed_from(base: Base, combination: Combination, vectors: Sequence[VectorLike]) -> Classifier:
    """Compose the classifier of a combination; ``vectors`` are its vectors, the task vector first."""
    task, *languages = vectors
    return compose(
        base,
        task=task,
        strength_task=combination.strength_task,
        languages=[(vector, s) for vector, (_, s) in zip(languages, combination.languages, strict=True)],
        method=combination.method,
        parameters=dict(combination.parameters),
    )


def check_text(task: Path, text: Text) -> None:
    """Refuse a text that the task of this folder cannot classify."""
    if not all(part.strip() for part in ((text,) if isinstance(text, str) else text)):
        raise DeftxError(strings.NO_SENTENCE if isinstance(text, str) else strings.NO_PAIR)
    refuse_unless_texts(task)
    if takes_pairs(task) and isinstance(text, str):
        raise DeftxError(strings.PAIR_TASK)
    if not takes_pairs(task) and not isinstance(text, str):
        raise DeftxError(strings.SINGLE_TASK)


def takes_pairs(task: Path) -> bool:
    """Return whether a task vector classifies pairs of sentences."""
    return vector_index.vector_files.takes_pairs(vector_index.describe(task))


def changed(folder: Path) -> int:
    """Return when a vector was written, so that one replaced under the same name is read again."""
    return (folder / vector_index.vector_files.INFO).stat().st_mtime_ns
