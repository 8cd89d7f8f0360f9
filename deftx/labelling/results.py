"""What comes out of a labelling session: the score, the agreement of people, a test set and training rows."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from deftx.classify.self_check import Accuracy, accuracy
from deftx.core.evaluation import confusion
from deftx.labelling.session import LABEL, NONE, SKIP, Session
from deftx.labelling.store import Judged

Rows = list[tuple[str, str]]  # text and label


@dataclass(frozen=True)
class Score:
    """The accuracy of answers on the sentences drawn at random, with its Wilson interval, and their confusion matrix."""

    accuracy: Accuracy
    confusion: list[list[int]]  # [label of the person][label of the classifier], in the order of the session's labels


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same sentences: those that only the first and only the second one gets right.

    ``chance`` is the probability of a difference as large as this if both are equally good (McNemar's exact test).
    """

    first: int
    second: int
    chance: float


@dataclass(frozen=True)
class Counts:
    """How many sentences a person has judged: those with a label, without a fitting one, and skipped."""

    labelled: int
    none: int
    skipped: int

    @property
    def all(self) -> int:
        """All sentences that are done."""
        return self.labelled + self.none + self.skipped


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the sentences that both judged; "none of these" counts as a label, skipping does not."""

    first: str
    second: str
    both: int
    same: int
    kappa: float | None  # Cohen's; None where both used one label only, for which it is not defined


def counts(judged: Judged) -> Counts:
    """Count the answers of a person."""
    marks = Counter(one.mark for one in judged.values())
    return Counts(marks[LABEL], marks[NONE], marks[SKIP])


def score(session: Session, judged: Judged, answers: Mapping[int, str] | None = None) -> Score | None:
    """Score answers by the labels of a person, on the sentences drawn at random.

    Sentences that were skipped, or to which no label applies, do not count.

    Args:
        session: The session.
        judged: The answers of the person.
        answers: The labels of another classifier by place; by default those that the session began with.

    Returns:
        The score, or None if no such sentence has a label and an answer.
    """
    given = dict(enumerate(one.answer for one in session.sentences)) if answers is None else answers
    places = [
        place for place, one in judged.items()
        if one.mark == LABEL and session.sentences[place].drawn and given.get(place)
    ]  # fmt: skip
    gold, predicted = [judged[place].label for place in places], [given[place] for place in places]
    reached = accuracy(sum(a == b for a, b in zip(gold, predicted, strict=True)), len(gold))
    return reached and Score(reached, confusion(gold, predicted, session.labels))


def compare(session: Session, judged: Judged, answers: Mapping[int, str]) -> Comparison | None:
    """Compare the answers of another classifier with those that the session began with, on the sentences drawn at random.

    Args:
        session: The session.
        judged: The answers of the person.
        answers: The labels of the other classifier by place.

    Returns:
        The comparison, or None if no such sentence has a label and both answers.
    """
    from scipy.stats import binomtest  # slow to import

    right = [
        (session.sentences[place].answer == one.label, answers[place] == one.label)
        for place, one in judged.items()
        if one.mark == LABEL and session.sentences[place].drawn and session.sentences[place].answer and place in answers
    ]
    if not right:
        return None
    first, second = right.count((True, False)), right.count((False, True))
    chance = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return Comparison(first, second, chance)


def consensus(people: Mapping[str, Judged]) -> dict[int, str]:
    """Return the label of each sentence by place, the one that most people gave; without it where no label leads."""
    votes: dict[int, Counter[str]] = {}
    for judged in people.values():
        for place, one in judged.items():
            if one.mark != SKIP:
                votes.setdefault(place, Counter())[one.label] += 1  # "none of these" has no label
    leading = {place: counted.most_common(2) for place, counted in sorted(votes.items())}
    return {place: best[0][0] for place, best in leading.items()
            if best[0][0] and (len(best) < 2 or best[0][1] > best[1][1])}  # fmt: skip


def rows(session: Session, people: Mapping[str, Judged], *, drawn: bool) -> Rows:
    """Return the labelled sentences in the order of the session: the test set if ``drawn``, otherwise the training rows."""
    return [(session.sentences[place].text, label) for place, label in consensus(people).items()
            if session.sentences[place].drawn == drawn]  # fmt: skip


def agreement(people: Mapping[str, Judged]) -> list[Agreement]:
    """Compare every two people who judged a sentence both."""
    found = [_compare(first, people[first], second, people[second]) for first, second in combinations(people, 2)]
    return [one for one in found if one.both]


def _compare(first: str, here: Judged, second: str, there: Judged) -> Agreement:
    places = [p for p in here if p in there and SKIP not in (here[p].mark, there[p].mark)]
    one, other = [here[place].label for place in places], [there[place].label for place in places]
    same = sum(a == b for a, b in zip(one, other, strict=True))
    return Agreement(first, second, len(places), same, _kappa(one, other))


def _kappa(one: list[str], other: list[str]) -> float | None:
    if len({*one, *other}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # slow to import

    value = float(cohen_kappa_score(one, other))
    return None if math.isnan(value) else value
