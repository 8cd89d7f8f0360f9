"""What margins say about answers to texts without labels: how many are right, and which are sure."""

from dataclasses import dataclass

from torch import Tensor

from deftx.classify.classifier import Classifier
from deftx.core.calibration import Calibration, margins
from deftx.core.errors import DeftxError


@dataclass(frozen=True)
class EstimateError:
    """How far estimates were from the accuracy, in points, over the languages of NusaX."""

    languages: int
    mean: float
    most: float
    within_five: int  # languages


LEAST_TEXTS = 20  # with fewer, each text is more than 5 points of the estimate
# With the bundled vectors: python benchmarks/calibration.py prints it (docs/calibration.md).
ESTIMATE_ERROR = EstimateError(languages=9, mean=5.4, most=10.5, within_five=4)


def estimate_accuracy(classifier: Classifier, probabilities: Tensor) -> float:
    """Return the share of answers that are right, estimated without labels.

    Args:
        classifier: The classifier. Its task vector needs a calibration.
        probabilities: What ``classify`` returned for the texts.

    Raises:
        DeftxError: If the task vector has no calibration, or there are fewer than LEAST_TEXTS texts.
    """
    return check_estimate(classifier, len(probabilities)).estimate(probabilities.numpy())


def sure_answers(classifier: Classifier, probabilities: Tensor, wanted: float) -> list[bool]:
    """Return for each answer whether it is so sure that of all such answers a wanted share is right.

    Args:
        classifier: The classifier. Its task vector needs a calibration.
        probabilities: What ``classify`` returned for the texts.
        wanted: The wanted accuracy, above 0 and below 1.

    Raises:
        DeftxError: If the task vector has no calibration, or the share is out of range.
    """
    return (margins(probabilities.numpy()) >= check_sure(classifier, wanted).sure_from(wanted)).tolist()


def check_estimate(classifier: Classifier, count: int) -> Calibration:
    """Return the calibration to estimate from, or raise what ``estimate_accuracy`` would raise for ``count`` texts."""
    if count < LEAST_TEXTS:
        raise DeftxError(
            f"An estimate of how many answers are right needs at least {LEAST_TEXTS} texts; given: {count}. "
            "Add texts, or judge the answers yourself."
        )
    return _calibrated(classifier)


def check_sure(classifier: Classifier, wanted: float) -> Calibration:
    """Return the calibration to decide by, or raise what ``sure_answers`` would raise for a wanted accuracy."""
    if not 0 < wanted < 1:
        raise DeftxError(f"The wanted accuracy is a share between 0 and 1, such as 0.9; it is {wanted:g}.")
    return _calibrated(classifier)


def _calibrated(classifier: Classifier) -> Calibration:
    if classifier.calibration is None:
        raise DeftxError(
            "The task vector has no calibration, which says how sure answers must be: run deftx calibrate with its "
            "validation rows."
        )
    return classifier.calibration
