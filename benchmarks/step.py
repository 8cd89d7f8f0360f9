"""Benchmark: one optimiser step of masked-language training, compared with the published method.

    python benchmarks/step.py [--phase sparse|dense] [--shape xlm-r-base|e5-small] [--precision float32|bfloat16] [--quick]

The other side computes logits at all positions and gradients of every parameter, multiplies them by the mask, clips, and runs
fused AdamW over all parameters (attention as set by ``--attention``), with the copy of the initial weights that LT-SFT keeps. Ours
is the pipeline itself. Both have the same weights, batches and precision. The first steps have no dropout, and their losses must
agree (to 1e-5 in float32); the timed steps have dropout, with different random masks. Besides the time, the share of the
machine's matrix-product rate is printed: the products that a side computes, divided by what the machine could compute in that
time, measured in the same process.
"""

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import torch
from sides import arguments, config, measure, median, memory, now, report, seconds, spread_over
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from deftx.core.events import Listener, ignore
from deftx.core.sampling import seed_for
from deftx.models.bases import Base
from deftx.models.head_trial import find_head
from deftx.models.parameters import freeze_norms, sparse_trainable
from deftx.training.language import language_learner, masked_lm_loss
from deftx.training.learned import Learned
from deftx.training.loop import Objective
from deftx.training.pipeline import dense_phase, sparse_phase
from deftx.training.recipes import LanguageRecipe

K = 7_667_712
RATE, SEED = 5e-5, 42
TARGETS = {
    ("sparse", "float32"): "3",
    ("dense", "float32"): "2.3",
    ("sparse", "bfloat16"): "3",
    ("dense", "bfloat16"): "2.5",
}
COMPARED = 2  # first steps, without dropout: their losses are compared, and they are not timed
DROPOUT = 0.1
AGREE = {"float32": 1e-5, "bfloat16": 2e-2}  # tolerance of losses; bfloat16 has three digits
SHAPES = {"xlm-r-base": {}, "e5-small": {"vocab_size": 64_000, "hidden_size": 384, "intermediate_size": 1_536}}
SIZES = {"xlm-r-base": (8, 256), "e5-small": (32, 96)}  # sequences per step, tokens per sequence


class EnoughError(Exception):
    """Raised when all timed steps are done."""


@dataclass
class Timed(Objective):
    """An objective of random sentences that records the start time and loss of each step."""

    given: argparse.Namespace
    higher_is_better: bool = False
    metric: str = "none"
    begun: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def micro_batches(self, phase: str, step: int) -> list[dict[str, Tensor]]:
        """Return the batch of a step; raise after the last one."""
        self.begun.append(now(self.given.device))
        if step == self.given.steps:
            raise EnoughError
        return [batch(self.given, step)]

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss that language training uses."""
        set_dropout(model, len(self.losses))
        loss = masked_lm_loss(model, batch)
        self.losses.append(loss.item())
        return loss

    def evaluate(self, model: nn.Module) -> None:
        """Return None, as there is no validation set."""


def batch(given: argparse.Namespace, step: int) -> dict[str, Tensor]:
    """Return random sentences with 15 % of the tokens to predict."""
    generator = torch.Generator().manual_seed(step)
    size = (2, 32) if given.quick else SIZES[given.shape]
    input_ids = torch.randint(5, shape(given).vocab_size - 1, size, generator=generator)
    asked = torch.rand(size, generator=generator) < 0.15
    drawn = {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids),
             "labels": input_ids.masked_fill(~asked, -100)}  # fmt: skip
    return {name: tensor.to(given.device) for name, tensor in drawn.items()}


def shape(given: argparse.Namespace, **settings: object) -> XLMRobertaConfig:
    """Return the configuration of the chosen shape."""
    return config(given.quick, **({} if given.quick else SHAPES[given.shape]), **settings)


def set_dropout(model: nn.Module, step: int) -> None:
    """Disable dropout in compared steps, and enable it in timed steps."""
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0 if step < COMPARED else DROPOUT


def products(given: argparse.Namespace, predicted: float) -> float:
    """Return the floating-point operations of a step's matrix products; logits at a share of ``predicted`` positions.

    Forward and two products backward, one where the weight is frozen, as the output embedding is.
    """
    count, length = (2, 32) if given.quick else SIZES[given.shape]
    s = shape(given)
    width, layers = s.hidden_size, s.num_hidden_layers
    weights = layers * (4 * width**2 + 2 * width * s.intermediate_size)
    attention = layers * 2 * length * width  # multiply-adds per token: queries·keys, weights·values
    head = predicted * (3 * width**2 + 2 * width * s.vocab_size)
    return 2 * count * length * (3 * (weights + attention) + head)


def rate(given: argparse.Namespace) -> float:
    """Measure the floating-point operations per second of matrix products with the shapes of a step."""
    s, (count, length) = shape(given), SIZES[given.shape]
    kind = getattr(torch, given.precision)
    left, right = (
        torch.randn(count * length, s.hidden_size, dtype=kind, device=given.device),
        torch.randn(s.hidden_size, s.intermediate_size, dtype=kind, device=given.device),
    )
    spent = statistics.median(seconds(lambda: left @ right, 20, given.device))
    return 2 * count * length * s.hidden_size * s.intermediate_size / spent


def start_model(given: argparse.Namespace, **settings: object) -> nn.Module:
    """Return a base with random weights."""
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(shape(given, **settings)).eval()
    model.language_head = find_head(model, "random")  # as ``load_base`` sets it
    return model.to(given.device)


def chosen(given: argparse.Namespace, trainable: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """Return a random mask, in proportion to the sizes of the parameters."""
    drawn = spread_over({n: p.shape for n, p in trainable.items()}, 700 if given.quick else K, seed=1)
    return {name: positions.to(given.device) for name, positions in drawn}


def ours(given: argparse.Namespace) -> dict:
    """Run the phase as in training."""
    base = Base("random", None, start_model(given), None)
    objective = Timed(given)
    learner = language_learner(base, objective, sequences=10**6, corpus="random")
    recipe = LanguageRecipe(seed=SEED, learning_rate=RATE, min_steps=given.steps + 1, max_steps=given.steps + 1,
                            precision=given.precision, evaluate_every=10**8, l1=given.l1)  # fmt: skip
    listener = Listener(ignore, lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if given.phase == "sparse":
                learned = Learned(chosen(given, learner.trainable), {}, {})
                start = {
                    n: learner.trainable[n].view(-1)[p] for n, p in learned.positions.items()
                }  # kept as by ``learn``
                sparse_phase(learner, recipe, Path(folder), learned, listener)
            else:
                start = {n: p.detach().clone() for n, p in {**learner.trainable, **learner.head}.items()}
                dense_phase(learner, recipe, Path(folder), Path(folder), start, listener)
        except EnoughError:
            pass
    return finding(given, objective.begun, objective.losses, 0.15)


def published(given: argparse.Namespace) -> dict:
    """Run the same steps with dense gradients and optimiser states."""
    model = freeze_norms(start_model(given, attn_implementation=given.attention))
    model.config.tie_word_embeddings = False
    words = model.get_input_embeddings().weight.detach()
    model.get_output_embeddings().weight = nn.Parameter(words.clone(), requires_grad=False)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    start = {n: p.detach().clone() for n, p in trained.items()}  # initial weights of the sparse phase
    masks = {}
    if given.phase == "sparse":
        for name, positions in chosen(given, sparse_trainable(model)).items():
            masks[name] = torch.zeros(trained[name].shape, dtype=torch.bool, device=given.device)
            masks[name].view(-1)[positions] = True
    optimizer = torch.optim.AdamW(trained.values(), lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, fused=True)
    begun, losses = [], []
    weigh = given.l1 / sum(p.numel() for p in model.parameters())
    model.train()
    for step in range(given.steps):
        begun.append(now(given.device))
        torch.manual_seed(seed_for(SEED, given.phase, step, 0))
        drawn = batch(given, step)
        labels = drawn.pop("labels")
        set_dropout(model, step)
        with torch.autocast(torch.device(given.device).type, torch.bfloat16, enabled=given.precision == "bfloat16"):
            logits = model(**drawn).logits
            loss = cross_entropy(logits.view(-1, logits.shape[-1]).float(), labels.view(-1))
        del logits
        losses.append(loss.item())
        if given.l1:
            loss = loss + weigh * sum((p - start[n]).abs().sum() for n, p in trained.items())
        loss.backward()
        for name, mask in masks.items():
            trained[name].grad *= mask
        nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / (given.steps + 1))
        optimizer.step()
        optimizer.zero_grad()
    begun.append(now(given.device))
    return finding(given, begun, losses, 1.0)


def finding(given: argparse.Namespace, begun: list[float], losses: list[float], predicted: float) -> dict:
    """Return the durations without the first steps, which initialise the optimiser and have no dropout."""
    steps = [end - start for start, end in pairwise(begun)][COMPARED:]
    peak = memory("VmHWM", given.device)
    ideal = products(given, predicted) / rate(given)
    return {"seconds": steps, "losses": losses[:COMPARED], "peak": peak, "share": [ideal / step for step in steps]}


SIDES = {"published": published, "ours": ours}


def main() -> None:
    """Measure both sides; the exit status is 1 if their losses differ."""
    parser = arguments(__doc__, SIDES)
    parser.add_argument("--phase", choices=("sparse", "dense"), default="sparse")
    parser.add_argument("--shape", choices=SHAPES, default="xlm-r-base")
    parser.add_argument("--precision", choices=AGREE, default="float32", help="precision of matrix products")
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa", help="attention of the other side")
    parser.add_argument("--steps", type=int, default=5, help=f"steps per round, of which {COMPARED} are not timed")
    parser.add_argument("--l1", type=float, default=0.0, help="strength of the L1 penalty")
    given = parser.parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    pairs = zip(found["published"], found["ours"], strict=True)
    apart = max(abs(a - b) for p, o in pairs for a, b in zip(p["losses"], o["losses"], strict=True))
    print(
        f"{given.phase} phase, {given.precision}: losses of {COMPARED} steps without dropout differ by at most {apart:.1e}"
    )
    ours, other = found["ours"], found["published"]
    target = TARGETS[given.phase, given.precision]
    report("seconds a step", median(ours, "seconds"), median(other, "seconds"), "s", target)
    print(
        f"share of the machine's rate of products: other {median(other, 'share'):.2f}, ours {median(ours, 'share'):.2f}"
    )
    print(f"peak memory: ours is {median(ours, 'peak') / median(other, 'peak'):.2f} of the other's", end=" ")
    print(f"({median(ours, 'peak'):.2f} of {median(other, 'peak'):.2f} GB; target for sparse: 0.55)")
    sys.exit(0 if apart <= AGREE[given.precision] else 1)


if __name__ == "__main__":
    main()
