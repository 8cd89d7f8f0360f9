"""How much text: how much of it a training reads, and what the measured language vectors gained.

The gains are those of docs/results.md: macro-F1 on NusaX with a language vector less that without it, in points.
"""

from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from deftx.training.estimates import TextSize
from deftx.training.recipes import LanguageRecipe

# Tokens of the text, and the gain, by language (docs/results.md; preset quick with 330 steps a phase).
MEASURED = {
    "mad": (1_630_000, 5.3),
    "bjn": (250_000, 1.4),
    "ban": (290_000, 3.8),
    "ace": (290_000, 4.7),
    "min": (2_350_000, 1.1),
}
STUDENT = 2.776  # quantile 0.975 of Student's t with four degrees of freedom: five languages


@dataclass(frozen=True)
class TextAmount:
    """The tokens of a text, those that a phase of the training reads, and the gain in macro-F1 that other languages had.

    ``read`` counts a token as often as it is read. ``gain`` is (mean, lower, upper) over the measured languages, in points, with a
    95 % interval of the mean; ``measured`` says whether the text is as long as the shortest one that was measured.
    """

    lines: int
    tokens: int
    read: int
    gain: tuple[float, float, float]
    measured: bool

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
    gains = [gain for _, gain in MEASURED.values()]
    error = STUDENT * stdev(gains) / sqrt(len(gains))
    shortest = min(tokens for tokens, _ in MEASURED.values())
    expected = (mean(gains), mean(gains) - error, mean(gains) + error)
    return TextAmount(size.lines, size.tokens, read, expected, size.tokens >= shortest)
