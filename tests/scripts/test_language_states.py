"""The measures of the script that makes the table of hidden states."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from deftx.analysis.language_states import compare


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "scripts"))
    return importlib.import_module("language_states")


def test_precision_is_one_if_all_relatives_are_in_front(script):
    ranking = {"a": 0.9, "b": 0.8, "c": 0.1, "d": -0.5}
    assert script.precision(ranking, ("a", "b")) == 1
    assert script.precision(ranking, ("d",)) == 0.25
    assert script.precision(ranking, ("b", "d")) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_what_differs_within_languages_counts_less_when_whitened(script):
    """The first dimension is a topic: lines of one language differ in it, and two strangers share it by chance."""
    generator = np.random.default_rng(0)

    def lines(topic, own):
        noise = generator.normal(size=(200, 3)) * np.array([10, 0.1, 0.1])
        return noise - noise.mean(0) + np.array([topic, *own])

    known = {"spa": lines(0, (-1, -1)), "kin": lines(-2, (1, 0)), "stranger": lines(2, (0, 1))}
    asked = np.array([2, 0.9, 0.1])
    for way, nearest in (("centred", "stranger"), ("whitened", "kin")):
        matrix = script.WAYS[way](known)
        found = compare(asked @ matrix, {code: states.mean(0) @ matrix for code, states in known.items()})
        assert max(found, key=found.get) == nearest, way


def test_nothing_of_spanish_is_left_without_its_direction(script):
    known = {"spa": np.array([[3.0, 0, 0]]), "a": np.array([[0, 1.0, 0]]), "b": np.array([[0, 0, 1.0]])}
    matrix, centre = script.without_spanish(known), np.mean([states.mean(0) for states in known.values()], axis=0)
    assert np.allclose((known["spa"].mean(0) - centre) @ matrix, 0)
    scaled = script.standardised(known)
    assert np.allclose(np.std([states.mean(0) @ scaled for states in known.values()], axis=0), 1, atol=1e-3)
