"""Computed, not measured: the seconds of a GPU that a training run needs, as a table.

    python benchmarks/gpu_seconds.py [--tflops 500]

The products of all optimiser steps and evaluations (``deftx.training.estimates``) are divided by the rate of the card's matrix
products in bfloat16, of which training reaches between 20 % and 90 %; a step takes at least 2 to 30 ms (``deftx.training.speed``).
Loading, reading and denoising come on top. The default rate is about what makers state for the dense products of an RTX PRO
6000 Blackwell or half an H200.
"""

import argparse

import torch
from sides import config
from transformers import AutoConfig, AutoModelForMaskedLM, PreTrainedModel, XLMRobertaForMaskedLM

from deftx import BUNDLED_BASE
from deftx.core.assets import ASSETS
from deftx.models.families import longest_input
from deftx.models.parameters import freeze_norms
from deftx.training.data_size import Amount, TableSize, TextSize
from deftx.training.estimates import Estimate, estimate
from deftx.training.model_size import Model
from deftx.training.recipes import LanguageRecipe, Recipe, recipe_for
from deftx.training.speed import REACHED, STEP_SECONDS, Speed

TOKENS = (100_000, 5_000_000)  # of a corpus, whose lines have about 25
ROWS = (1_000, 10_000)  # of a labelled file, with 40 tokens each
LINE, ROW = 25, 40


def bases() -> dict[str, PreTrainedModel]:
    """Return the bases by name, without weights."""
    with torch.device("meta"):
        bundled = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(ASSETS / "bases" / BUNDLED_BASE))
        return {BUNDLED_BASE: freeze_norms(bundled), "XLM-R base": freeze_norms(XLMRobertaForMaskedLM(config(False)))}


def amount(recipe: Recipe, size: int, longest: int) -> Amount:
    """Return the amount of data of a corpus with ``size`` tokens, or of a labelled file with ``size`` rows."""
    if isinstance(recipe, LanguageRecipe):
        return TextSize(size // LINE, size // LINE, size).amount(recipe, longest)
    return TableSize(size, None, 3, False, (ROW,)).amount(recipe, longest)


def needed(model: PreTrainedModel, kind: str, preset: str, size: int, rate: float) -> Estimate:
    """Estimate a training run on a card with ``rate`` operations per second."""
    recipe = recipe_for("language" if kind == "language" else "task", preset)
    speed = Speed((rate * REACHED[0], rate * REACHED[1]), STEP_SECONDS, (0.0, 0.0), 0)
    longest = longest_input(model) or recipe.max_length
    return estimate(kind, recipe, Model.of(model), amount(recipe, size, longest), speed, labels=3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tflops", type=float, default=500, help="rate of the card in bfloat16, 10^12 operations/s")
    rate = parser.parse_args().tflops * 1e12
    print("| Base | Training run | Data | Steps | Products | Seconds of the GPU, computed |")
    print("|---|---|---|---|---|---|")
    for name, model in bases().items():
        for preset in ("quick", "standard"):
            for kind, sizes, unit in (("language", TOKENS, "tokens"), ("task", ROWS, "rows")):
                for size in sizes:
                    found = needed(model, kind, preset, size, rate)
                    low, high = found.seconds
                    print(f"| {name} | {preset}, {kind} | {size:,} {unit} | {found.steps:,} | {found.operations / 1e15:.3g} PFLOP "
                          f"| {low:.3g} to {high:.3g} |")  # fmt: skip


if __name__ == "__main__":
    main()
