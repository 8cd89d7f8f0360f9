"""The recipe of the bundled base: a training that can be cut off and made longer, and a base in 8 bits that loads."""

import csv
import gzip
import os
import shutil
import signal

import pytest
import tiny
from forked import ROOT, Program
from job_helpers import wait_for
from safetensors.torch import load_file

from deftx.models.bases import load_base
from deftx.models.eight_bits import PACKED

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "scripts" / "pretrain.py"
CORPORA = ("ind", "jav", "sun", "bew", "mak", "mui", "rej", "abs", "eng_clear")
SMALL = ("--tokens", "30000", "--batch-tokens", "256", "--length", "16", "--head-steps", "10", "--warm-up", "5",
         "--learning-rate", "2e-3", "--look-every", "20", "--device", "cpu")  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "corpora").mkdir()
    for number, name in enumerate(CORPORA):
        text = "\n".join(tiny.sentences(120, seed=number))
        (folder / "corpora" / f"{name}.txt.gz").write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.make_base(tmp_path_factory.mktemp("base"))


def start(data, base, out, *more):
    return Program(SCRIPT, "--data", data, "--base", base, "--out", out, *SMALL, *more)


def finish(process):
    return process.wait(), process.stdout, process.stderr


@pytest.fixture(scope="module")
def whole(data, base, tmp_path_factory):
    out = tmp_path_factory.mktemp("pretrained")
    status, _, errors = finish(start(data, base, out))
    assert status == 0, errors
    return out


def test_the_base_loads_and_has_learned(base, whole):
    before, after = load_base(base), load_base(whole / "base")
    assert not after.notes
    assert before.fingerprint != after.fingerprint
    assert (whole / "base" / PACKED).is_file()
    assert not (whole / "base" / "model.safetensors").exists()
    rows = read_log(whole)
    assert rows[0]["step"] == "0"  # the first line judges the base as it was
    assert all(float(rows[-1][name]) < float(rows[0][name]) for name in CORPORA)
    card = (whole / "base" / "README.md").read_text(encoding="utf-8")
    assert f"| Betawi | {float(rows[0]['bew']):.2f} | {float(rows[-1]['bew']):.2f} |" in card


def test_a_finished_training_can_be_made_longer(data, base, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "longer")
    status, _, errors = finish(start(data, base, tmp_path / "longer", "--tokens", "40000", "--decay", "0.2"))
    assert status == 0, errors
    before, after = read_log(whole), read_log(tmp_path / "longer")
    assert after[: len(before)] == before
    assert int(after[-1]["step"]) == 40000 // 256


def test_a_killed_pretraining_goes_on_to_the_same_weights(data, base, whole, tmp_path):
    process = start(data, base, tmp_path, "--save-every", "0")
    state = tmp_path / "state.safetensors"
    wait_for(lambda: state.exists() or process.poll() is not None, "a checkpoint", pause=0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL, process.stderr
    assert not (tmp_path / "base").exists()
    goes_on_to_the_same(data, base, whole, tmp_path)


def test_a_pretraining_that_is_stopped_keeps_what_it_has_learned(data, base, whole, tmp_path):
    process, log = start(data, base, tmp_path), tmp_path / "log.csv"

    def has_begun():
        return process.poll() is not None or (log.exists() and len(log.read_text().splitlines()) > 1)

    wait_for(has_begun, "the first lines of the log", pause=0.002)
    os.kill(process.pid, signal.SIGINT)
    status, _, errors = finish(process)
    assert status == 1
    assert "Run the same command to continue." in errors
    assert "Traceback" not in errors
    goes_on_to_the_same(data, base, whole, tmp_path)


def goes_on_to_the_same(data, base, whole, out):
    """Start once more, and compare the base and the log with those of an undisturbed run."""
    assert (out / "state.safetensors").exists()
    status, _, errors = finish(start(data, base, out))
    assert status == 0, errors
    one, other = (load_file(folder / "base" / PACKED) for folder in (whole, out))
    assert all(one[name].equal(other[name]) for name in one)
    logs = [[line.split(",")[0] for line in (f / "log.csv").read_text().splitlines()] for f in (whole, out)]
    assert logs[1][-1] == logs[0][-1]
    assert len(set(logs[1])) == len(logs[1])  # no step stands there twice


def test_other_settings_in_the_same_folder_are_refused(data, base, whole):
    status, _, errors = finish(start(data, base, whole, "--length", "32"))
    assert status == 1
    assert "other settings" in errors


def test_a_finished_base_is_gone_on_from(data, whole, tmp_path):
    status, _, errors = finish(start(data, whole / "base", tmp_path, "--tokens", "10240"))
    assert status == 0, errors
    before, after = read_log(whole), read_log(tmp_path)
    assert after[: len(before)] == before
    assert int(after[-1]["tokens"]) == int(before[-1]["tokens"]) + 10240
    assert load_base(tmp_path / "base").fingerprint != load_base(whole / "base").fingerprint


def read_log(folder):
    with (folder / "log.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
