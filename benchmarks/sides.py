"""Common parts of the benchmarks: shapes, alternate measurement of two sides in separate processes, and a table of both.

A benchmark script runs itself again for every measurement (``--side NAME``), so that a side does not inherit memory or warm
caches from the other. The sides alternate (A B A B), so that other load on the machine affects both.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from transformers import XLMRobertaConfig

THREADS = 2
QUICK = {"batch_size": 2, "max_length": 16}  # settings of the training runs of --quick
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deftx.models.parameters import freeze_norms, sparse_trainable  # noqa: E402 (the project's root is put in the path above)

Sides = dict[str, Callable[[argparse.Namespace], dict]]


def arguments(description: str, sides: Sides, rounds: int = 2) -> argparse.ArgumentParser:
    """Return a parser with the common options of the benchmarks."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small shape: only check that both sides agree")
    parser.add_argument(
        "--together", action="store_true", help="each side once in this process: only check that they agree"
    )
    parser.add_argument("--rounds", type=int, default=rounds, help="measurements of each side (default %(default)s)")
    parser.add_argument("--threads", type=int, default=THREADS, help="threads of each side (default %(default)s)")
    parser.add_argument("--device", default="cpu", help="device of both sides (default %(default)s)")
    parser.add_argument("--side", choices=sides, help=argparse.SUPPRESS)
    return parser


def measure(given: argparse.Namespace, sides: Sides) -> dict[str, list[dict]] | None:
    """Measure the sides alternately and return their results; in a child process, run one side and return None."""
    if given.side:
        torch.set_num_threads(given.threads)
        print(json.dumps(sides[given.side](given)))
        return None
    found: dict[str, list[dict]] = {side: [] for side in sides}
    if given.together:
        torch.set_num_threads(given.threads)
        return {side: [json.loads(json.dumps(work(given)))] for side, work in sides.items()}
    for _ in range(given.rounds):
        for side in sides:
            command = [sys.executable, *sys.argv, "--side", side]
            environment = {**os.environ, "OMP_NUM_THREADS": str(given.threads), "TOKENIZERS_PARALLELISM": "false"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                sys.exit(f"{side} failed:\n{done.stderr}")
            found[side].append(json.loads(done.stdout.splitlines()[-1]))
    return found


def median(found: list[dict], key: str) -> float:
    """Return the median of a field, or of all numbers in its lists, over all rounds of a side."""
    values = [f[key] if isinstance(f[key], list) else [f[key]] for f in found]
    return statistics.median(v for some in values for v in some)


def report(what: str, ours: float, other: float, unit: str, target: str) -> float:
    """Print a line with both sides and their ratio (how many times better ours is), and return the ratio."""
    ratio = other / ours
    print(f"{what}: other {other:.3f} {unit}, ours {ours:.3f} {unit}: ratio {ratio:.2f} (target {target})", flush=True)
    return ratio


def seconds(work: Callable[[], object], repetitions: int, device: str = "cpu") -> list[float]:
    """Measure the duration of some work repeatedly."""
    times = []
    for _ in range(repetitions):
        start = now(device)
        work()
        times.append(now(device) - start)
    return times


def now(device: str = "cpu") -> float:
    """Return the time in seconds, after synchronising the device."""
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def memory(which: str = "VmRSS", device: str = "cpu") -> float:
    """Return the memory of this process, or of its tensors on a GPU, in GB: current ("VmRSS") or peak ("VmHWM")."""
    if device != "cpu":
        find = torch.cuda.memory_allocated if which == "VmRSS" else torch.cuda.max_memory_allocated
        return find(device) / 1e9
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(rf"{which}:\s+(\d+) kB", status)[1]) * 1024 / 1e9


def forget_peak(device: str = "cpu") -> None:
    """Reset the peak memory."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats(device)
        return
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def config(quick: bool, **settings: object) -> XLMRobertaConfig:
    """Return the configuration of XLM-R base, or one with a few thousand weights."""
    shape = {"vocab_size": 250_002, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
             "intermediate_size": 3072, "max_position_embeddings": 514}  # fmt: skip
    small = {"vocab_size": 600, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
             "intermediate_size": 64, "max_position_embeddings": 130}  # fmt: skip
    return XLMRobertaConfig(**{**(small if quick else shape), "type_vocab_size": 1, "pad_token_id": 1, **settings})


def shapes(quick: bool) -> dict[str, torch.Size]:
    """Return the shapes of M by name."""
    from transformers import XLMRobertaForMaskedLM

    with torch.device("meta"):
        model = freeze_norms(XLMRobertaForMaskedLM(config(quick)))
    return {name: parameter.shape for name, parameter in sparse_trainable(model).items()}


def spread(entries: int, k: int, generator: torch.Generator) -> torch.Tensor:
    """Return k ascending random positions, one from each of k equal intervals."""
    place = torch.arange(k, dtype=torch.float64) + torch.rand(k, generator=generator, dtype=torch.float64)
    return (place * (entries / k)).long().clamp_(max=entries - 1).unique_consecutive()


def spread_over(shapes: dict[str, torch.Size], k: int, seed: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Return about k random positions over all parameters, in proportion to their sizes."""
    generator, total = torch.Generator().manual_seed(seed), sum(shape.numel() for shape in shapes.values())
    for name, shape in shapes.items():
        if count := round(k * shape.numel() / total):
            yield name, spread(shape.numel(), count, generator)
