"""Temperatures, calibration errors and curves, compared with scipy and scikit-learn."""

import json
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

from deftx.core.calibration import (
    LEAST_EXAMPLES,
    Calibration,
    accuracy_at,
    calibrate,
    calibration_error,
    curve_of,
    fit_temperature,
    probabilities_of,
    threshold_for,
)


def rows(n: int = 400, labels: int = 3, sharpness: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose probabilities are ``sharpness`` times too far from each other, and labels drawn from the right ones."""
    draw = np.random.default_rng(seed)
    true = draw.normal(size=(n, labels))
    gold = np.array([draw.choice(labels, p=p) for p in probabilities_of(true)])
    return (sharpness * true).astype(np.float32), gold


class Given(ClassifierMixin, BaseEstimator):
    """A classifier of scikit-learn that returns its input as logits."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x):
        return x

    def predict(self, x):
        return x.argmax(1)


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("labels", [2, 3, 7])
def test_the_temperature_is_that_of_scipy_to_six_digits(sharpness, labels):
    logits, gold = rows(labels=labels, sharpness=sharpness)
    found = minimize_scalar(
        lambda log: log_loss(gold, probabilities_of(logits, math.exp(log)), labels=range(labels)),
        bounds=(-3, 3), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    assert fit_temperature(logits, gold) == pytest.approx(math.exp(found.x), rel=1e-6)


def test_the_temperature_is_that_of_scikit_learn_to_three_digits():
    logits, gold = rows()
    theirs = CalibratedClassifierCV(FrozenEstimator(Given().fit(logits, gold)), method="temperature", ensemble=False)
    theirs.fit(logits, gold)
    ours = probabilities_of(logits, fit_temperature(logits, gold))
    np.testing.assert_allclose(ours, theirs.predict_proba(logits), atol=1e-3)


def test_a_temperature_changes_no_answer_and_finds_how_far_the_logits_are_off():
    logits, gold = rows(n=20_000, sharpness=3.0)
    temperature = fit_temperature(logits, gold)
    assert temperature == pytest.approx(3.0, rel=0.05)
    assert (probabilities_of(logits, temperature).argmax(1) == logits.argmax(1)).all()
    found = calibrate(logits, gold)
    assert found.error[0] > 0.15
    assert found.error[1] < 0.02
    assert found.loss[1] == pytest.approx(log_loss(gold, probabilities_of(logits, temperature)), rel=1e-9)
    assert found.loss[1] < found.loss[0]


def test_the_calibration_error_is_that_of_scikit_learns_bins():
    logits, gold = rows()
    confidence, right = probabilities_of(logits).max(1), logits.argmax(1) == gold
    share, mean = calibration_curve(right, confidence, n_bins=15)
    sizes = np.histogram(confidence, bins=np.linspace(0, 1, 16))[0]
    expected = np.average(np.abs(share - mean), weights=sizes[sizes > 0])
    assert calibration_error(confidence, right) == pytest.approx(expected, abs=1e-12)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == 0.5


def test_a_curve_says_which_margin_reaches_which_accuracy():
    margin, right = np.array([0.9, 0.5, 0.8, 0.6]), np.array([True, False, True, False])
    curve = curve_of(margin, right)
    assert (curve.coverage, curve.margin) == ([0.25, 0.5, 0.75, 1.0], [0.9, 0.8, 0.6, 0.5])
    assert curve.accuracy == pytest.approx([1.0, 1.0, 2 / 3, 0.5])
    assert [threshold_for(curve, wanted) for wanted in (1.0, 0.6, 0.5)] == [0.8, 0.6, 0.5]
    assert [accuracy_at(margin, right, share) for share in (0.5, 1.0)] == [1.0, 0.5]
    assert threshold_for(curve_of(margin, ~right), 0.9) is None


def test_a_calibration_survives_json_and_a_damaged_one_is_refused():
    found = calibrate(*rows())
    content = json.loads(json.dumps(found.to_dict()))
    assert Calibration.from_dict(content) == found
    damaged = [
        {"temperature": 0},
        {"temperature": float("nan")},
        {"temperature": "2"},
        {"curve": {}},
        {"error": [2, 0]},
    ]
    for change in damaged:
        with pytest.raises((KeyError, TypeError, ValueError)):
            Calibration.from_dict({**content, **change})


def test_few_rows_or_no_wrong_answer_give_no_temperature():
    logits, gold = rows()
    assert calibrate(logits[: LEAST_EXAMPLES - 1], gold[: LEAST_EXAMPLES - 1]) is None
    assert calibrate(logits, logits.argmax(1)) is None
