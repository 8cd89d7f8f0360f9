"""The recipe of the bundled base: a training that can be cut off and made longer, and a base in 8 bits that loads."""

import csv
import gzip
import json
import os
import shutil
import signal

import pytest
import tiny
import torch
from forked import ROOT, Program
from job_helpers import wait_for
from safetensors.torch import load_file
from torch.nn.functional import cosine_similarity

from deftx.models.bases import load_base
from deftx.models.eight_bits import PACKED
from deftx.models.pieces import read_state, trim_pieces
from scripts.pretraining.text import read_corpora

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "scripts" / "pretrain.py"
AVERAGE = ROOT / "scripts" / "average_bases.py"
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


def test_alignment_keeps_the_hidden_states_near_those_of_the_initial_encoder(data, base, whole, tmp_path):
    status, _, errors = finish(start(data, base, tmp_path, "--align", "10"))
    assert status == 0, errors
    before, plain, aligned = (load_base(folder) for folder in (base, whole / "base", tmp_path / "base"))
    text = before.tokenizer(tiny.sentences(20, seed=9), return_tensors="pt")
    wanted, *found = (one.model.base_model.eval()(**text).last_hidden_state for one in (before, plain, aligned))
    far, near = (1 - cosine_similarity(hidden, wanted, dim=-1).mean() for hidden in found)
    assert near < far / 2
    log = read_log(tmp_path)
    assert all(float(log[-1][name]) < float(log[0][name]) for name in CORPORA)  # and words are learned all the same


def test_an_unknown_alignment_is_refused(data, base, tmp_path):
    status, _, errors = finish(start(data, base, tmp_path, "--align", "1", "--align-what", "token"))
    assert status == 1
    assert "tokens" in errors


def test_corpora_that_are_left_out_are_judged_but_not_trained_on(data):
    train, held_out = read_corpora(data, 42, ("jav", "sun"))
    assert set(train) == set(CORPORA) - {"jav", "sun"}
    assert set(held_out) == set(CORPORA)


def test_a_training_takes_as_many_tokens_as_its_time_allows(data, base, tmp_path):
    status, printed, errors = finish(start(data, base, tmp_path, "--minutes", "0.05"))
    assert status == 0, errors
    tokens = json.loads((tmp_path / "settings.json").read_text())["tokens"]
    assert f"{tokens:,} tokens in 0.05 minutes" in printed
    assert int(read_log(tmp_path)[-1]["tokens"]) == tokens != 30_000
    log = (tmp_path / "log.csv").read_text()
    status, _, errors = finish(start(data, base, tmp_path, "--minutes", "0.05"))  # it continues to the same end
    assert status == 0, errors
    assert json.loads((tmp_path / "settings.json").read_text())["tokens"] == tokens
    assert (tmp_path / "log.csv").read_text() == log


def test_time_decides_also_where_fewer_tokens_were_given(data, base, tmp_path):
    status, printed, errors = finish(start(data, base, tmp_path, "--minutes", "0.05", "--tokens", "2560"))
    assert status == 0, errors
    assert int(read_log(tmp_path)[-1]["tokens"]) > 115 * 256  # the warm-up and the timed steps
    assert "tokens in 0.05 minutes" in printed


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_the_average_of_two_bases_lies_between_them_piece_by_piece(base, whole, tmp_path, share):
    other = other_vocabulary(base, tmp_path / "before")
    done = Program(AVERAGE, other, whole / "base", "--share", share, "--out", tmp_path / "out")
    assert done.wait() == 0, done.stderr
    before, after, found = (load_base(folder) for folder in (other, whole / "base", tmp_path / "out"))
    vectors = [one.model.get_input_embeddings().weight for one in (before, after, found)]
    for piece, row in found.tokenizer.get_vocab().items():
        old = before.tokenizer.get_vocab().get(piece)
        new = vectors[1][row]
        torch.testing.assert_close(vectors[2][row], new if old is None else (1 - share) * vectors[0][old] + share * new)
    matrices = [one.model.base_model.encoder.layer[0].output.dense.weight for one in (before, after, found)]
    torch.testing.assert_close(matrices[2], (1 - share) * matrices[0] + share * matrices[1])
    assert found.model.lm_head.dense.weight.equal(after.model.lm_head.dense.weight)
    assert (tmp_path / "out" / "pretraining.csv").read_text() == (whole / "log.csv").read_text()


def other_vocabulary(base, folder):
    """Write the base without one piece, so that all following ids differ."""
    one = load_base(base)
    kept = [
        row for piece, row in sorted(one.tokenizer.get_vocab().items(), key=lambda item: item[1]) if piece != "▁the"
    ]
    assert len(kept) == len(one.tokenizer) - 1
    state = read_state(one.tokenizer.backend_tokenizer)
    with torch.no_grad():
        words = one.model.get_input_embeddings().weight[torch.tensor(kept)].clone()
    one.model.resize_token_embeddings(len(kept))
    with torch.no_grad():
        one.model.get_input_embeddings().weight.copy_(words)
    one.model.save_pretrained(folder)
    one.tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(trim_pieces(state, kept), ensure_ascii=False), encoding="utf-8")
    return folder


def read_log(folder):
    with (folder / "log.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
