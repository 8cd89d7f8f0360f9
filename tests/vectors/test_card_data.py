"""The card of a pushed vector or classifier is what huggingface_hub's own classes read back."""

import pytest
from huggingface_hub import ModelCard
from tiny_vectors import card_of, make_vector

from deftx.publish.classifier_card import write_classifier_card
from deftx.vectors.card import Publication
from deftx.vectors.card_data import results

HOSTILE = 'x`\n---\n# <img src=x onerror=alert(1)> [a](javascript:b) "\u202e'


def test_scores_are_read_back_as_results():
    scores = {"f1": {"before": 0.2, "after": 0.81234}, "accuracy": {"before": 0.3, "after": 0.9}, "examples": 12}
    base = {"name": "lab/base", "revision": "0123abc", "fingerprint": "ab" * 32}
    vector = make_vector(kind="task", labels=["a", "b"], scores=scores, base=base)
    card = ModelCard(card_of(vector, Publication("ana/mood", "mit", ("ana/texts",), "spectra.png")))
    found = [(one.task_type, one.metric_type, one.metric_value) for one in card.data.eval_results]
    assert found == [("text-classification", "f1", 0.8123), ("text-classification", "accuracy", 0.9)]
    assert (card.data.model_name, card.data.metrics) == ("ana/mood", ["f1", "accuracy"])
    assert (card.data.license, card.data.datasets, card.data.base_model) == ("mit", ["ana/texts"], "lab/base")
    assert "![" in card.text
    assert 'task="ana/mood"' in card.text


@pytest.mark.parametrize(("metric", "task"), [("masked_lm_loss", "fill-mask"), ("next_token_loss", "text-generation")])
def test_the_loss_of_a_language_vector_is_that_of_its_kind_of_base(metric, task):
    vector = make_vector(scores={metric: {"before": 5.0, "after": 3.25}})
    card = ModelCard(card_of(vector, Publication("ana/min")))
    (found,) = card.data.eval_results
    assert (found.task_type, found.metric_type, found.metric_value) == (task, "loss", 3.25)
    assert "lower is better) | 5.0000 | 3.2500 |" in card.text


@pytest.mark.parametrize(
    "scores", [{}, {"f1": 3}, {"f1": {"after": None}}, {"f1": {"after": True}}, {"odd": {"after": 1}}]
)
def test_without_a_score_there_are_no_results(scores):
    assert results("task", "a/b", scores) == {}


@pytest.mark.parametrize("name", ["nusantara-e5", "bases/mine", "mine"])
def test_a_base_that_is_not_from_the_hub_is_not_linked(name):
    base = {"name": name, "revision": None, "fingerprint": "ab" * 32}
    card = card_of(make_vector(base=base), Publication("a/b"))
    assert "base_model" not in card
    assert f"`{name}`" in card


def test_the_use_fits_into_five_lines():
    code = card_of(make_vector(), Publication("ana/min")).split("```python\n")[1].split("```")[0]
    assert len(code.strip().splitlines()) == 5
    assert 'language="ana/min"' in code


def test_a_classifier_s_card_names_what_it_consists_of():
    task = make_vector(kind="task", labels=["bad", "good"], language="ind")
    languages = [(make_vector(), 0.5), (make_vector(language="ban"), 1.0)]
    card = ModelCard(write_classifier_card("ana/mood", task, 1.25, languages, "mit", "ties"))
    assert (card.data.library_name, card.data.pipeline_tag) == ("transformers", "text-classification")
    assert (card.data.language, card.data.license) == (["min", "ban"], "mit")
    for expected in ("strength 1.25", "strength 0.5", "`ties`", "`bad`, `good`", '"ana/mood", truncation=True'):
        assert expected in card.text


def test_the_card_of_a_classifier_of_pairs_shows_a_pair():
    pairs = make_vector(kind="task", labels=["yes", "no"], corpus={"pairs": True})
    assert '"text_pair"' in write_classifier_card("ana/follows", pairs, 1.0, [])
    assert '"text_pair"' not in write_classifier_card("ana/mood", make_vector(kind="task", labels=["a", "b"]), 1.0, [])


def test_nothing_that_was_typed_becomes_markup():
    base = {"name": HOSTILE, "revision": None, "fingerprint": "ab" * 32}
    hostile = {"name": HOSTILE, "language": HOSTILE, "base": base}
    task = make_vector(kind="task", labels=[HOSTILE, "b"], **hostile)
    text = write_classifier_card("ana/mood", task, 1.0, [(make_vector(**hostile), 1.0)], HOSTILE, HOSTILE)
    assert set(ModelCard(text).data.to_dict()) == {"library_name", "pipeline_tag", "tags"}
    for line in text.splitlines():
        outside = "".join(line.split("`")[::2])
        assert line.startswith("```") or not any(mark in outside for mark in ("<", "javascript", "onerror", "\u202e"))
