"""The mask is what a vector is made of: exactly k entries, always the same ones, against plain numpy."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from deftx.core.errors import RecipeError, TrainingError
from deftx.method import select
from deftx.method.select import largest, select_at_random, select_top_k, select_with_fill


def numpy_top_k(deltas, k):
    """The k largest |x| of the joined tensors, ties to the lowest position; zeros never."""
    sizes = [delta.numel() for delta in deltas.values()]
    joined = np.concatenate([np.abs(delta.double().numpy().ravel()) for delta in deltas.values()])
    order = np.argsort(-joined, kind="stable")[:k]
    chosen = np.sort(order[joined[order] > 0])
    starts = np.cumsum([0, *sizes])
    return {
        name: (chosen[(chosen >= a) & (chosen < b)] - a).tolist()
        for name, a, b in zip(deltas, starts[:-1], starts[1:], strict=True)
    }


def as_lists(positions):
    assert all(p.dtype == torch.int64 for p in positions.values())
    return {name: p.tolist() for name, p in positions.items()}


def random_deltas(draw, *, ties, dtype=torch.float32):
    """A few tensors of different shapes; with ``ties`` nearly all magnitudes occur many times, zero among them."""
    deltas = {}
    for i in range(int(draw.integers(1, 5))):
        shape = tuple(draw.integers(1, 12, size=int(draw.integers(1, 3))))
        values = draw.integers(-3, 4, size=shape) / 4 if ties else draw.normal(size=shape)
        deltas[f"p{i}"] = torch.tensor(values).to(dtype)
    return deltas


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("ties", [True, False])
def test_selection_is_that_of_a_stable_sort(monkeypatch, ties, dtype):
    monkeypatch.setattr(select, "BLOCK", 7)  # so that ties run over the ends of blocks
    draw = np.random.default_rng(11)
    for _ in range(40):
        deltas = random_deltas(draw, ties=ties, dtype=dtype)
        changed = sum(int(delta.count_nonzero()) for delta in deltas.values())
        for k in {1, changed // 2, changed} - {0}:
            if k > changed:
                continue
            selected = select_top_k(deltas, k)
            assert sum(len(p) for p in selected.values()) == k
            assert as_lists(selected) == numpy_top_k(deltas, k)


def test_values_that_differ_in_the_last_bit_are_told_apart():
    """A selection on rounded magnitudes, or on the upper bits alone, would take the first entries here."""
    ladder = torch.tensor(1.0).view(torch.int32) + torch.arange(70_000, dtype=torch.int32)  # ascending by one bit
    deltas = {"w": ladder.view(torch.float32)}
    assert select_top_k(deltas, 3)["w"].tolist() == [69_997, 69_998, 69_999]
    tiny = torch.arange(1, 9, dtype=torch.int32).view(torch.float32)  # the smallest float32 numbers
    assert select_top_k({"w": tiny}, 2)["w"].tolist() == [6, 7]
    assert select_top_k({"w": 1 + torch.arange(4).double() * 2**-52}, 1)["w"].tolist() == [3]


def test_equal_magnitudes_go_by_the_order_of_the_mapping_then_by_position():
    deltas = {"b": torch.tensor([0.5, -1.0]), "a": torch.tensor([[1.0, -1.0], [2.0, 1.0]])}
    assert as_lists(select_top_k(deltas, 3)) == {"b": [1], "a": [0, 2]}
    assert as_lists(select_top_k(dict(reversed(deltas.items())), 3)) == {"a": [0, 1, 2], "b": []}


def test_names_with_nothing_selected_are_kept():
    selected = select_top_k({"large": torch.ones(3), "small": torch.full((2, 2), 0.1), "none": torch.zeros(0)}, 2)
    assert as_lists(selected) == {"large": [0, 1], "small": [], "none": []}


def test_positions_are_row_major_whatever_the_layout_in_memory():
    weight = torch.arange(12.0).reshape(3, 4)
    assert torch.equal(select_top_k({"w": weight.T}, 4)["w"], select_top_k({"w": weight.T.contiguous()}, 4)["w"])


def test_zeros_of_either_sign_are_never_selected():
    deltas = {"w": torch.tensor([0.0, -0.0, 1.0, 0.0, -2.0])}
    assert as_lists(select_top_k(deltas, 2)) == {"w": [2, 4]}
    with pytest.raises(RecipeError, match="k = 3 entries cannot be selected: only 2 changed"):
        select_top_k(deltas, 3)
    with pytest.raises(RecipeError, match="only 2 changed"):
        select_top_k(deltas, 1000)


@pytest.mark.parametrize("k", [0, -4])
def test_k_below_one_is_refused(k):
    with pytest.raises(RecipeError, match="selects nothing"):
        select_top_k({"w": torch.ones(3)}, k)


def test_nothing_to_select_from_is_refused():
    with pytest.raises(RecipeError, match="only 0 changed"):
        select_top_k({}, 1)


@pytest.mark.parametrize("value", [float("nan"), -float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_diverged_training_is_refused_with_the_name_of_the_tensor(value, dtype):
    deltas = {"fine": torch.ones(5), "spoilt.weight": torch.tensor([1.0, value], dtype=dtype)}
    with pytest.raises(TrainingError, match=r"spoilt\.weight holds values that are not finite"):
        select_top_k(deltas, 2)


class Allocated(TorchDispatchMode):
    """Notes the largest tensor that is made while it is active, views aside."""

    entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if not function.is_view:
            sizes = [t.numel() for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
            self.entries = max(self.entries, *sizes, 0)
        return result


def test_the_parameters_are_never_joined_or_copied(monkeypatch):
    """LT-SFT's own selection joined 277 M entries into a Python list of 9 GB."""
    monkeypatch.setattr(select, "BLOCK", 2**14)
    deltas = {f"p{i}": torch.randn(500, 200, generator=torch.Generator().manual_seed(i)) for i in range(2)}
    with Allocated() as seen:
        select_top_k(deltas, 300)
    assert seen.entries == 2**16  # the table of counts; each tensor has 100,000 entries


def test_largest_counts_zeros_too_and_breaks_ties_downwards():
    """Denoising keeps exactly n entries even where the residual is zero."""
    draw = np.random.default_rng(2)
    for _ in range(50):
        values = draw.integers(-2, 3, size=tuple(draw.integers(1, 15, size=2))).astype(np.float32)
        n = int(draw.integers(1, values.size + 1))
        expected = np.sort(np.argsort(-np.abs(values), axis=None, kind="stable")[:n])
        assert largest(torch.from_numpy(values), n).tolist() == expected.tolist()


def numpy_fill(denoised, raw, k):
    """All of δ̂ that is not zero, then the largest |δ| of what is not chosen yet."""
    chosen = numpy_top_k(denoised, k)
    taken = sum(map(len, chosen.values()))
    rest = {name: delta.clone() for name, delta in raw.items()}
    for name, positions in chosen.items():
        rest[name].view(-1)[positions] = 0
    filled = numpy_top_k(rest, k - taken) if taken < k else {name: [] for name in raw}
    return {name: sorted(chosen[name] + filled[name]) for name in raw}, sum(map(len, filled.values()))


def test_fill_takes_all_of_the_denoised_entries_then_the_largest_raw_ones():
    draw, fills = np.random.default_rng(4), 0
    for _ in range(150):
        raw = random_deltas(draw, ties=True)
        mask = {name: torch.from_numpy(draw.random(delta.shape) < 0.3) for name, delta in raw.items()}
        shift = {name: torch.from_numpy(draw.integers(-1, 2, size=delta.shape)) / 8 for name, delta in raw.items()}
        denoised = {name: (raw[name] + shift[name]) * mask[name] for name in raw}
        reachable = sum(int(((denoised[name] != 0) | (raw[name] != 0)).sum()) for name in raw)
        if not reachable:
            continue
        k = int(draw.integers(1, reachable + 1))
        positions, filled = select_with_fill(denoised, raw, k)
        assert (as_lists(positions), filled) == numpy_fill(denoised, raw, k)
        assert sum(len(p) for p in positions.values()) == k
        fills += filled > 0
    assert fills > 30, "the fill was hardly tried"


def test_fill_is_not_needed_where_the_denoised_entries_suffice():
    denoised, raw = {"w": torch.tensor([3.0, 0.0, 1.0])}, {"w": torch.tensor([0.0, 9.0, 0.0])}
    positions, filled = select_with_fill(denoised, raw, 2)
    assert (as_lists(positions), filled) == ({"w": [0, 2]}, 0)


def test_all_matrices_of_rank_zero_are_filled_from_delta_alone():
    raw = {"w": torch.tensor([[0.1, -0.4], [0.3, 0.0]])}
    positions, filled = select_with_fill({"w": torch.zeros(2, 2)}, raw, 2)
    assert (as_lists(positions), filled) == ({"w": [1, 2]}, 2)
    with pytest.raises(RecipeError, match="only 3 changed"):
        select_with_fill({"w": torch.zeros(2, 2)}, raw, 4)


def test_fill_does_not_change_what_it_was_given():
    denoised, raw = {"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([1.0, 2.0])}
    select_with_fill(denoised, raw, 2)
    assert denoised["w"].tolist() == [1, 0]
    assert raw["w"].tolist() == [1, 2]


def test_a_random_mask_has_k_entries_everywhere_alike_and_follows_from_its_seed():
    deltas = {"a.weight": torch.zeros(400, 50), "b.bias": torch.ones(20_000)}
    chosen = select_at_random(deltas, 4_000, seed=1)
    assert sum(len(p) for p in chosen.values()) == 4_000
    # 2,000 of either are expected; 4 standard deviations of the hypergeometric distribution are 127.
    assert abs(len(chosen["a.weight"]) - 2_000) < 127
    assert abs(int((chosen["b.bias"] < 10_000).sum()) - len(chosen["b.bias"]) / 2) < 127
    assert all(p.equal(q) for p, q in zip(chosen.values(), select_at_random(deltas, 4_000, 1).values(), strict=True))
    assert not chosen["b.bias"].equal(select_at_random(deltas, 4_000, 2)["b.bias"])


def test_a_complex_update_is_refused_instead_of_losing_its_imaginary_part():
    with pytest.raises(TrainingError, match="a is complex"):
        select_top_k({"a": torch.ones(5, dtype=torch.complex64)}, 2)
