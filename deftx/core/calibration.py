"""Calibration of probabilities: the temperature, how far they are off, accuracy against coverage, accuracy without labels.

An answer's margin is the difference of its two highest probabilities. Dividing the logits by a temperature T (Guo et al. 2017)
changes probabilities and margins, never the label. All of it is fitted on labelled rows that were not trained on.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

COLDEST, HOTTEST = 0.05, 20.0  # limits of a temperature
LEAST_EXAMPLES = 100  # labelled rows for a temperature: with fewer, it is mostly chance
HALVINGS = 60  # of the interval in which the temperature is searched; more change no digit
BINS = 15  # of the calibration error, as Guo et al.
STEPS = 100  # points of a curve
COVERAGES = (1.0, 0.8, 0.6, 0.4)  # of the short table
# In text of another language, errors are this many times as frequent as in the labelled rows, at every margin:
# measured on Javanese and Sundanese (docs/calibration.md).
SHIFT = 2.25


@dataclass(frozen=True)
class Curve:
    """Accuracy against coverage on labelled rows, those with the largest margin first.

    ``margin[i]`` is the smallest margin of the first ``coverage[i]`` of the rows, ``accuracy[i]`` the share of right answers
    among them. The last point has a coverage of 1.
    """

    coverage: list[float]
    margin: list[float]
    accuracy: list[float]


@dataclass(frozen=True)
class Calibration:
    """A temperature and what was measured with it on the rows that it was fitted on. ``error`` and ``loss`` are before and after."""

    temperature: float
    examples: int
    accuracy: float
    error: tuple[float, float]  # expected calibration error
    loss: tuple[float, float]  # negative log-likelihood in nats
    threshold: float  # the share of rows with this margin or a larger one is ``accuracy``
    curve: Curve

    def sure_from(self, wanted: float, shift: float = SHIFT) -> float:
        """Return the margin from which on answers in another language are right at the wanted rate; above 1 if none is.

        Args:
            wanted: The wanted accuracy of these answers, from 0 to 1.
            shift: How many times as frequent errors are as in the labelled rows.
        """
        found = threshold_for(self.curve, 1 - (1 - wanted) / shift)
        return 2.0 if found is None else found

    def estimate(self, probabilities: np.ndarray) -> float:
        """Return the estimated accuracy of answers without labels: average thresholded confidence (Garg et al. 2022).

        The share of the labelled rows above the threshold equals their accuracy; the estimate is the share of these answers.

        Args:
            probabilities: The probabilities (n, labels) with the temperature.
        """
        return float((margins(probabilities) >= self.threshold).mean())

    def to_dict(self) -> dict[str, Any]:
        """Return what vector.json keeps."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Calibration":
        """Read what ``to_dict`` returned; KeyError, TypeError or ValueError if it is none."""
        (before, after), (loss, lower) = content["error"], content["loss"]
        curve = Curve(**{name: [_share(value) for value in content["curve"][name]] for name in Curve.__annotations__})
        if not curve.coverage or len({len(values) for values in asdict(curve).values()}) != 1:
            raise ValueError("a curve has as many coverages as margins and accuracies")
        if not COLDEST <= content["temperature"] <= HOTTEST:
            raise ValueError("the temperature is out of range")
        return cls(
            float(content["temperature"]), int(content["examples"]), _share(content["accuracy"]),
            (_share(before), _share(after)), (float(loss), float(lower)), _share(content["threshold"]), curve,
        )  # fmt: skip


def calibrate(logits: np.ndarray, gold: np.ndarray) -> Calibration | None:
    """Fit a temperature on labelled rows; None if they are fewer than LEAST_EXAMPLES, of one label, or all answered right.

    Args:
        logits: The logits (n, labels).
        gold: The index of the right label of each row.
    """
    right = logits.argmax(1) == gold
    if len(gold) < LEAST_EXAMPLES or len(np.unique(gold)) < 2 or right.all():
        return None
    temperature = fit_temperature(logits, gold)
    pairs = [probabilities_of(logits, value) for value in (1.0, temperature)]
    before, after = (calibration_error(rows.max(1), right) for rows in pairs)
    loss, lower = (float(-np.log(np.maximum(rows[np.arange(len(gold)), gold], 1e-300)).mean()) for rows in pairs)
    margin = margins(pairs[1])
    threshold = float(np.sort(margin)[::-1][max(1, int(right.sum())) - 1])
    shares = (float(right.mean()), (before, after), (loss, lower), threshold)
    return Calibration(temperature, len(gold), *shares, curve_of(margin, right))


def fit_temperature(logits: np.ndarray, gold: np.ndarray) -> float:
    """Return the temperature with the least negative log-likelihood.

    The likelihood is concave in 1/T: its slope, the mean over rows of z[gold] − Σ p·z, is searched for its zero by halving.
    """
    logits = np.asarray(logits, dtype=np.float64)
    own = logits[np.arange(len(gold)), gold]
    low, high = np.log(COLDEST), np.log(HOTTEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = (probabilities_of(logits, np.exp(middle)) * logits).sum(1)
        low, high = (low, middle) if (own - expected).mean() > 0 else (middle, high)
    return float(np.exp((low + high) / 2))


def probabilities_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return softmax(logits / temperature) in float64."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def margins(probabilities: np.ndarray) -> np.ndarray:
    """Return the difference of the two highest probabilities of each row (n, labels)."""
    ordered = np.sort(np.asarray(probabilities, dtype=np.float64), axis=1)
    return ordered[:, -1] - (ordered[:, -2] if ordered.shape[1] > 1 else 0.0)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error of the highest probabilities.

    It is the mean of |accuracy − confidence| over bins of equal width, weighted by their rows.
    """
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=np.asarray(right, dtype=np.float64) - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(place))


def curve_of(margin: np.ndarray, right: np.ndarray, steps: int = STEPS) -> Curve:
    """Return accuracy against coverage at up to ``steps`` coverages in equal distances."""
    order = np.argsort(-np.asarray(margin), kind="stable")
    counts = np.unique(np.ceil(np.arange(1, steps + 1) / steps * len(order)).astype(int))
    hits = np.cumsum(np.asarray(right, dtype=np.float64)[order])[counts - 1]
    lowest = np.asarray(margin, dtype=np.float64)[order][counts - 1]
    return Curve(*(values.tolist() for values in (counts / len(order), lowest, hits / counts)))


def accuracy_at(margin: np.ndarray, right: np.ndarray, coverage: float) -> float:
    """Return the accuracy of the answers with the largest margins, a share ``coverage`` of all."""
    count = max(1, round(coverage * len(right)))
    return float(np.asarray(right)[np.argsort(-np.asarray(margin), kind="stable")[:count]].mean())


def certainty_of(probabilities: np.ndarray, right: Sequence[bool]) -> dict[str, Any]:
    """Return the calibration error of answers, and their accuracy at the COVERAGES with the smallest margin of each."""
    given, margin = np.asarray(right), margins(probabilities)
    at = [(share, np.sort(margin)[::-1][max(1, round(share * len(given))) - 1]) for share in COVERAGES]
    table = [
        {"coverage": share, "accuracy": accuracy_at(margin, given, share), "margin": float(low)} for share, low in at
    ]
    return {"calibration_error": calibration_error(probabilities.max(1), given), "risk_coverage": table}


def threshold_for(curve: Curve, wanted: float) -> float | None:
    """Return the smallest margin at which all answers from there on reach an accuracy, or None if none do."""
    reached = [low for low, share in zip(curve.margin, curve.accuracy, strict=True) if share >= wanted]
    return min(reached) if reached else None


def _share(value: Any) -> float:
    if not 0 <= value <= 1:
        raise ValueError("a share is from 0 to 1")
    return float(value)
