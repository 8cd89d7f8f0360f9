"""How much text: how much of it a training reads, and what language vectors learned from as much text gained.

A gain is macro-F1 on NusaX with a language vector less that without it, in points.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from deftx.training.data_size import TextSize
from deftx.training.recipes import LanguageRecipe

# Gain by language, for texts of so many tokens: random lines and the preset quick (docs/advice.md), and at last the bundled
# vectors, learned from 250,000 tokens or more with 330 steps a phase (docs/results.md).
MEASURED: dict[int, dict[str, float]] = {
    5_000: {"ace": 1.03, "ban": 0.39, "bjn": -0.03, "mad": 1.43, "min": -0.05},
    20_000: {"ace": 1.681, "ban": 1.174, "bjn": -0.448, "mad": 2.039, "min": 0.855},
    250_000: {"ace": 4.7, "ban": 3.8, "bjn": 1.4, "mad": 5.3, "min": 1.1},
}
STUDENT = 2.776  # quantile 0.975 of Student's t with four degrees of freedom: five languages


@dataclass(frozen=True)
class TextAmount:
    """The tokens of a text, those that a phase of the training reads, and the gain in macro-F1 that other languages had.

    ``read`` counts a token as often as it is read. ``gain`` is (mean, lower, upper) over the measured languages, in points, with a
    95 % interval of the mean; it is that of texts of ``measured`` tokens, the largest measured size that the text has, or the
    smallest one for a text that is shorter.
    """

    lines: int
    tokens: int
    read: int
    gain: tuple[float, float, float]
    measured: int

    @property
    def shorter(self) -> bool:
        """Whether the text is shorter than any that was measured."""
        return self.tokens < self.measured

    @property
    def passes(self) -> float:
        """How often a phase reads the text; below 1, a part of it is not read."""
        return self.read / max(self.tokens, 1)


def text_amount(size: TextSize, recipe: LanguageRecipe, longest: int) -> TextAmount:
    """Return how much of a text a training reads, and what to expect.

    Args:
        size: The size of the text.
        recipe: The settings of the training.
        longest: The longest input of the base, in tokens.
    """
    amount = size.amount(recipe, longest)
    steps = recipe.steps(amount.examples, "dense")
    in_a_pass = -(-amount.examples // recipe.batch_size)
    read = round(steps / in_a_pass * amount.examples * amount.tokens)
    measured = max((tokens for tokens in MEASURED if tokens <= size.tokens), default=min(MEASURED))
    gains = list(MEASURED[measured].values())
    error = STUDENT * stdev(gains) / sqrt(len(gains))
    expected = (mean(gains), mean(gains) - error, mean(gains) + error)
    return TextAmount(size.lines, size.tokens, read, expected, measured)
