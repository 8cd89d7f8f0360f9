"""Measurement: how far the bundled classifier's probabilities, its "not sure" and its estimates of accuracy can be believed.

    DEFTX_DATA=DATA python benchmarks/calibration.py --logits DIR [--keep]

The temperature is fitted on the SMSA validation rows, with the vector of their language, and on nothing else. Everything is
then measured on the test rows of NusaX in nine languages, each with its own bundled vector; Javanese, Sundanese and English
have none and are classified with that of Indonesian. Javanese and Sundanese are the languages on which the methods and the
numbers in deftx/core/calibration.py were chosen. The logits are kept in DIR, so that each set is computed once. ``--keep``
writes the temperature into the bundled vector. docs/calibration.md has the tables.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bundled_logits import logits_of
from sides import ROOT, THREADS

from deftx import BUNDLED_BASE
from deftx.classify.calibrating import keep_calibration
from deftx.core.calibration import (
    Calibration,
    accuracy_at,
    calibrate,
    calibration_error,
    fit_temperature,
    margins,
    probabilities_of,
)
from deftx.models.bases import load_base
from deftx.vectors.vector import SparseVector

TASK, SOURCE = "sentiment", "ind"
DEVELOPMENT, TARGETS, OTHERS = ("jav", "sun"), ("ace", "ban", "bjn", "mad", "min"), ("ind", "eng")
LANGUAGES = (*DEVELOPMENT, *TARGETS, *OTHERS)
WITHOUT_VECTOR = (*DEVELOPMENT, "eng")
WANTED = (0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class Answers:
    """The answers of a classifier on a test set, and those without the language vector."""

    logits: np.ndarray
    gold: np.ndarray
    others: np.ndarray  # logits of the task vector alone

    @property
    def right(self) -> np.ndarray:
        """Whether each answer is right."""
        return self.logits.argmax(1) == self.gold


def row(*cells: object) -> str:
    """Return a row of a Markdown table; shares as percentages."""
    return "| " + " | ".join(f"{100 * c:.1f}" if isinstance(c, float) else str(c) for c in cells) + " |"


def calibration_rows(found: dict[str, Answers], fitted: Calibration) -> list[str]:
    """List accuracy, calibration error before and after, and the temperature that each test set would need."""
    rows = []
    for language, answers in found.items():
        errors = [
            calibration_error(probabilities_of(answers.logits, temperature).max(1), answers.right)
            for temperature in (1.0, fitted.temperature)
        ]
        own = f"{fit_temperature(answers.logits, answers.gold):.2f}"
        rows.append(row(language, float(answers.right.mean()), *errors, own))
    return rows


def coverage_rows(found: dict[str, Answers], fitted: Calibration) -> list[str]:
    """List the accuracy of the surest answers, and how much higher it is at 60 % than at 100 %."""
    rows = []
    for language, answers in found.items():
        margin = margins(probabilities_of(answers.logits, fitted.temperature))
        shares = [accuracy_at(margin, answers.right, share) for share in (1.0, 0.8, 0.6, 0.4)]
        rows.append(row(language, *shares, f"{100 * (shares[2] - shares[0]):+.1f}"))
    return rows


def wanted_rows(found: dict[str, Answers], fitted: Calibration) -> list[str]:
    """List, for each wanted accuracy, how many answers are sure and how many of these are right."""
    rows = []
    for language, answers in found.items():
        margin, cells = margins(probabilities_of(answers.logits, fitted.temperature)), []
        for wanted in WANTED:
            sure = margin >= fitted.sure_from(wanted)
            cells.append(f"{100 * answers.right[sure].mean():.1f} of {100 * sure.mean():.0f}")
        plain = margin >= fitted.sure_from(0.9, shift=1.0)
        rows.append(row(language, *cells, f"{100 * answers.right[plain].mean():.1f} of {100 * plain.mean():.0f}"))
    return rows


def estimates(answers: Answers, fitted: Calibration) -> list[float]:
    """Return the accuracy estimated by thresholded margins, by the difference of confidences, and by agreement."""
    probabilities = probabilities_of(answers.logits, fitted.temperature)
    agreement = float((answers.logits.argmax(1) == answers.others.argmax(1)).mean())
    return [fitted.estimate(probabilities), float(probabilities.max(1).mean()), agreement]


def estimate_rows(found: dict[str, Answers], fitted: Calibration) -> list[str]:
    """List the accuracy and its estimates, with the error of that which is used; below it, what ESTIMATE_ERROR has."""
    rows, errors = [], []
    for language, answers in found.items():
        given = estimates(answers, fitted)
        errors.append(100 * (given[0] - float(answers.right.mean())))
        rows.append(row(language, float(answers.right.mean()), *given, f"{errors[-1]:+.1f}"))
    off = np.abs(errors)
    measured = f"languages={len(off)}, mean={off.mean():.1f}, most={off.max():.1f}, within_five={int((off <= 5).sum())}"
    return [*rows, "", f"ESTIMATE_ERROR = EstimateError({measured})"]


def shift_line(found: dict[str, Answers], fitted: Calibration) -> str:
    """Return how many times as frequent errors are in the development languages as in the validation rows."""
    ratios = [(1 - found[name].right.mean()) / (1 - fitted.accuracy) for name in DEVELOPMENT]
    return ", ".join(f"{name} {ratio:.2f}" for name, ratio in zip(DEVELOPMENT, ratios, strict=True))


def main() -> None:
    """Compute what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logits", type=Path, required=True, help="folder of the kept logits")
    parser.add_argument("--keep", action="store_true", help="write the temperature into the bundled vector")
    parser.add_argument("--threads", type=int, default=THREADS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    data = Path(os.environ.get("DEFTX_DATA") or sys.exit("DEFTX_DATA must name the folder that holds nusax/ and smsa/"))
    base, task = load_base(BUNDLED_BASE), SparseVector.load(TASK)
    fitted = calibrate(*logits_of(base, task, SOURCE, data / "smsa" / "valid.csv", given.logits))
    if fitted is None:
        sys.exit("smsa/valid.csv has too few rows for a temperature.")
    if given.keep:
        keep_calibration(ROOT / "assets" / "vectors" / TASK, fitted)
    found = {}
    for language in LANGUAGES:
        file = data / "nusax" / language / "test.csv"
        vector = SOURCE if language in WITHOUT_VECTOR else language
        logits, gold = logits_of(base, task, vector, file, given.logits)
        found[language] = Answers(logits, gold, logits_of(base, task, None, file, given.logits)[0])
    print(f"temperature {fitted.temperature:.4f}, accuracy {fitted.accuracy:.4f} of {fitted.examples:,} rows, calibration error "
          f"{fitted.error[0]:.4f} -> {fitted.error[1]:.4f}; errors as many times as here: {shift_line(found, fitted)}")  # fmt: skip
    for header, rows in (
        ("| | right | calibration error at T = 1 | with T | its own T |", calibration_rows(found, fitted)),
        ("| right of the surest | 100 % | 80 % | 60 % | 40 % | 60 % − 100 % |", coverage_rows(found, fitted)),
        ("| wanted | 80 | 85 | 90 | 95 | 90, no shift |", wanted_rows(found, fitted)),
        ("| | right | margins (used) | confidence | agreement | off by |", estimate_rows(found, fitted)),
    ):
        print(f"\n{header}\n|---|{'---:|' * (header.count('|') - 2)}", *rows, sep="\n")


if __name__ == "__main__":
    main()
