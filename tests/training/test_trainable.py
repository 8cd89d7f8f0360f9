"""Only what was chosen moves, and the L1 penalty really pulls: in the published code it never did."""

import pytest
import torch
from torch import nn

from deftx.training.trainable import Entries


@pytest.fixture
def weight():
    return nn.Parameter(torch.arange(12.0).view(3, 4))


def test_only_the_chosen_entries_and_the_head_are_moved(weight):
    head = nn.Parameter(torch.ones(2))
    before = weight.detach().clone()
    entries = Entries.of({"w": weight, "h": head}, {"w": torch.tensor([1, 7, 11])})
    optimizer = torch.optim.AdamW(entries.compact.values(), lr=0.1, weight_decay=0.0)
    for _ in range(3):
        ((weight * 3).sum() + head.sum()).backward()
        entries.gather_gradients()
        assert weight.grad is None
        assert entries.compact["w"].grad.tolist() == [3, 3, 3]
        optimizer.step()
        optimizer.zero_grad()
        entries.write_back()
    moved = (weight.detach() != before).flatten().nonzero().flatten()
    assert moved.tolist() == [1, 7, 11]
    assert (head < 0.8).all()


def test_the_l1_gradient_is_that_of_a_detached_anchor_and_not_zero(weight):
    entries = Entries.of({"w": weight})
    with torch.no_grad():
        weight[0, 0] += 0.5
        weight[2, 3] -= 0.5
    anchor = entries.anchors["w"]
    (expected,) = torch.autograd.grad(0.25 * (weight - anchor).abs().sum(), weight)
    entries.add_l1_gradients(0.25)
    assert weight.grad.equal(expected)
    assert weight.grad.abs().sum() == 0.5
    entries.add_l1_gradients(0.25)
    assert weight.grad.equal(2 * expected)  # added to what is there


def test_saved_values_come_back_into_the_model(weight):
    entries = Entries.of({"w": weight}, {"w": torch.tensor([0, 5])})
    kept = {"w": torch.tensor([100.0, 200.0])}
    entries.load(kept)
    assert weight.flatten()[[0, 5]].tolist() == [100, 200]
    assert weight.flatten()[1] == 1
    assert entries.values()["w"].tolist() == [100, 200]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_value_that_is_not_a_number_is_found(weight, bad):
    entries = Entries.of({"w": weight}, {"w": torch.tensor([0, 5])})
    assert entries.is_finite()
    entries.load({"w": torch.tensor([1.0, bad])})
    assert not entries.is_finite()
