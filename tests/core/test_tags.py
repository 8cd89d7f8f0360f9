"""Tags in BIO, their repair and spans, and scores equal to those of seqeval."""

import json
from pathlib import Path

import numpy as np
import pytest

from deftx.core.errors import RecipeError, TableError
from deftx.core.tag_evaluation import evaluate_tags, metric_for, metrics_for, tag_score
from deftx.core.tags import Span, as_bio, marks_entities, odd_tags, spans, spelled

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


# 50 random sets of sentences with the scores that seqeval 1.2.2 gave them: its default mode, its strict mode in IOB2 after
# ``as_bio``, and precision, recall, F1 and count of each type. The last two, in which E- and S- end an entity, were counted by
# hand. seqeval is not installed for the tests, because its package cannot be built with an older pip.
SEQEVAL = json.loads((Path(__file__).parents[1] / "fixtures" / "seqeval.json").read_text(encoding="utf-8"))


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
        ("I-A E-A I-A E-A S-A I-A U-A L-A", "B-A I-A B-A I-A B-A B-A B-A B-A"),
        ("B-A M-A E-A S-A", "B-A I-A I-A B-A"),
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


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("o 0 O", "O O O"),
        ("b-PER i_per B:X-Y M-A B-", "B-PER I-per B-X-Y M-A B-"),
        ("NOUN X s_ B PER", "NOUN X s_ B PER"),
    ],
)
def test_other_spellings_of_bio(tags, expected):
    assert [*map(spelled, tags.split())] == expected.split()


@pytest.mark.parametrize(
    ("tags", "odd"),
    [
        ("O B-A I-A PER", "PER"),
        ("0 b_A I-A B", "B"),
        ("O B I", "B I"),
        ("O B-A b-B 0", ""),
        ("NOUN VERB X O", ""),
        ("B M E S", ""),
        ("B I", ""),
        ("B-A NOUN VERB", ""),
        ("O", ""),
        ("", ""),
    ],
)
def test_odd_tags(tags, odd):
    assert odd_tags(tags.split()) == {*odd.split()}


@pytest.mark.parametrize("case", SEQEVAL)
def test_the_scores_are_those_of_seqeval(case):
    gold, predicted = ([row.split() for row in case[name]] for name in ("gold", "predicted"))
    ours = tag_score("entity_f1", gold, predicted)
    assert ours == pytest.approx(case["f1"], abs=1e-12)
    assert ours == pytest.approx(case["strict_f1"], abs=1e-12)  # after the repair
    assert tag_score("accuracy", gold, predicted) == pytest.approx(case["accuracy"], abs=1e-12)
    for line in evaluate_tags("entity_f1", gold, predicted, resamples=2).lines:
        assert (line.precision, line.recall, line.f1, line.gold) == pytest.approx(tuple(case["types"][line.label]))


def test_hand_made_scores():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "O"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-ORG", "O"]]  # one right of two gold and three found
    assert tag_score("entity_f1", gold, predicted) == pytest.approx(2 * 1 / (2 + 3))
    assert tag_score("accuracy", gold, predicted) == pytest.approx(4 / 6)
    assert tag_score("entity_f1", [["O"]], [["B-PER"]]) == 0.0


def test_sentences_without_entities_have_no_entity_f1():
    nothing = [["O"]] * 99
    for score in (tag_score, evaluate_tags):
        with pytest.raises(TableError, match="no entity F1"):
            score("entity_f1", nothing, nothing)
    gold = [["B-PER"], *nothing]
    found = evaluate_tags("entity_f1", gold, gold)
    assert (found.low, found.score, found.high) == (1.0, 1.0, 1.0)


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
