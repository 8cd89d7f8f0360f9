"""Tags in BIO, their repair and spans, and scores equal to those of seqeval."""

import random

import numpy as np
import pytest

from deftx.core.errors import RecipeError, TableError
from deftx.core.tag_evaluation import evaluate_tags, metric_for, metrics_for, tag_score
from deftx.core.tags import Span, as_bio, marks_entities, spans

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def drawn(seed, tags=TAGS, count=6):
    draw = random.Random(seed)
    gold = [[draw.choice(tags) for _ in range(draw.randint(1, 9))] for _ in range(count)]
    return gold, [[tag if draw.random() < 0.6 else draw.choice(tags) for tag in row] for row in gold]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER O", "O B-PER I-PER O"),
        ("I-PER I-PER O I-LOC", "B-PER I-PER O B-LOC"),
        ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
        ("B-PER B-PER", "B-PER B-PER"),
        ("S-PER B-LOC E-LOC U-PER B-LOC L-LOC", "B-PER B-LOC I-LOC B-PER B-LOC I-LOC"),
        ("B-X-Y I-X-Y", "B-X-Y I-X-Y"),
        ("I-O I-O O I-O", "B-O I-O O B-O"),
        ("x-A I-A I-A", "x-A B-A I-A"),
        ("", ""),
    ],
)
def test_tags_become_bio(tags, expected):
    assert as_bio(tags.split()) == expected.split()
    assert as_bio(expected.split()) == expected.split()


def test_spans():
    assert spans(["I-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-LOC", "I-PER"]) == [
        Span("PER", 0, 2),
        Span("LOC", 3, 4),
        Span("LOC", 4, 6),
        Span("PER", 6, 7),
    ]
    assert spans(["O", "O"]) == spans(["x-A", "I"]) == spans([]) == []
    assert spans(["I-O", "I-O"]) == [Span("O", 0, 2)]
    assert spans(["a B-A", "I-A"]) == [Span("A", 1, 2)]


def test_which_tags_mark_entities():
    assert marks_entities(TAGS)
    assert marks_entities({"S-A", "O"})
    assert marks_entities({"B-A"})
    assert not marks_entities({"NOUN", "VERB"})
    assert not marks_entities({"O"})
    assert not marks_entities({"B-A", "NOUN"})


@pytest.mark.parametrize("seed", range(40))
def test_entity_f1_is_that_of_seqeval_by_default_and_in_strict_mode_after_the_repair(seed):
    seqeval = pytest.importorskip("seqeval.metrics")
    from seqeval.scheme import IOB2

    gold, predicted = drawn(seed)
    ours = tag_score("entity_f1", gold, predicted)
    assert ours == pytest.approx(seqeval.f1_score(gold, predicted), abs=1e-12)
    repaired = [list(map(as_bio, rows)) for rows in (gold, predicted)]
    assert ours == pytest.approx(seqeval.f1_score(*repaired, mode="strict", scheme=IOB2), abs=1e-12)
    assert tag_score("accuracy", gold, predicted) == pytest.approx(seqeval.accuracy_score(gold, predicted), abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_the_counts_of_each_type_are_those_of_seqeval(seed):
    seqeval = pytest.importorskip("seqeval.metrics")
    gold, predicted = drawn(seed, count=12)
    report = seqeval.classification_report(gold, predicted, output_dict=True, zero_division=0)
    for line in evaluate_tags("entity_f1", gold, predicted, resamples=2).lines:
        theirs = report[line.label]
        assert (line.precision, line.recall, line.f1, line.gold) == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"])
        )


def test_hand_made_scores():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-ORG", "O"]]  # one right of two gold and three found
    assert tag_score("entity_f1", gold, predicted) == pytest.approx(2 * 1 / (2 + 3))
    assert tag_score("accuracy", gold, predicted) == pytest.approx(4 / 6)
    assert tag_score("entity_f1", [["O"]], [["O"]]) == 0.0  # as in seqeval: nothing to find


def test_the_interval_is_over_sentences():
    gold = [
        ["NOUN"] * 10,
        ["VERB"] * 10,
    ]  # one sentence all right, the other all wrong: 0, 0.5 or 1, and no other value
    found = evaluate_tags("accuracy", gold, [["NOUN"] * 10, ["NOUN"] * 10])
    assert (found.low, found.score, found.high) == (0.0, 0.5, 1.0)
    assert (found.n, found.sentences) == (20, 2)
    draws = np.random.default_rng(0).integers(2, size=(1000, 2))
    assert np.quantile((draws == 0).mean(1), 0.5) == 0.5


def test_metrics_of_tags():
    assert metrics_for(["NOUN"]) == ["accuracy"]
    assert metric_for("f1", ["NOUN"]) == "accuracy"
    assert metric_for("f1", TAGS) == "entity_f1"
    assert metric_for("accuracy", TAGS) == "accuracy"
    with pytest.raises(RecipeError, match="entity_f1"):
        metric_for("entity_f1", ["NOUN"])
    with pytest.raises(RecipeError, match="Did you mean 'accuracy'"):
        tag_score("acuracy", [["O"]], [["O"]])


def test_what_cannot_be_scored():
    with pytest.raises(TableError, match="no sentences"):
        evaluate_tags("accuracy", [], [])
    with pytest.raises(ValueError, match="same words"):
        tag_score("accuracy", [["O"]], [["O", "O"]])
