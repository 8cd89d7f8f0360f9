"""Compares two learned vectors."""

import torch


def assert_equal(one, two):
    """Losses and values within 1e-6 (the order in which two numbers are added), the same mask."""
    for phase in ("dense", "sparse"):
        losses = [torch.tensor(v.info["scores"]["history"][phase]["losses"]) for v in (one, two)]
        assert (losses[0] - losses[1]).abs().max() <= 1e-6
    assert all(one.positions[name].equal(two.positions[name]) for name in one.positions)  # no difference of the masks
    assert max(float((one.values[n] - two.values[n]).abs().max()) for n in one.values) <= 1e-6
