"""Two processes with a micro-batch each learn what one process learns from both."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from deftx.vector import SparseVector

ROOT = Path(__file__).resolve().parent.parent
FAST = ("--device", "cpu", "--k", "60", "--set", "precision=float32", "batch_size=4", "max_length=16", "min_steps=0",
        "evaluate_every=3", "learning_rate=0.002", "max_steps=12", "epochs=100", "accumulation=2")  # fmt: skip
LAUNCH = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
          "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0")  # fmt: skip


def test_two_processes_learn_the_vector_of_one(base_folder, corpus_file, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    vectors = []
    for name, launch in (("one", ()), ("two", LAUNCH)):
        arguments = ("language", corpus_file, "--base", base_folder, "--out", tmp_path / name, *FAST)
        command = [sys.executable, *launch, "-m", "deftx", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        vectors.append(SparseVector.load(tmp_path / name))
    one, two = vectors
    for phase in ("dense", "sparse"):
        losses = [torch.tensor(v.info["scores"]["history"][phase]["losses"]) for v in vectors]
        assert (losses[0] - losses[1]).abs().max() <= 1e-6
    assert all(one.positions[name].equal(two.positions[name]) for name in one.positions)  # no difference of the masks
    assert max(float((one.values[n] - two.values[n]).abs().max()) for n in one.values) <= 1e-6
