"""The recipe of the bundled base: a tokenizer that knows every script, a training that can be cut off, a base that loads."""

import csv
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file

from deftx.bases import load_base

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ("ind", "jav", "sun", "bew", "mak", "mui", "rej", "abs", "eng_clear")
SMALL = ("--vocabulary", "340", "--layers", "1", "--hidden", "32", "--heads", "2", "--longest", "64", "--tokens", "40000",
         "--batch-tokens", "256", "--short", "16", "--long", "32", "--look-every", "20", "--device", "cpu")  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "corpora").mkdir()
    for number, name in enumerate(CORPORA):
        text = "\n".join(tiny.sentences(120, seed=number))
        (folder / "corpora" / f"{name}.txt.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def start(data, out, *more):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "scripts" / "pretrain.py"), "--data", data, "--out", out, *SMALL, *more]
    return subprocess.Popen(
        list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process):
    said, errors = process.communicate(timeout=120)
    return process.returncode, said, errors


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("pretrained")
    status, _, errors = finish(start(data, out))
    assert status == 0, errors
    return out


def test_the_base_is_small_loads_and_has_learned(whole):
    base = load_base(whole / "base")
    assert base.model.config.hidden_size == 32
    stored = load_file(whole / "base" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    with (whole / "log.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert all(float(rows[-1][name]) > 0 for name in CORPORA)  # the last line judges every corpus


def test_no_script_is_unknown_to_the_tokenizer(whole):
    tokenizer = load_base(whole / "base").tokenizer
    for text in ("good day", "ᮞᮥᮔ᮪ᮓ", "漢字 и кириллица", "🙂"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text
    assert tokenizer("GOOD Day")["input_ids"] == tokenizer("good day")["input_ids"]
    line = tiny.sentences(1, seed=3)[0]
    assert len(tokenizer(line)["input_ids"]) < 0.7 * len(line)  # pieces, not letters


def test_a_killed_pretraining_goes_on_to_the_same_weights(data, whole, tmp_path):
    process = start(data, tmp_path, "--save-every", "0")
    deadline = time.monotonic() + 120
    while not (tmp_path / "state.safetensors").exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert not (tmp_path / "base").exists()
    goes_on_to_the_same(data, whole, tmp_path)


def test_a_pretraining_that_is_stopped_keeps_what_it_has_learned(data, whole, tmp_path):
    process = start(data, tmp_path)
    log, deadline = tmp_path / "log.csv", time.monotonic() + 120
    while not log.exists() or len(log.read_text().splitlines()) < 2:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    status, _, errors = finish(process)
    assert status == 1
    assert "The same command goes on from there." in errors
    assert "Traceback" not in errors
    goes_on_to_the_same(data, whole, tmp_path)


def goes_on_to_the_same(data, whole, out):
    """Start once more, and compare the base and the log with those of an undisturbed run."""
    assert (out / "state.safetensors").exists()
    status, _, errors = finish(start(data, out))
    assert status == 0, errors
    one, other = (load_file(folder / "base" / "model.safetensors") for folder in (whole, out))
    assert all(one[name].equal(other[name]) for name in one)
    logs = [[line.split(",")[0] for line in (f / "log.csv").read_text().splitlines()] for f in (whole, out)]
    assert logs[1][-1] == logs[0][-1]
    assert len(set(logs[1])) == len(logs[1])  # no step stands there twice


def test_other_settings_in_the_same_folder_are_refused(data, whole):
    status, _, errors = finish(start(data, whole, "--layers", "2"))
    assert status == 1
    assert "other settings" in errors


def test_a_finished_base_is_gone_on_from(data, whole, tmp_path):
    status, _, errors = finish(start(data, tmp_path, "--base", whole / "base", "--tokens", "10240"))
    assert status == 0, errors
    before, after = (list(csv.DictReader((f / "log.csv").open(encoding="utf-8"))) for f in (whole, tmp_path))
    assert after[: len(before)] == before
    assert int(after[-1]["tokens"]) == int(before[-1]["tokens"]) + 10240
    assert float(after[len(before)]["loss"]) < float(before[0]["loss"])  # it did not begin anew
    one, other = (load_file(folder / "base" / "model.safetensors") for folder in (whole, tmp_path))
    assert not all(one[name].equal(other[name]) for name in one)
    assert (tmp_path / "base" / "tokenizer.json").read_bytes() == (whole / "base" / "tokenizer.json").read_bytes()
