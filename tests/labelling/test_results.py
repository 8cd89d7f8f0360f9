"""The results of a labelling session: exact counts, the score of the random half alone, agreement, and rows."""

import pytest

from deftx.classify.self_check import accuracy
from deftx.labelling.results import agreement, compare, consensus, counts, rows, score
from deftx.labelling.session import LABEL, NONE, SKIP, Judgement, Sentence, Session

# What the classifier answered about eight sentences, which are drawn at random and chosen in turn.
ANSWERS = "ppnnpnpn"
SESSION = Session("0" * 16, 1.0, "a.txt", "Mood", "job:1", "", ("p", "n"), tuple(
    Sentence(f"sentence {place}", place % 2 == 0, answer, 0.6) for place, answer in enumerate(ANSWERS)))  # fmt: skip


def judged(said):
    """The answers that letters stand for: p and n are labels, "0" is none of these, "s" is skipped, "." is not judged."""
    marks = {"0": NONE, "s": SKIP}
    return {
        place: Judgement(place, marks.get(sign, LABEL), "" if sign in marks else sign)
        for place, sign in enumerate(said)
        if sign != "."
    }


def test_only_the_random_half_with_labels_makes_the_score():
    found = score(SESSION, judged("pnpn0nsn"))  # drawn: p against p, p against n, none, skipped
    assert found.accuracy == accuracy(1, 2)
    assert found.confusion == [[1, 1], [0, 0]]
    assert score(SESSION, judged(".n.n")) is None
    assert score(SESSION, {}) is None


def test_the_interval_is_wilsons():
    found = score(SESSION, judged("p.n.p.n.")).accuracy
    assert (found.right, found.judged, found.share) == (3, 4, 0.75)
    assert (found.low, found.high) == (pytest.approx(0.3006, abs=1e-4), pytest.approx(0.9544, abs=1e-4))


def test_another_classifier_is_scored_on_the_same_sentences():
    said = judged("pnpn")
    assert score(SESSION, said, {0: "n", 2: "p", 1: "n"}).confusion == [[1, 1], [0, 0]]
    assert score(SESSION, said, {0: "p", 2: "p"}).accuracy.right == 2


def test_two_classifiers_are_compared_sentence_by_sentence():
    """Drawn are places 0, 2, 4 and 6, with the answers p, n, p, p; the other classifier is right on 2, 4 and 6."""
    found = compare(SESSION, judged("p.p.n.n."), {0: "n", 2: "p", 4: "n", 6: "n", 1: "p"})
    assert (found.first, found.second) == (1, 3)
    assert found.chance == pytest.approx(2 * (1 + 4) / 2**4)  # by hand: four differences, at most one of a side
    assert compare(SESSION, judged("p.n."), {0: "p", 2: "n"}).chance == 1
    assert compare(SESSION, judged(".n.n"), {1: "n"}) is None


def test_every_answer_is_counted_once():
    found = counts(judged("pn0s.p"))
    assert (found.labelled, found.none, found.skipped, found.all) == (3, 1, 1, 5)


def test_most_people_decide_and_a_tie_decides_nothing():
    people = {"a": judged("ppp0ps"), "b": judged("pnp0.."), "c": judged("p.n..s")}
    assert consensus(people) == {0: "p", 2: "p", 4: "p"}
    assert rows(SESSION, people, drawn=True) == [("sentence 0", "p"), ("sentence 2", "p"), ("sentence 4", "p")]
    assert rows(SESSION, {"a": judged("np.n")}, drawn=False) == [("sentence 1", "p"), ("sentence 3", "n")]


def test_agreement_counts_what_both_judged():
    (found,) = agreement({"a": judged("ppnns0"), "b": judged("pnnnp0"), "c": judged("......pp")})
    assert (found.first, found.second, found.both, found.same) == ("a", "b", 5, 4)
    # By hand: 4 of 5 agree; by chance 0.4 * 0.2 + 0.4 * 0.6 + 0.2 * 0.2 = 0.36.
    assert found.kappa == pytest.approx((0.8 - 0.36) / (1 - 0.36))


def test_kappa_is_not_defined_for_one_label():
    (found,) = agreement({"a": judged("pp"), "b": judged("pp")})
    assert (found.same, found.kappa) == (2, None)
