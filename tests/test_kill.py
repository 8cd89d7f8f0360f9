"""A training that is killed, at any point and any number of times, ends in the same vector, byte for byte."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
KILLS = 20
SHORT = ("--k", "300", "--set", "precision=float32", "batch_size=4", "max_length=16", "min_steps=0",
         "learning_rate=0.002", "max_steps=60", "evaluate_every=12", "epochs=1000")  # fmt: skip


def language(base, corpus, table):
    return ["language", str(corpus), "--language", "min", "--base", str(base), *SHORT]


def task(base, corpus, table):
    return ["task", str(table), "--language", "ind", "--base", str(base), *SHORT]


def run_killed(command, way, out):
    """Have ``killing.py`` do it, with a seed that it says."""
    seed = int(os.environ.get("DEFTX_KILL_SEED", secrets.randbelow(10**9)))
    print(f"the kills follow from DEFTX_KILL_SEED={seed}")
    specification = {"command": command, "way": way, "seed": seed, "kills": KILLS, "out": str(out),
                     "checkpoint_seconds": 0.05}  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "KILL_LOG": str(out / "log.txt")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "helpers" / "killing.py"), json.dumps(specification)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    print(report)
    return report


@pytest.mark.parametrize("way", ["moments", "files"])
@pytest.mark.parametrize("command", [language, task])
def test_twenty_kills_leave_no_trace_in_the_vector(command, way, base_folder, corpus_file, table_file, tmp_path):
    report = run_killed(command(base_folder, corpus_file, table_file), way, tmp_path)
    assert sum(report["died"].values()) == KILLS
    assert {"dense", "sparse"} <= report["died"].keys()
    for name in ("vector.safetensors", "vector.json", "README.md"):
        killed, whole = (tmp_path / which / name for which in ("killed", "whole"))
        assert killed.read_bytes() == whole.read_bytes(), name
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [
        "README.md", "vector.json", "vector.safetensors"
    ]  # fmt: skip
