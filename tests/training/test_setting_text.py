"""Settings typed as key=value: read in their own type, and a mistake named."""

import pytest

from deftx.core.errors import RecipeError
from deftx.training.recipes import TaskRecipe
from deftx.training.setting_text import parse_setting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("learning_rate=1e-3", 1e-3), ("batch_size=16", 16), ("min_steps=1e3", 1000), ("max_steps=none", None),
        ("max_steps=50", 50), ("rank=none", "none"), ("ablate=no-retrain", "no-retrain"), ("ablate=None", None),
        ("group_by_length=True", True), ("group_by_length=false", False), ("dense_epochs=2.5", 2.5), ("k=100", 100.0),
        ("metric=accuracy", "accuracy"), ("rank=uniform:100", "uniform:100"),
    ],
)  # fmt: skip
def test_a_setting_is_read_in_its_own_type(text, value):
    name, found = parse_setting(TaskRecipe(), text)
    assert name == text.partition("=")[0]
    assert found == value
    assert type(found) is type(value)
    TaskRecipe().changed({name: found})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("batch_size=four", "expected int"), ("batch_size=2.5", "expected int"), ("learning_rate=fast", "expected float"),
        ("batch_size", "has no '='"), ("bach_size=4", "Did you mean 'batch_size'"), ("seed=inf", "expected int"),
        ("group_by_length=2", "expected bool"), ("batch_size=none", "expected int"), ("mask_share=0.2", "not known"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_is_named(text, words):
    with pytest.raises(RecipeError, match=words):
        parse_setting(TaskRecipe(), text)
