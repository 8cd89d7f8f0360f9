"""Benchmark: time until a training run has saved its checkpoint and ended after SIGTERM.

    python benchmarks/stop.py [--quick]

The real command on random weights in the shape of XLM-R base. It is terminated in the dense phase, while denoising, and in the
sparse phase, and resumed each time. A machine that shuts down allows 10 seconds.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from sides import ROOT, THREADS, config
from transformers import XLMRobertaForMaskedLM

from deftx import BUNDLED_BASE
from deftx.models.base_files import quiet_transformers
from deftx.models.bases import load_base

PHASES = ("dense", "denoise", "sparse")
TERMINATED = 143


def write_base(folder: Path, quick: bool) -> None:
    """Write random weights with the tokenizer of the bundled base."""
    tokenizer = load_base(BUNDLED_BASE).tokenizer
    settings = config(quick)
    settings.vocab_size = max(settings.vocab_size, len(tokenizer))
    torch.manual_seed(0)
    with quiet_transformers():
        XLMRobertaForMaskedLM(settings).to(torch.float16).save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def command(base: Path, out: Path, given: argparse.Namespace) -> list[str]:
    """Return the command, with enough steps that each phase is still running when it is stopped."""
    corpus = ROOT / "assets" / "samples" / "indonesian.txt"
    settings = ["batch_size=2", "max_length=128", f"min_steps={given.steps}", f"max_steps={given.steps}",
                f"evaluate_every={given.steps}"]  # fmt: skip
    return [sys.executable, "-m", "deftx", "language", str(corpus), "--base", str(base), "--out", str(out),
            "--set", *settings]  # fmt: skip


def stop_in(phase: str, arguments: list[str], given: argparse.Namespace) -> float:
    """Run until the phase prints progress, terminate, and return the seconds until the process has ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(given.threads)}
    process = subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(phase):
            break
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    said.append(process.communicate()[1])
    if process.returncode != TERMINATED:
        sys.exit(f"It was not stopped in the {phase} phase:\n{''.join(said)}")
    return time.perf_counter() - began


def main() -> None:
    """Measure each phase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small shape: only check that it stops and resumes")
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--steps", type=int, default=12, help="steps of each phase")
    given = parser.parse_args()
    given.steps = 600 if given.quick else given.steps
    with tempfile.TemporaryDirectory() as folder:
        base, out = Path(folder) / "base", Path(folder) / "vector"
        write_base(base, given.quick)
        for phase in PHASES:
            seconds = stop_in(phase, command(base, out, given), given)
            there = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
            print(f"{phase}: ended after {seconds:.1f} s (target 10), {there / 1e9:.2f} GB kept", flush=True)


if __name__ == "__main__":
    main()
