"""Every benchmark runs, on a small shape, and both of its sides give the same: otherwise its ratio means nothing."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
from forked import run

from deftx import SparseVector

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
COMMANDS = {
    "step, sparse": ["step.py", "--phase", "sparse"],
    "step, dense, with L1": ["step.py", "--phase", "dense", "--l1", "5000"],
    "denoise": ["denoise.py", "--touched", "0.5"],
    "selection": ["selection.py"],
    "apply": ["apply.py"],
    "files": ["files.py"],
    "classify": ["classify.py"],
    "delta": ["delta.py"],
    "compose": ["compose.py"],
    "spectra": ["spectra.py"],
    "attention": ["attention.py", "--lengths", "64"],
}
# Most run both sides in one process here. Those of selection get processes of their own, as all do where times count.
OWN_OPTIONS = {"selection": ["--rounds", "1"], "classify": [], "attention": ["--rounds", "1"]}


@pytest.mark.parametrize("name", COMMANDS)
def test_both_sides_of_a_benchmark_agree(name):
    script, *options = COMMANDS[name]
    sides = OWN_OPTIONS.get(name, ["--together"])
    done = run(FOLDER / script, *options, "--quick", "--threads", "1", *sides)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ratio" in done.stdout


def test_killed_workers_lose_no_language():
    done = run(FOLDER / "many_workers.py", "--languages", "40", "--workers", "6", "--seconds", "0.1", "0.4")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["killed"] >= 1
    assert found["started_twice"] <= found["killed"]
    assert found == {**found, "whole": 40, "lost": 0, "finished_twice": 0, "failed_workers": 0, "files_left_over": 0}


def test_a_base_is_probed_by_its_sentence_embeddings_and_its_loss(tmp_path):
    """A random base knows which words a sentence has, and here one word decides."""
    rows = [f"{text},{label}" for text, label in tiny.labelled_rows()]
    corpora = ("ind", "jav", "sun", "bew", "mak", "mui", "rej", "abs", "eng_clear")
    for name in corpora:
        text = gzip.compress("\n".join(tiny.sentences(120)).encode())
        write(tmp_path / "corpora" / f"{name}.txt.gz", text)
    for name in ("smsa/train", "nusax/ind/test", "nusax/jav/test", "nusax/sun/test"):
        write(tmp_path / f"{name}.csv", "\n".join(["text,label", *rows]).encode())
    done = run(FOLDER / "probe.py", "--data", tmp_path, tiny.make_base(tmp_path / "base"))
    assert done.returncode == 0, done.stdout + done.stderr
    scores, losses = (dict(zip(part.split()[::2], map(float, part.split()[1::2]), strict=True))
                      for part in done.stdout.split("macro-F1 ")[1].split("; loss "))  # fmt: skip
    assert list(scores) == list(losses) == ["ind", "jav", "sun"]
    assert all(score > 80 for score in scores.values())
    assert all(2 < loss < 6 for loss in losses.values())


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


NOT_NEEDED = ("accelerate", "datasets", "gradio", "matplotlib", "pandas", "plotly", "pyarrow", "scipy", "sklearn")


def test_what_runs_on_a_gpu_runs_on_a_cpu_without_anything_but_torch_transformers_safetensors_and_numpy(tmp_path):
    program = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({NOT_NEEDED})); sys.path.insert(0, {str(FOLDER)!r}); "
        f"runpy.run_path({str(FOLDER / 'gpu.py')!r}, run_name='__main__')"
    )
    out = tmp_path / "figures.json"
    done = run(program, "--device", "cpu", "--quick", "--threads", "1", "--out", out, fresh=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(out.read_text())
    parts = found["parts"]
    assert {"torch", "transformers", "device"} <= found["machine"].keys()
    assert [name for name, part in parts.items() if "failed" in part or "left_out" in part] == []
    assert all(parts[name]["agree"] for name in list(parts)[:6])
    assert [parts[f"{kind} vector"]["same_bits"] for kind in ("language", "task")] == [True, True]
    assert parts["task vector"]["rows"].startswith("synthetic")
    assert "f1" in parts["task vector"]["scores"][0]


def test_without_a_gpu_its_benchmark_says_so(tmp_path):
    done = run(FOLDER / "gpu.py", "--out", tmp_path / "figures.json", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1
    assert "PyTorch finds no GPU" in done.stderr


def test_a_training_is_stopped_and_goes_on_in_every_phase():
    done = run(FOLDER / "stop.py", "--quick", "--threads", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["dense", "denoise", "sparse"]


def test_threads_that_sleep_learn_the_same_beside_a_neighbour():
    done = run(FOLDER / "neighbour.py", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" s |") == 2


def test_values_as_they_were_learned_give_the_same_logits_and_halves_nearly_so(tmp_path):
    vector = SparseVector.load("sentiment")  # bundled in float16, which float16 would store without a loss
    learned = {name: values * 1.001 for name, values in vector.values.items()}
    replace(vector, values=learned).save(tmp_path / "sentiment", values="float32")
    done = run(FOLDER / "half.py", "--quick", "--task", str(tmp_path / "sentiment"))
    assert done.returncode == 0, done.stdout + done.stderr
    exact, *halves = done.stdout.splitlines()
    assert "differ by at most 0.0e+00" in exact
    assert all(float(line.split("differ by at most ")[1].split()[0].rstrip(",")) > 0 for line in halves)


def test_the_words_that_mattered_are_measured_by_every_method():
    done = run(FOLDER / "words.py", "--quick", "--threads", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[1:3]] == ["leave-one-out", "gradient"]


def test_visitors_of_the_real_app_meet_no_error_while_it_trains():
    done = run(FOLDER / "load.py", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Errors: none." in done.stdout
    rows = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in done.stdout.splitlines() if "|" in line}
    assert {"open the page, all its files", "the page's poll"} <= rows.keys()


def test_it_is_measured_from_how_many_sentences_a_call_to_a_gpu_pays():
    done = run(FOLDER / "batch.py", "--sentences", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(8 sentences)" in done.stdout
    assert "a call is taken from 466 sentences on" in done.stdout
