"""Settings: the paper's numbers by default, every preset usable, and a mistake answered in words."""

import re
from itertools import product

import pytest

from deftx.core.errors import RecipeError
from deftx.training.recipes import (
    ABLATIONS,
    LANGUAGE_SHARE,
    PRESETS,
    LanguageRecipe,
    TaskRecipe,
    recipe_for,
)

XLM_R_BASE = 277_414_656


@pytest.mark.parametrize(("preset", "kind", "pairs"), list(product(PRESETS, ("language", "task"), (False, True))))
def test_every_preset_is_a_recipe(preset, kind, pairs):
    recipe = recipe_for(kind, preset, pairs=pairs)
    assert isinstance(recipe, {"language": LanguageRecipe, "task": TaskRecipe}[kind])
    assert recipe.method == "deft-x"
    assert recipe.rank == "variance:0.9"
    assert recipe.seed == 42
    assert recipe.count(XLM_R_BASE) == {"language": 7_667_712, "task": 14_155_776}[kind]


def test_the_paper_is_the_paper():
    language, task, pairs = (
        recipe_for("language", "paper"),
        recipe_for("task", "paper"),
        recipe_for("task", "paper", pairs=True),
    )
    assert (language.batch_size, language.max_length, language.evaluate_every) == (8, 256, 1_000)
    assert (language.learning_rate, language.l1, language.hold_out, language.keep) == (5e-5, 0.1, 0.05, 0.05)
    assert (task.batch_size, task.max_length, task.evaluate_every, task.metric) == (16, 128, 250, "f1")
    assert (task.epochs, task.learning_rate, task.l1) == (10, 5e-5, 0)
    assert (pairs.batch_size, pairs.epochs, pairs.evaluate_every, pairs.metric) == (32, 5, 625, "accuracy")


def test_pairs_are_learned_quickly_at_lower_rates_in_more_steps():
    texts, pairs = (recipe_for("task", "quick", pairs=pairs) for pairs in (False, True))
    assert pairs.learning_rate < texts.learning_rate / 2
    assert pairs.rate("sparse") < texts.rate("sparse")
    assert (pairs.max_steps, pairs.metric) == (2 * texts.max_steps, "accuracy")


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(8, 30_000), (8 * 299, 30_000), (8 * 500 - 7, 50_000), (8 * 1_000, 100_000), (10**6, 100_000)],
)
def test_language_steps_are_the_lesser_of_epochs_and_steps_but_at_least_30000(examples, steps):
    assert recipe_for("language", "paper").steps(examples, "dense") == steps


def test_the_dense_phase_may_have_its_own_length():
    recipe = TaskRecipe(dense_epochs=3)
    assert (recipe.steps(160, "dense"), recipe.steps(160, "sparse")) == (30, 100)
    assert TaskRecipe(epochs=0.001).steps(16, "dense") == 1


def test_the_sparse_phase_may_have_its_own_learning_rate():
    assert [TaskRecipe().rate(phase) for phase in ("dense", "sparse")] == [5e-5, 5e-5]
    recipe = TaskRecipe(sparse_learning_rate=1e-3)
    assert [recipe.rate(phase) for phase in ("dense", "sparse")] == [5e-5, 1e-3]


def test_k_is_a_share_or_a_number():
    assert TaskRecipe(k=0.5).count(10) == 5
    assert TaskRecipe(k=1).count(10) == 10
    assert TaskRecipe(k=7).count(10) == 7
    for k, entries in ((11, 10), (LANGUAGE_SHARE, 10)):
        with pytest.raises(RecipeError, match=r"choose from 1 to 10"):
            TaskRecipe(k=k).count(entries)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "deftx"}, "Did you mean 'deft-x'"), ({"rank": "varience:0.9"}, "Did you mean 'variance"),
        ({"rank": "variance:1.5"}, "variance"), ({"ablate": "no-residuals"}, "Did you mean 'no-residual'"),
        ({"precision": "float16"}, "Did you mean 'bfloat16'|Did you mean 'float32'"), ({"metric": "f2"}, "Did you mean 'f1'"),
        ({"values": "half"}, "type of values"),
        ({"method": "lt-sft", "ablate": "no-retrain"}, "Ablations remove a part of deft-x"),
        ({"k": 0}, "k = 0 is out of range"), ({"k": 1.5}, "neither a share"), ({"k": float("nan")}, "out of range"),
        ({"seed": -1}, "seed = -1 is out of range"), ({"learning_rate": 0}, "out of range"), ({"keep": 1.1}, "out of range"),
        ({"learning_rate": float("nan")}, "out of range"), ({"hold_out": 0.6}, "between 0.0001 and 0.5"),
        ({"batch_size": 0}, "out of range"), ({"batch_size": 3, "accumulation": 2}, "cannot be split into 2"),
        ({"max_steps": 5, "min_steps": 6}, "max_steps = 5 is below min_steps = 6"), ({"batch_size": "8"}, "expected int"),
        ({"batch_size": True}, "expected int"), ({"group_by_length": 1}, "expected bool"), ({"lr": 1e-3}, "setting 'lr'"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_by_name(settings, words):
    with pytest.raises(RecipeError, match=words):
        recipe_for("task", "paper", **settings)


def test_unknown_presets_are_answered_with_the_nearest():
    with pytest.raises(RecipeError, match="Did you mean 'standard'"):
        recipe_for("language", "standart")


def test_a_recipe_is_whole_in_its_dictionary_and_its_ablations_are_told():
    for recipe in (LanguageRecipe(), TaskRecipe(metric="accuracy")):
        assert type(recipe)(**recipe.to_dict()) == recipe
    for name in ABLATIONS:
        assert re.fullmatch(r"[a-z-]+", name)
        assert LanguageRecipe(ablate=name).ablate == name
