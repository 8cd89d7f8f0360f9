"""Whatever language was on before, the weights are those of a classifier composed anew, to the bit."""

from dataclasses import replace

import pytest

from deftx.classify.composition import compose
from deftx.core.errors import RecipeError, VectorError
from deftx.models.bases import load_base
from deftx.serving.switching import Switcher, by_code
from deftx.vectors.vector import SparseVector


@pytest.fixture(scope="module")
def task(task_vector):
    return SparseVector.load(task_vector)


@pytest.fixture(scope="module")
def languages(language_vector):
    one = SparseVector.load(language_vector)
    # Another vector: half of the entries of each parameter, with other values, so that the two overlap in part.
    half = {name: slice(0, len(positions) // 2 + 1) for name, positions in one.positions.items()}
    other = replace(
        one, info={**one.info, "language": "ban"},
        positions={name: positions[half[name]] for name, positions in one.positions.items()},
        values={name: values[half[name]] * -3 for name, values in one.values.items()},
    )  # fmt: skip
    return {"min": one, "ban": other}


def test_every_language_has_the_weights_of_compose(base, task, languages):
    switcher = Switcher(base, task, languages)
    for code in (None, "min", "ban", "min", "min", None, "ban", None):
        switcher.turn_to(code)
        expected = compose(base, task=task, language=languages.get(code)).model.state_dict()
        found = switcher.classifier.model.state_dict()
        assert [name for name in expected if not found[name].equal(expected[name])] == [], code


def test_classifying_turns_to_the_language(base, task, languages):
    switcher, texts = Switcher(base, task, languages), ["the day is good", "the night was awful"]
    for code in ("ban", "min", None):
        expected = compose(base, task=task, language=languages.get(code)).classify(texts)
        assert switcher.classify(texts, code).equal(expected)


def test_vectors_of_the_wrong_kind_or_base_are_refused(base, other_folder, task, languages):
    with pytest.raises(VectorError, match="a task vector is needed"):
        Switcher(base, languages["min"], {})
    with pytest.raises(VectorError, match="a language vector is needed"):
        Switcher(base, task, {"ind": task})
    with pytest.raises(VectorError, match="was made for the base"):
        Switcher(load_base(other_folder), task, languages)


def test_each_language_has_one_vector(languages):
    assert list(by_code([("a", languages["min"]), ("b", languages["ban"])])) == ["min", "ban"]
    with pytest.raises(RecipeError, match="Two vectors"):
        by_code([("a", languages["min"]), ("b", languages["min"])])
    unnamed = replace(languages["min"], info={**languages["min"].info, "language": None})
    with pytest.raises(RecipeError, match="does not say its language"):
        by_code([("a", unnamed)])
