"""Change a strength of a composed classifier and classify a sentence, against composing anew each time.

    python benchmarks/compose.py [--quick]

The bundled base with its sentiment and Minangkabau vectors. Both sides give, for each of many strengths of the language
vector, the task's head on the four sides (neither vector, each alone, both). Ours is what the page does: one private copy, on
which differences are put on and taken off, and no side again that a change does not touch. Probabilities must be equal.
"""

import argparse
import sys
import time
from collections.abc import Callable

from sides import arguments, measure, median, report

from deftx.classify.composition import compose
from deftx.classify.workbench import Workbench
from deftx.models.bases import BUNDLED_BASE, load_base
from deftx.vectors.vector import SparseVector

SENTENCE = "Hotelnyo rancak, tapi makanannyo indak lamak."
METHODS = ("sum", "ties", "dare")
Side = tuple[float, float]


def strengths(given: argparse.Namespace) -> list[float]:
    """The places of a slider, up and down."""
    return [1.0, 0.5] if given.quick else [round(0.05 * ((17 * turn) % 41), 2) for turn in range(1, 41)]


def sides(strength: float) -> list[Side]:
    """Strengths of the task and of the language on the four sides."""
    return [(0.0, 0.0), (1.0, 0.0), (0.0, strength), (1.0, strength)]


def timed(given: argparse.Namespace, classify: Callable[[str, list[Side]], list]) -> dict:
    """Time every move of the slider, for each method; the first answer is not one."""
    found: dict = {}
    for method in METHODS:
        answers, times = [classify(method, sides(2.0))], []
        for strength in strengths(given):
            start = time.perf_counter()
            answers.append(classify(method, sides(strength)))
            times.append(time.perf_counter() - start)
        found |= {method: times, f"{method} answers": answers}
    return found


def ours(given: argparse.Namespace) -> dict:
    """One copy, and the sides that a change does not touch kept."""
    task, language = SparseVector.load("sentiment"), SparseVector.load("min")
    bench, kept = Workbench(load_base(BUNDLED_BASE), task), {}

    def one(method: str, side: Side) -> list[float]:
        if (method, side) not in kept:
            with bench.holding([(task, side[0]), (language, side[1])], method) as classifier:
                kept[method, side] = classifier.classify([SENTENCE])[0].tolist()
        return kept[method, side]

    return timed(given, lambda method, wanted: [one(method, side) for side in wanted])


def anew(given: argparse.Namespace) -> dict:
    """A classifier for every side, each time."""
    base, task, language = load_base(BUNDLED_BASE), SparseVector.load("sentiment"), SparseVector.load("min")

    def one(method: str, side: Side) -> list[float]:
        classifier = compose(
            base, task=task, language=language, strength_task=side[0], strength_language=side[1], method=method
        )
        return classifier.classify([SENTENCE])[0].tolist()

    return timed(given, lambda method, wanted: [one(method, side) for side in wanted])


SIDES = {"anew": anew, "ours": ours}


def main() -> None:
    """Measure both sides; exit status 1 when a probability differs."""
    given = arguments(__doc__, SIDES, rounds=1).parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    same = all(found["ours"][0][f"{m} answers"] == found["anew"][0][f"{m} answers"] for m in METHODS)
    print("the probabilities are equal" if same else "the probabilities DIFFER")
    for method in METHODS:
        mine, other = (1000 * median(found[side], method) for side in ("ours", "anew"))
        report(f"a strength changed, four sides, {method}", mine, other, "ms", "300 ms")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
