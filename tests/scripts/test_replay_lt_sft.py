"""The replay of the published code's traces agrees, and a trace that is spoilt in any way makes it fail."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from forked import run as program
from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "replay_lt_sft.py"
SECOND = "theta2.roberta.encoder.layer.0.attention.self.value.weight"


@pytest.fixture(scope="module")
def replay():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("replay_lt_sft", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_training_code_agrees_with_the_published_one(lt_sft_traces):
    done = program(SCRIPT, lt_sft_traces / "plain", lt_sft_traces / "base")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mask: 0 differences in 22,176 entries" in done.stdout


def test_it_agrees_with_accumulation_and_an_l1_penalty_that_acts(lt_sft_traces, replay, capsys, monkeypatch):
    assert run(replay, monkeypatch, lt_sft_traces / "l1", lt_sft_traces / "base") == 0
    assert "mask: 0 differences in 22,176 entries" in capsys.readouterr().out


def spoil_entry(name, amount):
    def spoil(tensors, settings):
        tensors[name] = tensors[name].clone()
        tensors[name].view(-1)[3] += amount

    return spoil


def spoil_batch(tensors, settings):
    labels = tensors["batch.sparse.004.labels"].clone()
    place = (labels != -100).nonzero()[0]
    labels[tuple(place)] = (labels[tuple(place)] + 1) % 90 + 5
    tensors["batch.sparse.004.labels"] = labels


def move_one_of_the_mask(tensors, settings):
    name = "mask.roberta.encoder.layer.1.output.dense.weight"
    mask = tensors[name].clone().flatten()
    there, not_there = mask.nonzero()[0], (mask == 0).nonzero()[0]
    mask[there], mask[not_there] = mask[not_there].clone(), mask[there].clone()
    tensors[name] = mask.view(tensors[name].shape)


def change(**other):
    return lambda tensors, settings: settings.update(other)


def drop(name, of="tensors"):
    return lambda tensors, settings: (tensors if of == "tensors" else settings).pop(name)


SPOILT = {
    "theta0": (spoil_entry("theta0.lm_head.dense.weight", 1e-4), "θ0"),
    "theta1": (spoil_entry("theta1.roberta.embeddings.word_embeddings.weight", 2e-6), "θ1"),
    "theta2": (spoil_entry(SECOND, -2e-6), "θ2"),
    "key bias": (spoil_entry("theta2.roberta.encoder.layer.1.attention.self.key.bias", 2e-5), "θ2"),
    "head": (spoil_entry("theta2.lm_head.bias", 2e-6), "θ2"),
    "not a number": (spoil_entry(SECOND, float("nan")), "θ2"),
    "mask": (move_one_of_the_mask, "mask: 2 differences"),
    "batch": (spoil_batch, "θ2"),
    "learning rate": (change(learning_rate=4e-4), "θ1"),
    "l1": (change(l1=3.0), "θ1"),
    "k": (change(k=999), "mask"),
    "steps": (change(optimiser_steps_per_phase=11), "θ1"),
    "denominator": (change(l1_denominator=23_716), "23,716"),
    "accumulation": (change(gradient_accumulation=2), "batch.dense."),
    "no theta2": (drop(SECOND), SECOND.removeprefix("theta2.")),
    "no mask": (drop("mask.roberta.encoder.layer.0.output.dense.bias"), "mask"),
    "no batch": (drop("batch.dense.003.labels"), "batch.dense.003.labels"),
    "no k": (drop("k", "settings"), "k"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_trace_fails_and_says_where(lt_sft_traces, tmp_path, replay, capsys, monkeypatch, what):
    spoil, words = SPOILT[what]
    write_spoilt(lt_sft_traces / "plain", tmp_path, spoil)
    assert run(replay, monkeypatch, tmp_path, lt_sft_traces / "base") == 1
    printed = capsys.readouterr()
    assert words in printed.out + printed.err


KEY_BIAS = "roberta.encoder.layer.1.attention.self.key.bias"
SPOILT_WITH_L1 = {
    "key bias of θ1": (
        spoil_entry(f"theta1.{KEY_BIAS}", 1e-3),
        True,
    ),  # which is what another processor's rounding does
    "key bias of θ1, no number": (spoil_entry(f"theta1.{KEY_BIAS}", float("nan")), False),
    "key bias of θ1, infinite": (spoil_entry(f"theta1.{KEY_BIAS}", float("inf")), False),
    "key bias of θ2": (spoil_entry(f"theta2.{KEY_BIAS}", 1e-4), False),
    "query bias of θ1": (spoil_entry(f"theta1.{KEY_BIAS.replace('key', 'query')}", 1e-5), False),
    "embedding of θ1": (spoil_entry("theta1.roberta.embeddings.word_embeddings.weight", 2e-6), False),
    "mask": (move_one_of_the_mask, False),
    "strength": (change(l1=3.0), False),
}


@pytest.mark.parametrize("what", SPOILT_WITH_L1)
def test_with_an_l1_penalty_only_key_biases_of_theta1_do_not_decide(
    lt_sft_traces, tmp_path, replay, capsys, monkeypatch, what
):
    spoil, agrees = SPOILT_WITH_L1[what]
    write_spoilt(lt_sft_traces / "l1", tmp_path, spoil)
    assert run(replay, monkeypatch, tmp_path, lt_sft_traces / "base") == (0 if agrees else 1)
    assert ("  agrees" if agrees else "  DIFFERS") in capsys.readouterr().out


def write_spoilt(trace, folder, spoil):
    tensors = load_file(trace / "trace.safetensors")
    settings = json.loads((trace / "settings.json").read_text())
    spoil(tensors, settings)
    save_file(tensors, folder / "trace.safetensors")
    (folder / "settings.json").write_text(json.dumps(settings))


def test_a_cut_off_or_missing_trace_fails_and_says_where(lt_sft_traces, tmp_path, replay, capsys, monkeypatch):
    whole = (lt_sft_traces / "plain" / "trace.safetensors").read_bytes()
    (tmp_path / "trace.safetensors").write_bytes(whole[:-100])
    (tmp_path / "settings.json").write_text((lt_sft_traces / "plain" / "settings.json").read_text())
    assert run(replay, monkeypatch, tmp_path, lt_sft_traces / "base") == 1
    assert run(replay, monkeypatch, tmp_path / "none", lt_sft_traces / "base") == 1
    assert run(replay, monkeypatch, lt_sft_traces / "plain", tmp_path) == 1
    assert capsys.readouterr().err.count("cannot be replayed") == 3


def test_another_base_fails(lt_sft_traces, tmp_path, replay, capsys, monkeypatch):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    model = AutoModelForMaskedLM.from_pretrained(lt_sft_traces / "base", dtype=torch.float32)
    with torch.no_grad():
        model.lm_head.dense.weight[0, 0] += 0.01
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(lt_sft_traces / "base").save_pretrained(tmp_path)
    assert run(replay, monkeypatch, lt_sft_traces / "plain", tmp_path) == 1
    assert "θ0: largest difference 1.00e-02" in capsys.readouterr().out


def run(replay, monkeypatch, trace, base):
    """Run the script in this process, as the interpreter would, and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["replay_lt_sft.py", str(trace), str(base)])
    with pytest.raises(SystemExit) as ended:
        replay.main()
    if isinstance(ended.value.code, str):  # which the interpreter prints to stderr
        print(ended.value.code, file=sys.stderr)
        return 1
    return ended.value.code
