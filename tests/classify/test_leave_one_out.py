"""The weight of a word is the fall of the log-odds when it is left out: each text is classified anew and compared."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import deftx
from deftx.classify.attribution import attribute
from deftx.classify.composition import compose
from deftx.classify.leave_one_out import without_words
from deftx.classify.words import read_text


@pytest.fixture(scope="module")
def classifier(base, task_vector, language_vector):
    return compose(base, task=task_vector, language=language_vector)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "without"),
    [
        (" the food,  was good ", ["food,  was good ", " the was good ", " the food,  good ", " the food,  was "]),
        ("good", [""]),
        (("the day", "bad"), [("day", "bad"), ("the ", "bad"), ("the day", "")]),
        ("caf&eacute; good", ["good", "café "]),
    ],
)
def test_a_word_is_left_out_with_the_space_beside_it(classifier, text, without):
    read = read_text(classifier, text)
    strip = lambda one: one.strip() if isinstance(one, str) else tuple(map(str.strip, one))  # noqa: E731
    found = [without_words(read, [word]) for word in range(len(read.words))]
    assert list(map(strip, found)) == list(map(strip, without))


@pytest.mark.parametrize("text", ["这里的食物非常好吃。", "ดูที่https://example.com/xแล้วกลับมา", "བོད་ཡིག་གི་སྐད།"])
def test_scripts_without_spaces_get_none(classifier, text):
    read = read_text(classifier, text)
    for word, (_, start, end) in enumerate(read.words):
        assert without_words(read, [word]) == text[:start] + text[end:]


def test_several_words_are_left_out_together(classifier):
    read = read_text(classifier, "the food was very good")
    assert without_words(read, [4, 1]) == "the was very "


@pytest.mark.parametrize("text", ["the food was  very good", ("the day is good", "the night was awful"), "awful"])
def test_every_weight_is_that_of_the_text_classified_again(classifier, text):
    found, read = attribute(classifier, text), read_text(classifier, text)
    label = classifier.labels.index(found.label)
    shares = classifier.classify([text, *(without_words(read, [word]) for word in range(len(read.words)))])
    assert found.label == classifier.labels[int(shares[0].argmax())]
    assert found.probability == pytest.approx(float(shares[0, label]), abs=1e-5)
    assert [word.without for word in found.words] == pytest.approx(shares[1:, label].tolist(), abs=1e-5)
    assert [word.answer for word in found.words] == [classifier.labels[i] for i in shares[1:].argmax(-1)]
    odds = torch.logit(shares[:, label].double())
    assert [word.weight for word in found.words] == pytest.approx((odds[0] - odds[1:]).tolist(), abs=1e-3)


def test_what_was_not_read_takes_no_place(classifier):
    """Without the first word of a long text, the model reads one word less, and not one word more at its end."""
    text = "awful " + "the day is good " * 20
    read = read_text(classifier, text)
    assert without_words(read, [0]).split() == text.split()[1 : classifier.max_length - 2]


def test_a_text_without_words_has_none(classifier):
    assert attribute(classifier, "  ").words == ()


@pytest.mark.data
@pytest.mark.slow
def test_supporting_words_carry_the_answers_of_real_sentences():
    """benchmarks/words.py prints the same for several languages and for gradients."""
    with open(Path(os.environ["DEFTX_DATA"]) / "nusax" / "min" / "test.csv", encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    # A text of twice as many words costs four times as much, so only every second text of the shorter half is read.
    texts = sorted(texts, key=lambda text: len(text.split()))[:200:2]
    classifier = compose(deftx.load_base(deftx.BUNDLED_BASE), task="sentiment", language="min")
    random, more = np.random.default_rng(0), []
    for text in texts:
        found, read = attribute(classifier, text), read_text(classifier, text)
        words = read.read_words()
        best = sorted(words, key=lambda word: -found.words[word].weight)[:3]
        drawn = random.choice(words, min(3, len(words)), replace=False).tolist()
        label = classifier.labels.index(found.label)
        best_left, drawn_left = classifier.classify([without_words(read, w) for w in (best, drawn)])[:, label].tolist()
        more.append(best_left < drawn_left)
        assert not found.marked or any(word.weight > 0 for word in found.marked)
    assert len(more) == 100
    assert np.mean(more) >= 0.85
