"""A request is checked in one place, and a job keeps it whole; the settings of older jobs are read as well."""

import json
from dataclasses import fields, replace

import pytest
from training_requests import SEEDS, draw

from deftx.core.errors import RecipeError
from deftx.training.recipes import recipe_for
from deftx.training.request import HOURS, Refusal, SettingsRefused, TrainingRequest


def refused(**values):
    with pytest.raises(SettingsRefused) as caught:
        TrainingRequest(**{"kind": "language", **values})
    return {refusal.field: refusal.reason for refusal in caught.value.refusals}


def test_the_requests_that_are_drawn_give_every_field_and_leave_it_out():
    drawn = [draw(seed) for seed in SEEDS]
    for one in fields(TrainingRequest):
        assert len({repr(getattr(request, one.name)) for request in drawn}) > 1, one.name


@pytest.mark.parametrize("seed", SEEDS)
def test_a_job_keeps_a_request_whole(seed):
    request = draw(seed)
    settings = json.loads(json.dumps(request.to_job(), allow_nan=False))
    assert settings == request.to_job()
    assert TrainingRequest.from_job(request.kind, settings, request.name) == request


def test_the_settings_of_a_job_are_those_that_are_given():
    request = TrainingRequest(kind="language", name="Min", corpus=("a.txt",), language="min")
    assert request.to_job() == {"corpus": "a.txt", "language": "min", "preset": "quick", "recipe": {}}
    away = replace(request, corpus=("a.txt", "b.txt"), flavor="l4x1", push_to="ana/min")
    assert away.to_job() == {
        "corpus": ["a.txt", "b.txt"], "language": "min", "preset": "quick", "recipe": {}, "device": "hf-jobs",
        "flavor": "l4x1", "hours": HOURS, "push_to": "ana/min", "push_private": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "settings", "request_"),
    [
        ("language", {"corpus": "/a.txt"}, {"corpus": ("/a.txt",)}),
        ("language", {"corpus": ["/a", "/b"], "base": "b", "language": None, "recipe": None, "preset": None},
         {"corpus": ("/a", "/b"), "base": "b"}),
        ("language", {"corpus": "a", "recipe": {"k": 5, "gone": 1}, "delta": "delta", "delta_of": "20260131-094501-123456"},
         {"corpus": ("a",), "recipe": {"k": 5, "gone": 1}, "delta": "delta"}),
        ("task", {"train": "/t.csv", "valid": None, "columns": {}, "source": "/v", "device": "cuda", "processes": 2},
         {"train": "/t.csv", "source": "/v", "device": "cuda", "processes": 2}),
        ("task", {"train": "t", "corpus": "of the other kind", "push_to": "ana/mood"},
         {"train": "t", "push_to": "ana/mood", "push_private": False}),
        ("language", {"corpus": "a", "device": "hf-jobs", "flavor": "l4x1", "hours": 2.0},
         {"corpus": ("a",), "flavor": "l4x1", "hours": 2.0}),
    ],
)  # fmt: skip
def test_the_settings_of_older_jobs_are_read(kind, settings, request_):
    assert TrainingRequest.from_job(kind, settings) == TrainingRequest(kind=kind, **request_)


@pytest.mark.parametrize("settings", [{"device": "hf-jobs"}, {"corpus": {"a": 1}}, {"recipe": [1]}, {"processes": "2"}])
def test_settings_that_are_damaged_are_refused(settings):
    with pytest.raises(RecipeError):
        TrainingRequest.from_job("language", settings)


@pytest.mark.parametrize("kind", ["both", "", None, ["language"]])
def test_a_kind_must_be_one_that_there_is(kind):
    with pytest.raises(RecipeError, match=r"language, task"):
        TrainingRequest(kind=kind)


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("name", {"name": 3}, "expected a text"),
        ("recipe", {"recipe": ["rank"]}, "in braces"),
        ("recipe", {"recipe": {1: 2}}, "in braces"),
        ("corpus", {"corpus": "a.txt"}, "expected a text"),
        ("corpus", {"corpus": (1,)}, "expected a text"),
        ("train", {"train": "t.csv"}, "no such setting"),
        ("corpus", {"kind": "task", "corpus": ("a",)}, "no such setting"),
        ("processes", {"processes": 1.5}, "1.5 is no number"),
        ("processes", {"processes": True}, "True is no number"),
        ("processes", {"processes": 0}, "1 or more"),
        ("flavor", {"device": "hf-jobs"}, "needs the name of a machine"),
        ("device", {"device": "cpu", "flavor": "l4x1"}, "about this machine"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(field, values, said):
    found = refused(**values)
    assert list(found) == [field]
    assert said in found[field]


@pytest.mark.parametrize("hours", [0, 0.4, 1000, "4", True, None, float("nan")])
def test_hours_have_bounds(hours):
    assert "hours at most" in refused(flavor="l4x1", hours=hours)["hours"]


def test_all_fields_that_cannot_be_used_are_named_at_once():
    assert set(refused(name=None, processes=-1, recipe=3)) == {"name", "processes", "recipe"}


# The recipe


def refused_recipe(kind, preset, recipe):
    with pytest.raises(SettingsRefused) as caught:
        TrainingRequest(kind=kind, preset=preset, recipe=recipe).full_recipe()
    return {refusal.field: refusal.reason for refusal in caught.value.refusals}


def test_every_setting_that_cannot_be_used_is_named():
    found = refused_recipe("language", "quick", {"learning_rate": 9.0, "rank": "uniform:many", "seed": 1, "ratio": 2})
    assert set(found) == {"learning_rate", "rank", "ratio"}
    assert "out of range" in found["learning_rate"]
    assert "uniform:100" in found["rank"]


def test_settings_that_only_contradict_each_other_are_refused_together():
    assert "below min_steps" in refused_recipe("language", "paper", {"max_steps": 20_000})["max_steps"]
    assert set(refused_recipe("task", "quick", {"batch_size": 30, "accumulation": 4})) == {"settings"}
    assert TrainingRequest(kind="task", recipe={"batch_size": 30, "accumulation": 3}).full_recipe().accumulation == 3


def test_the_preset_is_checked_too():
    assert "Did you mean 'quick'" in refused_recipe("language", "quik", {})["preset"]


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("seed", SEEDS[:8])
def test_a_recipe_is_the_presets_with_the_settings_of_the_request(seed, pairs):
    request = draw(seed)
    assert request.full_recipe(pairs) == recipe_for(request.kind, request.preset, pairs=pairs, **request.recipe)


def test_an_error_of_several_reasons_says_them_all():
    assert str(SettingsRefused([Refusal("a", "One."), Refusal("b", "Two.")])) == "One. Two."
