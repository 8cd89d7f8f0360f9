"""One optimiser step of masked-language training, against the published way.

    python benchmarks/step.py [--phase sparse|dense] [--quick]

The other side: logits at all positions, a gradient for every parameter, times the mask, clipped, and AdamW over
everything (fused; attention by scaled_dot_product_attention), with the copy of the start that LT-SFT keeps. Ours is the
pipeline itself with all that it holds. Same weights, batches, dropout and float32; the losses must agree to 1e-5.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import torch
from sides import arguments, config, measure, median, memory, now, report, spread_over
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import XLMRobertaForMaskedLM

from deftx.bases import Base, freeze_norms, sparse_trainable
from deftx.events import Listener, ignore
from deftx.families import find_head
from deftx.language import language_learner, masked_lm_loss
from deftx.order import seed_for
from deftx.pipeline import Learned, dense_phase, sparse_phase
from deftx.recipes import LanguageRecipe

K = 7_667_712
RATE, SEED = 5e-5, 42
TARGETS = {"sparse": "2, go for 3", "dense": "1.8"}


class EnoughError(Exception):
    """All steps that were to be timed are done."""


@dataclass
class Timed:
    """An objective of random sentences that notes when each step begins and what its loss is."""

    given: argparse.Namespace
    higher_is_better: bool = False
    metric: str = "none"
    begun: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def micro_batches(self, phase: str, step: int) -> list[dict[str, Tensor]]:
        """Return the one batch of a step; after the last, end the training."""
        self.begun.append(now(self.given.device))
        if step == self.given.steps:
            raise EnoughError
        return [batch(self.given, step)]

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss that language training uses."""
        loss = masked_lm_loss(model, batch)
        self.losses.append(loss.item())
        return loss

    def evaluate(self, model: nn.Module) -> None:
        """Choose nothing."""


def batch(given: argparse.Namespace, step: int) -> dict[str, Tensor]:
    """Draw sentences of random tokens, 15 % of them to be predicted."""
    generator = torch.Generator().manual_seed(step)
    size = (given.batch, 32 if given.quick else 256)
    input_ids = torch.randint(5, config(given.quick).vocab_size - 1, size, generator=generator)
    asked = torch.rand(size, generator=generator) < 0.15
    drawn = {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids),
             "labels": input_ids.masked_fill(~asked, -100)}  # fmt: skip
    return {name: tensor.to(given.device) for name, tensor in drawn.items()}


def start_model(given: argparse.Namespace) -> nn.Module:
    """Draw the weights of the base."""
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(config(given.quick)).eval()
    model.language_head = find_head(model, "random")  # as ``load_base`` notes it
    return model.to(given.device)


def chosen(given: argparse.Namespace, trainable: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    """Draw the mask: every part of the model has its share."""
    drawn = spread_over({n: p.shape for n, p in trainable.items()}, 700 if given.quick else K, seed=1)
    return {name: positions.to(given.device) for name, positions in drawn}


def ours(given: argparse.Namespace) -> dict:
    """Run the phase as a training does."""
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
    return finding(given, objective.begun, objective.losses)


def published(given: argparse.Namespace) -> dict:
    """Run the same steps with whole gradients and whole optimiser states."""
    model = freeze_norms(start_model(given))
    model.config.tie_word_embeddings = False
    words = model.get_input_embeddings().weight.detach()
    model.get_output_embeddings().weight = nn.Parameter(words.clone(), requires_grad=False)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    start = {n: p.detach().clone() for n, p in trained.items()}  # to start the sparse phase from
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
        with torch.autocast(torch.device(given.device).type, torch.bfloat16, enabled=given.precision == "bfloat16"):
            logits = model(**drawn).logits
            loss = cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
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
    return finding(given, begun, losses)


def finding(given: argparse.Namespace, begun: list[float], losses: list[float]) -> dict:
    """Leave out the first step, which sets up the optimiser."""
    steps = [end - start for start, end in pairwise(begun)]
    return {"seconds": steps[1:], "losses": losses, "peak": memory("VmHWM", given.device)}


SIDES = {"published": published, "ours": ours}


def main() -> None:
    """Measure both sides; exit status 1 when their losses differ."""
    parser = arguments(__doc__, SIDES)
    parser.add_argument("--phase", choices=("sparse", "dense"), default="sparse")
    parser.add_argument("--steps", type=int, default=4, help="steps a round, of which the first is not timed")
    parser.add_argument("--batch", type=int, default=8, help="sequences of 256 tokens")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="of matrix products")
    parser.add_argument("--l1", type=float, default=0.0, help="strength of the L1 penalty")
    given = parser.parse_args()
    found = measure(given, SIDES)
    if found is None:
        return
    pairs = zip(found["published"], found["ours"], strict=True)
    apart = max(abs(a - b) for p, o in pairs for a, b in zip(p["losses"], o["losses"], strict=True))
    print(f"{given.phase} phase: losses of {given.steps} steps differ by at most {apart:.1e}")
    ours, other = found["ours"], found["published"]
    report("seconds a step", median(ours, "seconds"), median(other, "seconds"), "s", TARGETS[given.phase])
    print(f"peak memory: ours is {median(ours, 'peak') / median(other, 'peak'):.2f} of the other's", end=" ")
    print(f"({median(ours, 'peak'):.2f} of {median(other, 'peak'):.2f} GB; target for sparse: 0.55)")
    sys.exit(0 if apart <= 1e-5 else 1)


if __name__ == "__main__":
    main()
