"""Equations 3 to 5 against float64 svd and plain numpy: a wrong Ŵ selects the wrong entries, and nothing shows it."""

import numpy as np
import pytest
import torch

from deftx.core.errors import DeftxError, RecipeError, TrainingError
from deftx.method import select, spectrum
from deftx.method.denoising import denoise, low_rank
from deftx.method.spectrum import decompose


def random(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def graded(m, n, seed=0):
    """A matrix whose singular values fall by a tenth each: every rank has a gap to the next."""
    side = min(m, n)
    left, right = torch.linalg.qr(random(m, side, seed=seed)).Q, torch.linalg.qr(random(n, side, seed=seed + 1)).Q
    return (left * 0.9 ** torch.arange(side)) @ right.T


def steep(m, n):
    """A matrix with one large singular value, and the rest barely far enough apart to be told from each other."""
    left, right = torch.linalg.qr(random(m, 4)).Q, torch.linalg.qr(random(n, 4, seed=1)).Q
    return (left * torch.tensor([1.0, 0.0045, 0.0030, 0.0015])) @ right.T


def padded(m, n):
    weight = torch.zeros(m, n)
    weight[1 : m // 2, 3:] = graded(m // 2 - 1, n - 3)
    return weight


MATRICES = {
    "tall": graded(500, 40),
    "wide": graded(40, 500),
    "square": graded(60, 60),
    "noise": random(70, 50),
    "steep": steep(300, 50),
    "rank 5": random(70, 5) @ random(5, 50, seed=1),
    "one row": random(1, 30),
    "one column": random(30, 1),
    "zero": torch.zeros(12, 9),
    "no rows": torch.zeros(0, 9),
    "untouched rows and columns": padded(90, 30),
    "untouched, left wide": padded(40, 90),
    "minute": graded(50, 30) * 1e-20,
    "float64": graded(50, 30).double(),
}


@pytest.mark.parametrize("name", MATRICES)
def test_low_rank_is_that_of_float64_svd_wherever_it_is_well_defined(name):
    weight = MATRICES[name]
    u, s, vt = torch.linalg.svd(weight.double(), full_matrices=False)
    for rank in range(min(weight.shape) + 1):
        exact = (u[:, :rank] * s[:rank]) @ vt[:rank]  # L = U_r Σ_r V_rᵀ
        approximation = low_rank(weight, rank)
        assert approximation.shape == weight.shape
        assert approximation.dtype == weight.dtype
        if 0 < rank < len(s) and s[rank - 1] - s[rank] <= 1e-3 * s[0]:
            continue  # the two singular vectors are interchangeable there
        assert (approximation.double() - exact).norm() <= 1e-5 * weight.double().norm(), rank


def numpy_denoise(weight, rank, keep):
    """Equations 3 to 5, line by line."""
    u, s, vt = np.linalg.svd(weight, full_matrices=False)
    low = (u[:, :rank] * s[:rank]) @ vt[:rank]
    order = np.argsort(-np.abs(weight - low), axis=None, kind="stable")
    mask = np.zeros(weight.size)
    mask[order[: round(keep * weight.size)]] = 1
    return low + mask.reshape(weight.shape) * (weight - low)


def test_denoise_is_equations_3_to_5_on_random_matrices():
    draw = np.random.default_rng(5)
    for _ in range(60):
        m, n = draw.integers(2, 40, size=2)
        weight, keep = draw.normal(size=(m, n)), float(draw.choice([0.0, 0.05, 0.2, 1.0]))
        rank = int(draw.integers(0, min(m, n) + 1))
        ours = denoise(torch.from_numpy(weight), rank, keep).numpy()
        np.testing.assert_allclose(ours, numpy_denoise(weight, rank, keep), atol=1e-12)


@pytest.mark.parametrize("keep", [0.05, 0.001, 0.5, 1.0])
@pytest.mark.parametrize("name", ["tall", "wide", "noise", "untouched rows and columns", "minute"])
def test_exactly_the_largest_residuals_keep_their_value_bit_for_bit(name, keep):
    weight, rank = MATRICES[name], 7
    low, ours = low_rank(weight, rank).numpy(), denoise(weight, rank, keep).numpy()
    residual = np.abs(weight.numpy() - low).ravel()
    n = round(keep * residual.size)
    mask = np.zeros(residual.size, bool)
    mask[np.argsort(-residual, kind="stable")[:n]] = True
    mask = mask.reshape(low.shape)
    assert np.array_equal(ours[mask], weight.numpy()[mask])
    assert np.array_equal(ours[~mask], low[~mask])
    moved = int(np.count_nonzero(weight.numpy() != low))  # entries where W and L can be told apart at all
    assert np.count_nonzero(ours != low) == min(n, moved)


@pytest.mark.parametrize(("shape", "kept"), [((10, 10), 5), ((2, 5), 0), ((3, 10), 2), ((7, 9), 3), ((100, 77), 385)])
def test_the_number_of_kept_entries_is_rounded_as_the_contract_says(shape, kept):
    weight = random(*shape)
    assert kept == round(0.05 * weight.numel())
    assert int((denoise(weight, 0) != 0).sum()) == kept


def test_equal_residuals_are_kept_from_the_lowest_position_on():
    weight = torch.tensor([[1.0, -1.0, 1.0, 2.0], [-1.0, 1.0, -1.0, 1.0]])
    assert denoise(weight, 0, keep=0.5).tolist() == [[1, -1, 1, 2], [0, 0, 0, 0]]
    assert denoise(weight, 0, keep=0.25).tolist() == [[1, 0, 0, 2], [0, 0, 0, 0]]


@pytest.mark.parametrize("name", MATRICES)
def test_a_rank_that_loses_nothing_leaves_the_weight_as_it_is(name):
    weight = MATRICES[name]
    assert torch.equal(denoise(weight, min(weight.shape)), weight)
    assert torch.equal(denoise(weight, 10**6, keep=0), weight)


def test_the_touched_part_decides_which_rank_loses_nothing():
    weight = torch.zeros(300, 40)
    weight[[5, 70, 200]] = random(3, 40)
    assert denoise(weight, 3) is weight
    assert denoise(weight, 2) is not weight


def test_rank_zero_is_valid_and_leaves_the_residual_alone():
    weight = random(20, 30)
    assert not low_rank(weight, 0).any()
    assert not denoise(weight, 0, keep=0).any()


def test_without_residual_the_result_is_the_low_rank_part():
    weight = random(40, 30)
    assert torch.equal(denoise(weight, 6, keep=0), low_rank(weight, 6))


def test_rows_of_unseen_tokens_stay_zero():
    """Otherwise entries of tokens that never occurred could be selected."""
    weight = padded(90, 30)
    denoised = denoise(weight, 4)
    assert not denoised[(weight == 0).all(1)].any()
    assert not denoised[:, (weight == 0).all(0)].any()


@pytest.mark.parametrize("shape", [(200, 30), (30, 200)])
def test_a_decomposition_at_hand_gives_the_same_bits(shape):
    weight = random(*shape)
    parts = decompose(weight)
    assert torch.equal(low_rank(weight, 5, parts), low_rank(weight, 5))
    assert torch.equal(denoise(weight, 5, decomposition=parts), denoise(weight, 5))


def test_small_blocks_and_other_layouts_give_the_same_result(monkeypatch):
    weight = padded(90, 31)
    whole = denoise(weight, 5)
    assert torch.equal(denoise(weight.T.contiguous().T, 5), whole)
    monkeypatch.setattr(spectrum, "BLOCK", 64)
    monkeypatch.setattr(select, "BLOCK", 50)
    assert torch.allclose(denoise(weight, 5), whole, atol=1e-6)
    assert torch.allclose(denoise(weight.T, 5), whole.T, atol=1e-6)


def test_the_weight_itself_is_never_changed():
    weight = random(30, 20)
    before = weight.clone()
    denoise(weight, 4)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("keep", [-0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(keep):
    with pytest.raises(RecipeError, match="from 0 to 1"):
        denoise(random(5, 5), 2, keep)


def test_a_negative_rank_is_refused():
    with pytest.raises(RecipeError, match="-1 was given"):
        denoise(random(5, 5), -1)


@pytest.mark.parametrize("rank", [0, 3, 20, 100])  # 20 and more lose nothing
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_diverged_training_is_named_as_such(rank, value):
    weight = random(30, 20)
    weight[1, 2] = value
    for function in (low_rank, denoise):
        with pytest.raises(TrainingError, match="not finite"):
            function(weight, rank)


@pytest.mark.parametrize("rank", [0, 2, 5])
@pytest.mark.parametrize(("weight", "named"), [(random(5, 5).to(torch.complex64), "complex"), (random(5), "shape")])
def test_what_is_no_real_matrix_is_refused(weight, named, rank):
    for function in (low_rank, denoise):
        with pytest.raises(DeftxError, match=named):
            function(weight, rank)
