"""Replay recorded batches of the published LT-SFT code in this project's training code, and compare the results.

    python benchmarks/replay_lt_sft.py TRACE_FOLDER BASE_FOLDER

The trace (``trace.safetensors``, ``settings.json``) contains θ0, every micro-batch of both phases, θ1, the mask and θ2. The
script prints the largest differences. The exit status is 1 if θ1 or θ2 differ by more than 1e-6 (float32 rounding over some
dozen steps), key biases by more than 1e-5 (attention does not depend on them, so their gradient is only rounding error, which
Adam scales up), or the mask differs anywhere. With an L1 penalty, this rounding error determines the sign of all steps of a key
bias and depends on the processor. In that case, differences of key biases in θ1 are printed but not checked, except that they
must be finite; those in θ2 are checked.
"""

import argparse
import json
import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deftx.core.errors import DeftxError
from deftx.core.events import Listener, ignore
from deftx.models.bases import load_base
from deftx.models.parameters import canonical_parameters
from deftx.training.checkpoints import read_tensors
from deftx.training.language import language_learner, masked_lm_loss
from deftx.training.learned import DELTA_FILE
from deftx.training.loop import Batch, Objective
from deftx.training.pipeline import learn
from deftx.training.recipes import LanguageRecipe

TOLERANCE = 1e-6
KEY_BIAS_TOLERANCE = 1e-5


@dataclass
class Trace(Objective):
    """An objective that replays recorded micro-batches; it has no validation set, so the last weights are kept."""

    tensors: dict[str, Tensor]
    accumulation: int
    higher_is_better: bool = False
    metric: str = "none"

    def micro_batches(self, phase: str, step: int) -> list[Batch]:
        """Return the recorded micro-batches of one optimiser step."""
        numbers = range(step * self.accumulation, (step + 1) * self.accumulation)
        return [
            {key: self.tensors[f"batch.{phase}.{n:03d}.{key}"] for key in ("input_ids", "attention_mask", "labels")}
            for n in numbers
        ]

    def loss(self, model: torch.nn.Module, batch: Batch) -> Tensor:
        """Return the loss that language training uses."""
        return masked_lm_loss(model, batch)

    def evaluate(self, model: torch.nn.Module) -> None:
        """Return None, as there is no validation set."""

    def values(self, prefix: str) -> dict[str, Tensor]:
        """Return the recorded tensors under a prefix, by parameter name."""
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}


def replay(trace_folder: Path, base_folder: Path) -> bool:
    """Run both phases on the trace and print the differences; return whether all are within tolerance."""
    settings = json.loads((trace_folder / "settings.json").read_text(encoding="utf-8"))
    trace = Trace(load_file(trace_folder / "trace.safetensors"), settings["gradient_accumulation"])
    learner = language_learner(load_base(base_folder), trace, sequences=1, corpus="trace")
    start = {n: p.detach().clone() for n, p in canonical_parameters(learner.model).items()}
    with tempfile.TemporaryDirectory() as folder:
        learned = learn(learner, recipe_of(settings), Path(folder), None, Listener(ignore, lambda: False))
        kept, _ = read_tensors(Path(folder) / "delta" / DELTA_FILE)
    theta1 = {n: kept.get(f"head.{n}", start[n] + kept.get(f"delta.{n}", 0.0)) for n in start}
    theta2 = {n: p.detach() for n, p in canonical_parameters(learner.model).items()}

    steps, denominator = settings["optimiser_steps_per_phase"], settings["l1_denominator"]
    print(f"{trace_folder}: k = {settings['k']:,}, {steps} optimiser steps a phase, l1 = {settings['l1']:g}")
    print(f"  N of the L1 penalty: {learner.denominator:,}, recorded {denominator:,}")
    good = denominator == learner.denominator
    good &= compare("θ0", start, trace.values("theta0."))
    good &= compare("θ1", theta1, trace.values("theta1."), math.inf if settings["l1"] else KEY_BIAS_TOLERANCE)
    good &= compare_masks(learned.positions, trace.values("mask."))
    good &= compare("θ2", theta2, trace.values("theta2."))
    print("  agrees" if good else "  DIFFERS")
    return good


def recipe_of(settings: dict) -> LanguageRecipe:
    """Return the recipe that a trace was recorded with."""
    steps, accumulation = settings["optimiser_steps_per_phase"], settings["gradient_accumulation"]
    return LanguageRecipe(
        method="lt-sft",
        k=settings["k"],
        seed=settings["seed"],
        learning_rate=settings["learning_rate"],
        batch_size=settings["micro_batch"] * accumulation,
        accumulation=accumulation,
        min_steps=steps,
        max_steps=steps,
        evaluate_every=steps,
        l1=float(settings["l1"]),
        precision="float32",
    )


def compare(
    what: str, ours: dict[str, Tensor], theirs: dict[str, Tensor], key_bias_tolerance: float = KEY_BIAS_TOLERANCE
) -> bool:
    """Print the largest difference over all parameters, separately for key biases; return whether it is within tolerance.

    A tolerance of infinity asks only that key biases are numbers.
    """
    if ours.keys() != theirs.keys():
        print(f"  {what}: other parameters: {sorted(ours.keys() ^ theirs.keys())[:5]}")
        return False
    worst = {False: 0.0, True: 0.0}
    for name in ours:
        if ours[name].shape != theirs[name].shape:
            print(f"  {what}: {name} has shape {tuple(ours[name].shape)}, recorded {tuple(theirs[name].shape)}")
            return False
        difference = (ours[name] - theirs[name]).abs().max().nan_to_num(nan=torch.inf, posinf=torch.inf)
        key_bias = name.endswith("attention.self.key.bias")
        worst[key_bias] = max(worst[key_bias], float(difference))
    noted = " (not decisive under L1)" if math.isinf(key_bias_tolerance) else ""
    print(f"  {what}: largest difference {worst[False]:.2e}, key biases {worst[True]:.2e}{noted}")
    return worst[False] <= TOLERANCE and math.isfinite(worst[True]) and worst[True] <= key_bias_tolerance


def compare_masks(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    """Print the number of different entries of the masks; return whether they are equal."""
    if ours.keys() != theirs.keys():
        print(f"  mask: other parameters: {sorted(ours.keys() ^ theirs.keys())[:5]}")
        return False
    differences = 0
    for name, recorded in theirs.items():
        mask = torch.zeros(recorded.numel(), dtype=torch.bool)
        mask[ours[name]] = True
        differences += int((mask != recorded.flatten()).sum())
    print(f"  mask: {differences} differences in {sum(m.numel() for m in theirs.values()):,} entries")
    return differences == 0


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path, help="folder with trace.safetensors and settings.json")
    parser.add_argument("base", type=Path, help="folder of the base model that the trace started from")
    arguments = parser.parse_args()
    try:
        agrees = replay(arguments.trace, arguments.base)
    except KeyError as error:
        sys.exit(f"{arguments.trace} cannot be replayed: it has no {error}.")
    except (OSError, ValueError, SafetensorError, DeftxError) as error:
        sys.exit(f"{arguments.trace} cannot be replayed: {error}")
    sys.exit(0 if agrees else 1)


if __name__ == "__main__":
    main()
