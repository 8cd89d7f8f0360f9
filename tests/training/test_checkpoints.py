"""A checkpoint is whole or not there, and what cannot be written or read says why."""

import errno
import resource
import signal

import pytest
import torch
from torch import nn

from deftx.core.errors import TrainingError
from deftx.training.checkpoints import PhaseFolder, PhaseProgress, checkpoint_seconds, read_tensors, write_tensors
from deftx.training.trainable import Entries


def phase(start=0.0):
    """A phase with two moved entries of a matrix and a head."""
    model = {"w": nn.Parameter(torch.full((2, 3), start)), "h": nn.Parameter(torch.full((2,), start))}
    entries = Entries.of(model, {"w": torch.tensor([1, 4])})
    return entries, torch.optim.AdamW(entries.compact.values(), lr=0.1, weight_decay=0.0)


def step(entries, optimizer):
    for leaf in entries.compact.values():
        leaf.grad = torch.sin(leaf.detach() * 7 + 1)
    optimizer.step()
    entries.write_back()


def test_a_phase_goes_on_bit_for_bit_where_it_was_saved(tmp_path):
    entries, optimizer = phase()
    for _ in range(3):
        step(entries, optimizer)
    progress = PhaseProgress(3, 2, 0.5, [(1, 2.0), (3, 1.5)], [(2, 0.5)], 12.5, torch.tensor(0.25))
    PhaseFolder(tmp_path).save(entries, optimizer, progress)
    again, other = phase(start=9.0)
    found = PhaseFolder(tmp_path).restore(again, other)
    assert (found.step, found.best_step, found.best_score, found.loss_sum) == (3, 2, 0.5, 0.25)
    for _ in range(2):
        step(entries, optimizer)
        step(again, other)
    assert all(again.compact[name].equal(entries.compact[name]) for name in entries.compact)
    assert again.parameters["w"].flatten()[[1, 4]].equal(entries.compact["w"])
    assert again.parameters["w"][0, 0] == 9.0  # what was not chosen is not in the checkpoint


def test_without_a_checkpoint_a_phase_begins(tmp_path):
    assert PhaseFolder(tmp_path / "none").restore(*phase()) == PhaseProgress()


def test_a_mean_loss_covers_the_steps_since_the_last_one():
    progress = PhaseProgress(step=4, losses=[(2, 9.0)], loss_sum=torch.tensor(3.0))
    assert progress.note_loss() == 1.5
    assert (progress.losses[-1], progress.loss_sum) == ((4, 1.5), 0.0)


def test_a_failed_write_leaves_the_old_checkpoint_and_is_an_error_of_the_disk(tmp_path):
    file = tmp_path / "x.safetensors"
    write_tensors(file, {"x": torch.ones(4)}, {"n": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))  # as a full disk does, but without one
    try:
        with pytest.raises(OSError, match="too large") as caught:
            write_tensors(file, {"x": torch.ones(100_000)}, {"n": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno == errno.EFBIG
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
    assert read_tensors(file)[1] == {"n": 1}


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[:5], lambda b: b"", lambda b: b"\xff" * 40])
def test_a_damaged_checkpoint_is_named(tmp_path, damage):
    file = tmp_path / "x.safetensors"
    write_tensors(file, {"x": torch.ones(4)}, {"n": 1})
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(TrainingError, match=r"x\.safetensors is damaged"):
        read_tensors(file)


@pytest.mark.parametrize(("said", "seconds"), [({}, 60.0), ({"DEFTX_CHECKPOINT_SECONDS": " 0.5 "}, 0.5)])
def test_how_often_a_checkpoint_is_saved_can_be_set(said, seconds):
    assert checkpoint_seconds(60.0, said) == seconds


@pytest.mark.parametrize("said", ["often", "-1", "nan", "inf"])
def test_a_time_between_checkpoints_that_is_none_is_refused_by_name(said):
    with pytest.raises(TrainingError, match="DEFTX_CHECKPOINT_SECONDS is"):
        checkpoint_seconds(60.0, {"DEFTX_CHECKPOINT_SECONDS": said})
