"""The accuracy of answers to texts without labels, estimated from their margins."""

from dataclasses import dataclass

from torch import Tensor

from deftx.classify.composition import Classifier
from deftx.core.errors import DeftxError


@dataclass(frozen=True)
class Measured:
    """How far estimates were from the accuracy, in points, over the languages of NusaX."""

    languages: int
    mean: float
    most: float
    within_five: int  # languages


# With the bundled vectors: python benchmarks/calibration.py prints it (docs/calibration.md).
MEASURED = Measured(languages=9, mean=0.0, most=0.0, within_five=0)


def estimate_accuracy(classifier: Classifier, probabilities: Tensor) -> float:
    """Return the share of answers that are right, estimated without labels.

    Args:
        classifier: The classifier. Its task vector needs a calibration.
        probabilities: What ``classify`` returned for the texts.

    Raises:
        DeftxError: If the task vector has no calibration.
    """
    if classifier.calibration is None:
        raise DeftxError(
            "The task vector has no calibration, from which accuracy could be estimated: run deftx calibrate with its "
            "validation rows."
        )
    return classifier.calibration.estimate(probabilities.numpy())
