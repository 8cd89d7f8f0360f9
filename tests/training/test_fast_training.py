"""Dropout and attention while training on a CPU: the same functions as torch's, drawn from a seed."""

import pytest
import tiny_families
import torch
from torch.nn.functional import dropout, scaled_dot_product_attention
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoModelForMaskedLM

from deftx.training.fast_training import LONGEST, FastTraining, fast_training

CPU = torch.device("cpu")


class Calls(TorchDispatchMode):
    """Notes the operations that are computed."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.name())
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("p", [0.01, 0.1, 0.25, 0.5])
def test_dropout_drops_the_share_it_says_and_keeps_the_mean(p):
    ones = torch.ones(2_000, 1_000)
    with fast_training(CPU, 7):
        dropped = dropout(ones, p)
    share = (dropped == 0).double().mean().item()
    deviation = (p * (1 - p) / ones.numel()) ** 0.5
    assert abs(share - p) < 5 * deviation + 1e-5  # 2⁻¹⁷ of it is the rounding of p
    kept = dropped[dropped != 0]
    assert kept.min() == kept.max() == pytest.approx(1 / (1 - p), rel=1e-4)


def test_draws_are_independent_along_rows_and_between_calls():
    with fast_training(CPU, 1):
        first, second = (dropout(torch.ones(1_000, 1_001), 0.5) == 0 for _ in range(2))
    for left, right in ((first[:, :-1], first[:, 1:]), (first[:-1], first[1:]), (first, second)):
        both = (left & right).double().mean().item()
        assert abs(both - 0.25) < 5 * (0.25 * 0.75 / 1e6) ** 0.5


def test_every_draw_follows_from_the_seed_and_not_from_torch():
    def draw(seed):
        torch.manual_seed(torch.seed())
        with fast_training(CPU, seed):
            return dropout(torch.ones(3, 1_001), 0.1), dropout(torch.ones(7), 0.5)

    again, other = zip(draw(3), draw(3), strict=True), zip(draw(3), draw(4), strict=True)
    assert all(torch.equal(a, b) for a, b in again)
    assert not all(torch.equal(a, b) for a, b in other)


def test_the_gradient_passes_where_the_value_did():
    values = torch.randn(50, 40, requires_grad=True)
    with fast_training(CPU, 2):
        made = dropout(values, 0.3)
    made.sum().backward()
    assert torch.allclose(values.grad * values.detach(), made.detach(), rtol=1e-6)


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True), (1.0, True)])
def test_where_nothing_is_drawn_it_is_torchs_own(p, training):
    values = torch.randn(5, 6)
    with fast_training(CPU, 2):
        assert torch.equal(dropout(values, p, training), torch.nn.functional.dropout(values, p, training))


def masks():
    seen = torch.ones(2, 1, 7, 7, dtype=torch.bool)
    seen[1, :, :, 5:] = False
    return {"none": None, "bool": seen, "float": torch.zeros(2, 1, 7, 7).masked_fill(~seen, float("-inf"))}


@pytest.mark.parametrize("kind", masks())
@pytest.mark.parametrize("scale", [None, 0.3])
def test_attention_is_torchs_own_and_so_is_its_gradient(kind, scale):
    torch.manual_seed(0)
    ours, theirs = ([torch.randn(2, 3, 7, 8, dtype=torch.float64) for _ in range(3)] for _ in range(2))
    for mine, other in zip(ours, theirs, strict=True):
        other.copy_(mine)
        mine.requires_grad_(), other.requires_grad_()
    with fast_training(CPU, 1):
        made = scaled_dot_product_attention(*ours, attn_mask=masks()[kind], scale=scale)
    expected = scaled_dot_product_attention(*theirs, attn_mask=masks()[kind], scale=scale)
    assert torch.allclose(made, expected, atol=1e-12)
    made.square().sum().backward(), expected.square().sum().backward()
    assert all(torch.allclose(a.grad, b.grad, atol=1e-12) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(("length", "causal"), [(5, True), (LONGEST + 1, False)])
def test_causal_and_long_attention_is_left_to_torch(length, causal):
    q, k, v = (torch.randn(1, 2, length, 4) for _ in range(3))
    with Calls() as calls, fast_training(CPU, 1):
        made = scaled_dot_product_attention(q, k, v, is_causal=causal)
    assert torch.equal(made, scaled_dot_product_attention(q, k, v, is_causal=causal))
    assert any("scaled_dot_product" in call for call in calls.names)


def test_other_devices_are_left_alone():
    assert not isinstance(fast_training(torch.device("cuda"), 1), FastTraining)


@pytest.mark.parametrize("name", tiny_families.TINY)
def test_no_family_draws_by_torch_and_without_dropout_none_changes(name, tmp_path):
    model = AutoModelForMaskedLM.from_pretrained(tiny_families.make_family(name, tmp_path))
    tokens = torch.randint(5, 20, (3, 16))
    inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    inputs["attention_mask"][1, 9:] = 0
    with Calls() as calls, fast_training(CPU, 1):
        model.train()(**inputs).logits.sum().backward()
    assert not {call for call in calls.names if "bernoulli" in call or "dropout" in call}
    with torch.no_grad():
        expected = model.eval()(**inputs).logits
        with fast_training(CPU, 1):
            made = model(**inputs).logits
    seen = inputs["attention_mask"].bool()
    assert torch.allclose(made[seen], expected[seen], atol=1e-5)
