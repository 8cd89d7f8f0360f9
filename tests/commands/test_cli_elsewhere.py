"""``--on hf-jobs`` as a person types it: a real training, run by a Hub on this machine."""

import json
import os
import subprocess
import sys

import jobs_server
import pytest
from tiny_base import SHORT

from deftx.cli import EXIT_BAD_INPUT, EXIT_OK, main
from deftx.vectors.vector import SparseVector

QUICKLY = [f"{name}={value}" for name, value in SHORT.items() if name != "k"]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with jobs_server.serving_jobs(tmp_path / "there") as hub:
        jobs_server.attach(monkeypatch, hub, tmp_path / "hf")
        yield hub


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(jobs_server.PACKAGE), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "deftx", *map(str, arguments)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_a_task_is_learned_elsewhere_as_it_is_here(hub, base_folder, table_file, language_vector, tmp_path):
    out = tmp_path / "mood"
    words = ["task", str(table_file), "--base", str(base_folder), "--source", str(language_vector), "--language", "ind",
             "--k", "50", "--set", *QUICKLY, "precision=float32"]  # fmt: skip
    there = ["--out", out, "--on", "hf-jobs", "--flavor", "cpu-basic", "--hours", "2", "--json"]
    done = run(*words, *there)
    assert done.returncode == 0, done.stderr
    assert "CPU Basic, for 2 h at most: $0.01 an hour, $0.02 at most" in done.stderr
    assert json.loads(done.stdout)["vector"] == str(out)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "vector.json", "vector.safetensors"]
    assert main([*words, "--out", str(tmp_path / "here")]) == EXIT_OK
    for name in ("vector.json", "vector.safetensors"):
        assert (out / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name
    assert SparseVector.load(out).info["k"] == 50

    # A vector is there now, and is not trained over.
    assert main([*words, *map(str, there)]) == EXIT_BAD_INPUT
    assert len(hub.jobs) == 1


@pytest.mark.slow
def test_an_end_without_a_result_is_one_line_and_the_same_command_begins_anew(
    hub, base_folder, corpus_file, tmp_path, capsys
):
    hub.command = ["python", "-c", "raise SystemExit(7)"]
    words = [
        "language",
        corpus_file,
        "--out",
        tmp_path / "min",
        "--base",
        base_folder,
        "--on",
        "hf-jobs",
        "--flavor",
        "l4x1",
    ]
    done = run(*words)
    assert done.returncode == 1
    assert "exit code: 7" in done.stderr.splitlines()[-1]
    run(*words)
    assert len(hub.jobs) == 2
    assert main([*map(str, words), "--seed", "7"]) == EXIT_BAD_INPUT
    assert "other settings (recipe)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--on", "hf-jobs"], "needs the name of a machine"),
        (["--on", "hf-jobs", "--flavor", "l4x2"], "Did you mean 'l4x1'"),
        (["--on", "hf-jobs", "--flavor", "l4x1", "--hours", "0"], "hours, not"),
        (["--on", "hf-jobs", "--flavor", "l4x1", "--delta", "d"], "--delta applies only to this machine"),
        (["--on", "hf-jobs", "--flavor", "l4x1", "--device", "cpu"], "--device applies only to this machine"),
        (["--flavor", "l4x1"], "add --on hf-jobs"),
        (["--hours", "2"], "add --on hf-jobs"),
    ],
)
def test_options_that_do_not_go_together_are_refused(hub, corpus_file, tmp_path, capsys, options, said):
    assert main(["language", str(corpus_file), "--out", str(tmp_path / "min"), *options]) == EXIT_BAD_INPUT
    assert said in capsys.readouterr().err
    assert hub.jobs == {}
    assert not (tmp_path / "min").exists()
