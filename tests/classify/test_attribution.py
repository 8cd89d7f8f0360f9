"""The words that mattered, by every method: no character of a text is lost, and gradients are checked by finite differences."""

from dataclasses import replace

import pytest
import torch

from deftx.classify.attribution import METHODS, Attribution, WordWeight, attribute
from deftx.classify.composition import compose
from deftx.core.errors import DeftxError, RecipeError

TEXT = "  the food,  was very\tgood (not awful)"


@pytest.fixture(scope="module")
def classifier(base, task_vector, language_vector):
    return compose(base, task=task_vector, language=language_vector)


def log_odds(classifier, ids, label, scale=None, token=None):
    """The log-odds of a label with the embedding of one token stretched: no hook, no autograd."""
    embedded = classifier.model.get_input_embeddings().weight[ids].detach().clone().double()[None]
    if token is not None:
        embedded[0, token] *= scale
    model = classifier.model
    with torch.no_grad():
        logits = model(inputs_embeds=embedded, attention_mask=torch.ones(1, len(ids))).logits[0]
    odds = logits[label] - torch.logsumexp(torch.cat([logits[:label], logits[label + 1 :]]), 0)
    return float(odds)


def test_the_weights_are_derivatives_with_respect_to_stretching_a_tokens_embedding(base, task_vector):
    """d/ds of the log-odds at s·e, s = 1, is ⟨∂/∂e, e⟩; central differences in float64."""
    classifier = compose(base, task=task_vector)
    classifier.model.double()
    text = "the food was very good"
    ids = base.tokenizer(text)["input_ids"]
    found = attribute(classifier, text, method="gradient")
    label = classifier.labels.index(found.label)
    assert found.label == classifier.predict([text])[0]
    step = 1e-4
    slopes = [
        (log_odds(classifier, ids, label, 1 + step, t) - log_odds(classifier, ids, label, 1 - step, t)) / (2 * step)
        for t in range(len(ids))
    ]
    # Words of this base are one token each; the first and the last token belong to no word.
    assert [word.weight for word in found.words] == pytest.approx(slopes[1:-1], rel=1e-3, abs=1e-6)
    assert found.rest == pytest.approx(slopes[0] + slopes[-1], rel=1e-3, abs=1e-6)
    assert max(abs(slope) for slope in slopes) > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_the_words_cover_the_text_and_their_spans_are_theirs(classifier, method):
    found = attribute(classifier, TEXT, method=method)
    assert found.method == method
    assert [word.word for word in found.words] == TEXT.split()
    assert all(TEXT[word.start : word.end] == word.word for word in found.words)
    covered = {i for word in found.words for i in range(word.start, word.end)}
    assert all(TEXT[i].isspace() for i in range(len(TEXT)) if i not in covered)
    assert all(word.weight is not None for word in found.words)


@pytest.mark.parametrize("method", METHODS)
def test_words_behind_the_longest_text_have_no_weight(classifier, method):
    text = "the day is good " * 20
    found = attribute(classifier, text, method=method)
    read = classifier.max_length - 2
    assert len(found.words) == 80
    assert [word.weight is None for word in found.words] == [False] * read + [True] * (80 - read)


def test_every_weight_is_counted_once(classifier):
    """What belongs to no word is in the rest: together they are the whole inner product."""
    pieces = attribute(classifier, "the food was very good", method="gradient")
    spaced = attribute(classifier, "the  food\n was very   good", method="gradient")
    assert [w.weight for w in spaced.words] == pytest.approx([w.weight for w in pieces.words], abs=1e-6)
    assert spaced.rest == pytest.approx(pieces.rest, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_words_of_a_pair_are_told_apart(classifier, method):
    found = attribute(classifier, ("the day is good", "the night was awful"), method=method)
    assert [(word.word, word.part) for word in found.words[3:5]] == [("good", 0), ("the", 1)]
    assert all(word.weight is not None for word in found.words)
    assert found.words[4].start == 0


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("อาหารที่นี่อร่อยมากและบริการดี", 12),
        ("ម្ហូបនៅទីនេះឆ្ងាញ់ណាស់", 12),
        ("ဒီမှာအစားအသောက်ကောင်းတယ်။", 12),
        ("这里的食物非常好吃。", 4),
        ("བོད་ཡིག་གི་སྐད།", 9),
        ("ᬅᬓᬸᬮᬸᬂ", 4),
        ("ꦲꦏꦸꦭꦸꦔ", 4),
    ],
)
def test_words_of_scripts_without_spaces_are_several_and_each_has_a_weight(classifier, text, most):
    found = attribute(classifier, text)
    assert len(found.words) > 2
    assert max(len(word.word) for word in found.words) <= most
    assert "".join(word.word for word in found.words) == text
    assert any(word.weight is not None for word in found.words)


def test_entities_that_only_this_library_resolves_do_no_harm(classifier):
    found = attribute(classifier, "the caf&eacute; was &ldquo;good&rdquo;")
    assert [word.word for word in found.words] == ["the", "café", "was", "“good”"]


def test_an_address_is_one_word_between_words_without_spaces(classifier):
    words = [word.word for word in attribute(classifier, "ดูที่https://example.com/xแล้วกลับมา").words]
    assert "https://example.com/x" in words
    assert "".join(words) == "ดูที่https://example.com/xแล้วกลับมา"


@pytest.mark.parametrize("method", METHODS)
def test_the_other_label_of_two_has_the_opposite_weights(classifier, method):
    one, other = (attribute(classifier, "the food is good", label, method) for label in classifier.labels)
    assert one.probability + other.probability == pytest.approx(1, abs=1e-6)
    assert [w.weight for w in one.words] == pytest.approx([-w.weight for w in other.words], abs=1e-6)


def test_words_decide_by_the_predicted_label_whatever_label_is_asked_about(classifier):
    one, other = (attribute(classifier, "the food is good", label) for label in classifier.labels)
    assert one.predicted == other.predicted == classifier.predict(["the food is good"])[0]
    assert [word.word for word in one.deciding] == [word.word for word in other.deciding]
    assert len(one.deciding) < len(one.words)


def test_an_entity_with_an_invisible_character_does_no_harm(classifier):
    words = attribute(classifier, "the food&n\u00adbsp;good").words
    assert [word.word for word in words] == ["the", "food&nbsp;good"]
    assert all(word.weight is not None for word in words)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_it_stays_in_the_model(classifier, method):
    before = classifier.classify([TEXT])
    attribute(classifier, TEXT, method=method)
    assert classifier.classify([TEXT]).equal(before)
    assert all(p.grad is None for p in classifier.model.parameters())
    assert not classifier.model.get_input_embeddings()._forward_hooks


def test_what_cannot_be_attributed_says_why(classifier):
    with pytest.raises(DeftxError, match="not one of the labels: negative, positive"):
        attribute(classifier, TEXT, "neutral")
    with pytest.raises(RecipeError, match="Did you mean 'gradient'"):
        attribute(classifier, TEXT, method="gradients")

    class Slow:
        is_fast = False

        def __call__(self, *texts, **settings):
            return classifier.base.tokenizer(*texts, **settings)

        def __getattr__(self, name):
            return getattr(classifier.base.tokenizer, name)

    slow = replace(classifier, base=replace(classifier.base, tokenizer=Slow()))
    with pytest.raises(DeftxError, match="does not return the positions"):
        attribute(slow, TEXT)


def attribution(probability, *words):
    """Return an attribution for "good" of words with the probabilities without them and the answers then."""
    made = (
        WordWeight(word, probability - without, 0, 0, without=without, answer=answer) for word, without, answer in words
    )
    return Attribution("good", tuple(made), probability=probability, predicted="good")


def test_supporting_words_are_those_whose_removal_is_noticed():
    found = attribution(0.8, ("very", 0.7, "good"), ("fine", 0.3, "bad"), ("the", 0.78, "good"), ("but", 0.95, "good"))
    assert [word.word for word in found.supporting] == ["fine", "very"]
    assert [word.word for word in found.deciding] == ["fine"]
    assert [word.word for word in found.marked] == ["very", "fine", "but"]


def test_where_no_word_alone_supports_the_answer_no_word_is_marked():
    found = attribution(0.73, ("tasty", 0.9, "good"), ("very", 0.85, "good"), ("the", 0.72, "good"))
    assert (found.supporting, found.deciding, found.marked) == ((), (), ())


def test_a_gradient_supports_by_its_sign_and_decides_nothing(classifier):
    found = attribute(classifier, TEXT, method="gradient")
    assert {word.weight > 0 for word in found.supporting} == {True}
    assert found.deciding == ()
    assert {word.without for word in found.words} == {None}
