"""Benchmark: forward and backward pass of an encoder on a CPU with torch's attention, eager attention and ours.

    python benchmarks/attention.py [--shape e5-small|xlm-r-base] [--precision float32|bfloat16] [--lengths 64 96 128 256 512]

Three layers, 3,072 tokens per batch, several lengths, with and without dropout. The three are measured alternately; medians.
Without dropout, all must agree (to 1e-4 in float32). Here ours uses the definition at every length
(``deftx.training.fast_training``).
"""

import argparse
import sys
import time
from contextlib import nullcontext
from statistics import median

import torch
from sides import THREADS
from step import AGREE, SHAPES
from torch import Tensor, nn
from transformers import XLMRobertaConfig, XLMRobertaModel

from deftx.training.fast_training import FastTraining

TOKENS, LAYERS, HEADS = 3_072, 3, 12
SIDES = {"sdpa": ("sdpa", False), "eager": ("eager", False), "ours": ("sdpa", True)}


def encoder(given: argparse.Namespace, attention: str, dropout: float) -> nn.Module:
    """Return an encoder with random weights."""
    torch.manual_seed(0)
    size = {"hidden_size": 768, "intermediate_size": 3_072, **SHAPES[given.shape], "vocab_size": 1_000}
    settings = XLMRobertaConfig(
        **size, num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=600, pad_token_id=1,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, attn_implementation=attention,
    )  # fmt: skip
    return XLMRobertaModel(settings, add_pooling_layer=False).train()


def step(given: argparse.Namespace, model: nn.Module, tokens: Tensor, fast: bool) -> tuple[float, float]:
    """Return the seconds of a forward and a backward pass, and the loss."""
    start = time.perf_counter()
    precision = torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "bfloat16")
    with precision, FastTraining(1) if fast else nullcontext():
        loss = model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).last_hidden_state.float().std()
    loss.backward()
    model.zero_grad()
    return time.perf_counter() - start, loss.item()


def main() -> None:
    """Print a line per length; the exit status is 1 if the losses without dropout differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few tokens: only check that all agree")
    parser.add_argument("--shape", choices=SHAPES, default="e5-small")
    parser.add_argument("--precision", choices=AGREE, default="float32")
    parser.add_argument("--lengths", type=int, nargs="+", default=[64, 96, 128, 256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=THREADS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    agree = True
    for dropout in (0.1, 0.0):
        models = {side: encoder(given, attention, dropout) for side, (attention, _) in SIDES.items()}
        for length in given.lengths:
            tokens = torch.randint(5, 1_000, ((TOKENS // 12 if given.quick else TOKENS) // length, length))
            found = {side: [] for side in SIDES}
            for _ in range(given.rounds + 1):
                for side, (_, fast) in SIDES.items():
                    found[side].append(step(given, models[side], tokens, fast))
            times = ", ".join(f"{side} {median(t for t, _ in runs[1:]):.3f} s" for side, runs in found.items())
            ratio = median(t for t, _ in found["sdpa"][1:]) / median(t for t, _ in found["ours"][1:])
            print(f"dropout {dropout}, {length} tokens: {times}; ratio of sdpa to ours {ratio:.2f}", flush=True)
            losses = [runs[0][1] for runs in found.values()]
            agree &= dropout > 0 or max(losses) - min(losses) <= 10 * AGREE[given.precision]
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
