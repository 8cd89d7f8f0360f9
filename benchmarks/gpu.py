"""Benchmark: all work on a GPU, compared with the published method and plain torch, in a few minutes.

    python benchmarks/gpu.py --out FILE.json [--task-data CSV] [--corpus TEXT] [--device cpu --quick]

It needs torch, transformers, safetensors, numpy and this repository, and downloads nothing. Parts that need more are skipped,
as noted in FILE.json, which is rewritten after each part. The exit status is 1 if two sides disagree or a part fails.
``--device cpu --quick`` runs the same code on small shapes, only to check that the sides agree.
"""

import argparse
import gc
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import apply
import classify
import denoise
import selection
import step
import torch
from sides import QUICK, ROOT, THREADS, forget_peak, median, now, report
from torch import Tensor

from deftx import BUNDLED_BASE
from deftx.data.table_rows import Table, fingerprint_of
from deftx.data.tables import read_table
from deftx.method.denoising import low_rank
from deftx.method.ranks import choose_rank
from deftx.method.spectrum import singular_values
from deftx.models.bases import Base, load_base
from deftx.training.language import learn_language
from deftx.training.recipes import Recipe, recipe_for
from deftx.training.task import learn_task
from deftx.vectors.vector import SparseVector

SAMPLE = ROOT / "assets" / "samples" / "indonesian.txt"
SEED_WORDS = {"positive": ("bagus", "indah", "lezat", "ramah"), "negative": ("buruk", "kotor", "hambar", "kasar")}
CHECKED = 3_000_000  # largest size of a matrix that is also decomposed in float64
Part = Callable[[argparse.Namespace], dict]


def step_in(phase: str) -> Part:
    """Return the part that measures optimiser steps of a phase, with peak memory."""

    def part(given: argparse.Namespace) -> dict:
        given.phase = phase
        found = {side: alone(work, given) for side, work in step.SIDES.items()}
        ours, other = found["ours"], found["published"]
        apart = max(abs(a - b) for a, b in zip(ours["losses"], other["losses"], strict=True))
        mine, others = median([ours], "seconds"), median([other], "seconds")
        ratio = report(f"a step, {phase} phase", mine, others, "s", "2.5")
        print(f"peak memory: {ours['peak'] / other['peak']:.2f} of {other['peak']:.2f} GB (target for sparse: 0.5)")
        return {"ratio": ratio, "seconds": mine, "published_seconds": others,
                "share": median([ours], "share"), "published_share": median([other], "share"), "memory_share": ours["peak"] / other["peak"], "gb": ours["peak"], "published_gb": other["peak"],
                "losses_apart": apart, "agree": apart <= step.AGREE[given.precision]}  # fmt: skip

    return part


def denoising(given: argparse.Namespace) -> dict:
    """Denoise every matrix of δ, and check the spectra and low-rank parts of the smaller ones in float64."""
    found = {side: alone(work, given) for side, work in denoise.SIDES.items()}
    ratio = report("denoise", found["ours"]["seconds"], found["svd"]["seconds"], "s", "10")
    shapes = {w.shape: w for w in denoise.matrices(given).values() if w.numel() <= CHECKED}  # one of each
    values, low = zip(*(against_float64(weight, given.rank) for weight in shapes.values()), strict=True)
    sizes = {f"{side}_{key}": found[side][key] for side in found for key in ("seconds", "extra")}
    print(f"singular values {max(values):.1e} of the largest from float64, low-rank parts {max(low):.1e} of their norm")
    good = max(values) <= 1e-5 and max(low) <= 1e-4
    return {"ratio": ratio, "values_apart": max(values), "low_rank_apart": max(low), "agree": good, **sizes}


def against_float64(weight: Tensor, strategy: str) -> tuple[float, float]:
    """Return the errors of our singular values and L compared with float64 svd, relative to σ1 and to the norm."""
    u, s, vt = torch.linalg.svd(weight.double(), full_matrices=False)
    rank = choose_rank(s, tuple(weight.shape), strategy)
    exact = (u[:, :rank] * s[:rank]) @ vt[:rank]
    low = low_rank(weight, rank).double()
    return float((singular_values(weight) - s).abs().max() / s[0]), float((low - exact).norm() / exact.norm())


def selecting(given: argparse.Namespace) -> dict:
    """Select the k largest entries over all parameters."""
    ours, other = (alone(selection.SIDES[side], given) for side in ("ours", "topk"))
    ratio = report("select", ours["seconds"], other["seconds"], "s", "none")
    return {"ratio": ratio, "seconds": ours["seconds"], "topk_seconds": other["seconds"], "gb": ours["extra"],
            "topk_gb": other["extra"], "agree": ours["digest"] == other["digest"]}  # fmt: skip


def on_and_off(given: argparse.Namespace) -> dict:
    """Apply a language and a task vector to a model and remove them."""
    ours, other = (alone(apply.SIDES[side], given) for side in ("ours", "dense"))
    milliseconds = 1000 * median([ours], "seconds")
    ratio = report("put on and take off", milliseconds, 1000 * median([other], "seconds"), "ms", "100 ms")
    sums = [torch.tensor(side["sum"], dtype=torch.float64) for side in (ours, other)]
    return {"ratio": ratio, "milliseconds": milliseconds, "agree": ours["same"] and torch.allclose(*sums, rtol=1e-9)}


def sentences(given: argparse.Namespace) -> dict:
    """Classify bundled sentences, compared with the pipeline of transformers."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    texts = (lines * (given.sentences // len(lines) + 1))[: given.sentences]
    found = classify.many(given, classify.classifier(given), texts)
    return {**found, "agree": found["apart"] <= 1e-5}


def language_vector(given: argparse.Namespace) -> dict:
    """Learn a language vector of the bundled base, twice."""
    recipe = shortened(recipe_for("language", "quick"), given)
    return twice(given, lambda base, out: learn_language(given.corpus, base, recipe, out=out))


def task_vector(given: argparse.Namespace) -> dict:
    """Learn a task vector of the bundled base, twice."""
    rows = read_table(given.task_data) if given.task_data else synthetic()
    recipe = shortened(recipe_for("task", "quick"), given)
    return {"rows": rows.name, **twice(given, lambda base, out: learn_task(rows, base, recipe, out=out))}


def synthetic() -> Table:
    """Write a labelled file: bundled sentences, each ending in a word that determines the label."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    rows = [(f"{line} {word}", label) for label, words in SEED_WORDS.items() for word in words for line in lines]
    texts, labels = map(list, zip(*rows, strict=True))
    return Table(texts, labels, False, "synthetic: scores say only that it is learned", fingerprint_of(texts, labels))


def shortened(recipe: Recipe, given: argparse.Namespace) -> Recipe:
    """Return the recipe, or two small steps of it."""
    return recipe.changed({**QUICK, "max_steps": 2, "min_steps": 0, "evaluate_every": 2}) if given.quick else recipe


def twice(given: argparse.Namespace, learn: Callable[[Base, Path], SparseVector]) -> dict:
    """Learn a vector twice; return the time and scores of the first, and whether both are equal bit for bit."""
    base, vectors, times = load_base(BUNDLED_BASE, device=given.device), [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(2):
            start = now(given.device)
            vectors.append(learn(base, Path(folder) / str(number)))
            times.append(now(given.device) - start)
    same = vectors[0].digest() == vectors[1].digest()
    print(f"a whole {vectors[0].kind} vector: {times[0]:.1f} s; again: {'the same' if same else 'not the same'} bits")
    scores = [{n: value for n, value in v.info["scores"].items() if n != "history"} for v in vectors]
    return {"seconds": times, "same_bits": same, "scores": scores}


PARTS: dict[str, Part] = {
    "step, sparse": step_in("sparse"),
    "step, dense": step_in("dense"),
    "denoising": denoising,
    "selection": selecting,
    "vectors on and off": on_and_off,
    "sentences": sentences,
    "language vector": language_vector,
    "task vector": task_vector,
}


def alone(work: Part, given: argparse.Namespace) -> dict:
    """Run one side, after freeing the memory of the others."""
    gc.collect()
    if given.device != "cpu":
        torch.cuda.empty_cache()
    forget_peak(given.device)
    return work(given)


def attempt(part: Part, given: argparse.Namespace) -> dict:
    """Run a part and return its results, or the reason why it failed or was skipped."""
    try:
        return part(given)
    except ImportError as error:
        return {"left_out": f"needs {error.name}"}
    except Exception as error:  # so that the following parts still run
        return {"failed": f"{type(error).__name__}: {error}"}


def machine(given: argparse.Namespace) -> dict:
    """Return a description of the machine."""
    found = {name: version(name) for name in ("torch", "transformers", "safetensors", "numpy")}
    found |= {"python": platform.python_version(), "cpu_cores": os.cpu_count(), "device": given.device}
    if given.device == "cpu":
        return found
    about = torch.cuda.get_device_properties(given.device)
    return {**found, "gpu": about.name, "gpu_gb": about.total_memory / 1e9, "cuda": torch.version.cuda,
            "capability": f"{about.major}.{about.minor}"}  # fmt: skip


def options() -> argparse.Namespace:
    """Parse the command line, and add the default arguments of the parts' own scripts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="output file (JSON)")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 … or cpu (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small shapes: only check that the sides agree")
    parser.add_argument("--corpus", type=Path, default=SAMPLE, help="text for the language vector (default: bundled)")
    parser.add_argument("--task-data", type=Path, help="labelled rows for the task vector (default: generated)")
    parser.add_argument("--threads", type=int, default=THREADS, help="with --device cpu (default %(default)s)")
    given = parser.parse_args()
    rest = {"precision": "float32" if given.device == "cpu" else "bfloat16", "l1": 0.0, "touched": 1.0,
            "rank": "variance:0.9", "steps": 4 if given.quick else 12, "rounds": 1 if given.quick else 3,
            "sentences": 20 if given.quick else 1000, "shape": "xlm-r-base", "attention": "sdpa"}  # fmt: skip
    return argparse.Namespace(**vars(given), **rest)


def main() -> None:
    """Run all parts."""
    given = options()
    if given.device != "cpu" and not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU. To check that the code runs, use --device cpu --quick.")
    if given.device == "cpu":
        torch.set_num_threads(given.threads)
    start, found = time.perf_counter(), {"machine": machine(given), "quick": given.quick, "parts": {}}
    for name, part in PARTS.items():
        print(f"== {name}", flush=True)
        found["parts"][name] = result = attempt(part, given)
        found["seconds"] = time.perf_counter() - start
        given.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
        if reason := result.get("left_out") or result.get("failed"):
            print(reason)
        if not result.get("agree", True):
            print("the sides DIFFER")
    sys.exit(any("failed" in result or not result.get("agree", True) for result in found["parts"].values()))


if __name__ == "__main__":
    main()
