"""Random draws: a block with a seed of its own changes nothing outside, and asks no GPU."""

import pytest
import torch

from deftx.core.sampling import seeded


def test_a_block_draws_the_same_each_time_and_what_follows_is_as_without_it():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    drawn = []
    for _ in range(2):
        with seeded(7):
            drawn.append(torch.rand(3))
    assert drawn[0].equal(drawn[1])
    assert torch.rand(3).equal(wanted)


def test_a_gpu_that_only_seems_to_be_there_is_not_asked(monkeypatch):
    def refuse(*_):
        raise RuntimeError("Low-level CUDA init reached")

    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)  # as on ZeroGPU outside of calls
    monkeypatch.setattr("torch.cuda.get_rng_state", refuse)
    with pytest.raises(RuntimeError), torch.random.fork_rng():
        pass
    with seeded(7):
        torch.rand(1)
